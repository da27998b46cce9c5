import { empreinteDe } from '../../src/journal/checkpoint.ts'
import type { Comparaison } from '../../src/journal/compare.ts'
import { isTemoigne, type Policy } from '../../src/journal/policy.ts'
import type { RestaurationDite } from '../../src/journal/restauration.ts'
import type { Point, Temoignage } from '../../src/journal/tree-queries.ts'
import { alert } from '../kit/alert.ts'
import { more, sentence } from '../kit/card.ts'
import { button, type Errors, errorSummary, form, input, type Values } from '../kit/form.ts'
import { type Html, html } from '../kit/html.ts'
import { type Frame, page } from '../kit/page.ts'
import { facts, table } from '../kit/table.ts'
import { ilYA, jourEtHeure, nombre, pluriel, temps } from '../kit/words.ts'
import { restaurationSentence } from './words.ts'

type Props = {
  now: Date
  point: (Point & { temoins: readonly string[] }) | undefined
  retard: { enAttente: number; secondes: number }
  /** The last checkpoint that each witness cosigned. */
  vus: readonly (Temoignage & { taille: number })[]
  restaurations: readonly RestaurationDite[]
  policy: Policy
  cle: string | undefined
  frame: Frame
  /** Of a paper that someone has in hand. */
  comparaison?: Comparaison | undefined
  values?: Values | undefined
  errors?: Errors
}

const ZONE = 'Europe/Paris'
/** Beyond it, something is wrong with what places lines in the tree. */
const LATE_S = 60

