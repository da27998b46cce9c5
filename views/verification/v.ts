import { THEMATIQUES } from '../../src/mandat/mandat.ts'
import { alert, etat } from '../kit/alert.ts'
import { asset } from '../kit/assets.ts'
import { type Html, html } from '../kit/html.ts'
import { page } from '../kit/page.ts'
import { facts } from '../kit/table.ts'
import { THEMATIQUE } from '../kit/words.ts'
import { IDENTITE, LIBRE, SANS_CODE, VERDICT } from './words.ts'

/**
 * The page of a QR, the same for every paper: what it says stays after the `#`, which no server receives. Everything that `public/v.js` may
 * have to say is here already, hidden.
 */
export const vPage = ({ demo }: { demo: boolean }): string =>
  page(
    { space: 'public', demo },
    'Vérifier un papier',
    html`<p data-sans-script>Si rien d’autre ne s’affiche ici (JavaScript coupé, ou navigateur trop ancien), <a href="/verifier">vérifiez le papier avec le code imprimé dessus</a>. ${SANS_CODE}</p>
<div data-verification hidden aria-live="polite">
${Object.entries(VERDICT).map(
  ([verdict, { kind, titre, texte }]) => html`<div data-verdict="${verdict}" hidden>${alert(titre, texte, kind)}</div>`,
)}
<div data-authentique hidden>
<p data-etat="utile" hidden><strong>${IDENTITE}</strong> ${LIBRE}</p>
<h2>Ce que dit le papier</h2>
${facts([
  { term: 'La personne (nom de naissance)', value: fait('nom') },
  { term: 'Date de naissance', value: fait('naissance') },
  { term: 'La structure', value: fait('structure') },
  { term: 'SIRET', value: fait('siret') },
  { term: 'Accord donné le', value: fait('signe') },
  { term: 'Jusqu’au', value: html`${fait('fin')} au soir` },
])}
<h2>Pour quels thèmes</h2>
<ul>
${THEMATIQUES.map(
  (thematique) =>
    html`<li data-thematique="${thematique}" hidden><strong>${THEMATIQUE[thematique].titre}</strong> : ${ETATS}</li>`,
)}
</ul>
<p><span data-etat="connu" hidden>Statut connu depuis le ${fait('depuis')}.</span> Un nom trop long pour le QR y est coupé, et finit par « … ».</p>
</div>
<p><a href="/verifier">Vérifier avec le code imprimé sur le papier</a>. ${SANS_CODE}</p>
</div>
<script type="module" src="${asset('v.js')}"></script>`,
  )

const fait = (name: string): Html => html`<span data-fait="${name}"></span>`

const ETATS = html`${(['actif', 'suspendu', 'expire', 'termine'] as const).map(
  (one) => html`<span data-etat="${one}" hidden>${etat(one)}</span>`,
)}<span data-etat="inconnu" hidden>statut non vérifié</span>`