export const journalPublicPage = (props: Props): string => {
  const { now, point, retard, vus, restaurations, policy, cle, frame, comparaison, values = {}, errors = {} } = props
  const temoins = policy.witnesses.map(({ vkey }) => ({ nom: vkey.name, vu: vus.find(({ temoin }) => temoin === vkey.text) }))
  const temoigne = [...vus]
    .sort((a, b) => b.taille - a.taille)
    .find(({ taille }) =>
      isTemoigne(
        policy,
        vus.filter((one) => one.taille >= taille).map(({ temoin }) => temoin),
      ),
    )
  return page(
    { ...frame, invalid: Object.keys(errors).length > 0 },
    'Le journal public',
    html`${errorSummary(errors)}
${comparaison && resultat(comparaison)}
${sentence('Chaque accord, chaque arrêt et chaque démarche laisse une ligne dans un journal. Dès qu’un témoin l’a vue, personne ne peut plus la changer, la déplacer ou la retirer sans que cela se voie.')}
${!point && alert('Aucun point de contrôle pour le moment', 'Le journal n’a pas encore été signé. Revenez dans une minute.', 'info')}
${
  retard.secondes > LATE_S &&
  alert(
    'Le journal prend du retard',
    `Des lignes sont bien enregistrées mais ne sont pas encore protégées : ${pluriel(retard.enAttente, 'ligne attend', 'lignes attendent')}, depuis ${pluriel(Math.round(retard.secondes / 60), 'minute')}.`,
    'warning',
  )
}
${
  point &&
  html`<h2>Où il en est</h2>
${facts([
  { term: 'Lignes protégées', value: nombre(point.taille) },
  {
    term: 'Dernière signature',
    value: temps(point.createdAt, `${jourEtHeure(point.createdAt, ZONE)} (${ilYA(point.createdAt, now, ZONE)})`),
  },
  {
    term: 'Lignes en attente',
    value:
      retard.enAttente === 0
        ? 'aucune'
        : `${nombre(retard.enAttente)}, depuis ${pluriel(Math.max(1, Math.round(retard.secondes)), 'seconde')}`,
  },
  {
    term: 'Vu par les témoins',
    value: temoigne
      ? html`${pluriel(temoigne.taille, 'ligne vue', 'lignes vues')}, ${temps(temoigne.vuAt, ilYA(temoigne.vuAt, now, ZONE))}`
      : policy.witnesses.length === 0
        ? 'aucun témoin n’est encore désigné'
        : 'pas encore',
  },
  { term: 'Empreinte', value: html`<code class="long">${empreinteDe(point.racine)}</code>` },
])}
<h2>Comparer un papier</h2>
<p>Un papier imprimé par le service dit, en petit, combien de lignes le journal avait ce jour-là, et son empreinte. Tapez-les : vous verrez si ce début du journal est resté le même.</p>
${form(
  { action: '/journal', method: 'get', label: 'Comparer un papier' },
  html`${input({ name: 'taille', label: 'Nombre de lignes', inputmode: 'numeric', size: 12, value: values.taille, error: errors.taille })}
${input({ name: 'empreinte', label: 'Empreinte', hint: 'Huit groupes de quatre signes.', value: values.empreinte, error: errors.empreinte, attrs: { spellcheck: 'false', autocapitalize: 'none' } })}
${button('Comparer', { kind: 'secondary' })}`,
)}`
}
${
  restaurations.length > 0 &&
  html`<h2>Ce qui a été restauré</h2>
<ul>
${restaurations.map((one) => html`<li>Restauré ${restaurationSentence(one)}</li>`)}
</ul>`
}
<h2>Les témoins</h2>
<p>Un témoin est un autre ordinateur, tenu par quelqu’un d’autre. Il signe le journal seulement si le journal n’a fait que s’allonger depuis sa dernière visite. Si un témoin se tait, rien n’est bloqué : les lignes continuent de s’écrire.</p>
${table({
  caption: 'Ce que chaque témoin a vu',
  quiet: true,
  columns: [
    { head: 'Témoin', cell: ({ nom }) => nom },
    { head: 'Lignes vues', cell: ({ vu }) => (vu ? nombre(vu.taille) : 'pas encore'), number: true },
    { head: 'Quand', cell: ({ vu }) => vu && temps(vu.vuAt, `${jourEtHeure(vu.vuAt, ZONE)}`) },
  ],
  rows: temoins,
  empty:
    'Aucun témoin n’est encore désigné : tant qu’il n’y en a pas, ce service pourrait récrire son passé sans que personne d’autre ne le voie.',
})}
${frame.demo && html`<p>Dans cette démonstration, le témoin tourne sur le même ordinateur que le service : il montre comment cela marche, il ne prouve rien.</p>`}
<h2>Ce que cela prouve</h2>
<ul>
<li>Une ligne écrite est restée telle qu’elle a été écrite, à sa place et à son heure.</li>
<li>Dans l’histoire d’un mandat, aucune ligne n’a été retirée : elles sont numérotées sans trou.</li>
<li>Ce qu’un témoin a vu ne peut plus être récrit en secret, ni par un aidant, ni par un responsable, ni par nous.</li>
</ul>
<h2>Ce que cela ne prouve pas</h2>
<ul>
<li>Que la démarche notée était juste, ou qu’elle a vraiment été faite.</li>
<li>Que tout ce qui a été fait a été noté.</li>
<li>Les toutes dernières lignes, tant qu’aucun témoin ne les a vues.</li>
</ul>
<p>Le journal ne contient ni nom ni texte : des numéros, des dates et des empreintes. Ce qui est dit de vous peut être effacé quand la loi le demande, sans abîmer le reste.</p>
${more(
  'Vérifier vous-même',
  html`<p>Le dernier point de contrôle, signé : <a href="/journal/checkpoint">/journal/checkpoint</a>. Les empreintes de l’arbre : <code>/journal/tile/</code>. Les formats sont publics (C2SP <code>tlog-tiles</code>, <code>tlog-checkpoint</code>, <code>tlog-witness</code> ; RFC&nbsp;6962).</p>
${point && html`<p>Racine entière : <code class="long">${point.racine.toString('base64')}</code>. L’empreinte en est la première moitié, en hexadécimal.</p>`}
${cle && html`<p>Clé publique du journal : <code class="long">${cle}</code></p>`}
<p>Notre programme le vérifie en entier : <code>npm run journal -- verify</code>. Le document <code>docs/audit.md</code> dit comment le faire sans nous, avec <code>sha256sum</code> et <code>openssl</code>.</p>`,
)}`,
  )
}

/** What the paper in hand shows. Never « vérifié ». */
const resultat = (one: Comparaison): Html => {
  if (one.ok)
    return alert(
      'C’est la même empreinte que sur le papier',
      html`<p>Jusqu’à sa ligne ${nombre(one.taille)}, le journal n’a pas été modifié depuis le ${temps(one.signedAt, jourEtHeure(one.signedAt, ZONE))}. Cela ne dit pas que ce qui y est écrit était juste.</p>`,
      'success',
    )
  return alert(ECART[one.refusal], html`<p>${QUE_FAIRE[one.refusal]}</p>`, 'warning')
}
const ECART = {
  taille_inconnue: 'Ce journal n’a rien signé à ce nombre de lignes',
  autre_empreinte: 'Ce n’est pas la même empreinte',
} as const satisfies Record<Extract<Comparaison, { ok: false }>['refusal'], string>
const QUE_FAIRE = {
  taille_inconnue:
    'Relisez le nombre sur le papier. S’il est bien celui-là, le papier n’est pas de ce service, ou la fin du journal a été coupée : gardez le papier, et montrez-le.',
  autre_empreinte:
    'Relisez l’empreinte, signe par signe. Si elle est bien celle-là, le papier n’est pas de ce service, ou le journal a été récrit depuis : gardez le papier, et montrez-le.',
} as const satisfies Record<keyof typeof ECART, string>
