import { html } from '../kit/html.ts'
import { defenseurDesDroits } from '../kit/legal.ts'
import { page } from '../kit/page.ts'

type Props = {
  /** Address written to by those who cannot use a page. */
  contact?: string | undefined
  demo?: boolean | undefined
}

/** Honest as long as nobody independent has audited the service: « non conforme » whatever the automatic tests say. */
export const accessibilitePage = ({ contact, demo }: Props): string =>
  page(
    { space: 'public', demo },
    'Accessibilité : non conforme',
    html`
<p class="sentence">Ce service veut être utilisable par tout le monde. Personne d’indépendant ne l’a encore vérifié.</p>
<h2>État de conformité</h2>
<p>Trait d’union est <strong>non conforme</strong> au référentiel général d’amélioration de l’accessibilité (RGAA 4.1.2) : aucun audit n’a encore été fait. Nous ne donnons donc aucun pourcentage.</p>
<h2>Ce qui est vérifié automatiquement</h2>
<p>À chaque changement, des programmes ouvrent les pages et refusent le changement si une faute est trouvée :</p>
<ul>
<li>les règles automatiques d’axe-core (WCAG 2.2, niveaux A et AA), sur un écran étroit de 320 pixels et sur un écran large ;</li>
<li>la validité du code HTML ;</li>
<li>les parcours principaux au clavier seul, avec et sans JavaScript ;</li>
<li>le contraste des textes, d’au moins 7 pour 1, en clair et en sombre.</li>
</ul>
<p>Ces vérifications ne trouvent qu’une partie des difficultés. Elles ne remplacent ni un audit, ni l’avis des personnes concernées.</p>
<h2>Ce qui manque encore</h2>
<ul>
<li>un audit par une personne formée ;</li>
<li>des essais avec des lecteurs d’écran (NVDA, VoiceOver, TalkBack) et avec des personnes qui lisent difficilement ;</li>
<li>une version en langue des signes et des versions relues en facile à lire et à comprendre.</li>
</ul>
<h2>Une page vous bloque ?</h2>
${
  contact
    ? html`<p>Écrivez à <a href="mailto:${contact}">${contact}</a>. Dites quelle page et ce que vous vouliez faire.</p>`
    : html`<p>Dites-le à la structure qui vous aide : quelle page, et ce que vous vouliez faire.</p>`
}
<p>Savoir ce qui est fait pour vous, dire que vous n’êtes pas d’accord, arrêter, ou faire une pause : cela se fait aussi au guichet, par téléphone ou sur papier. Reprendre après une pause demande FranceConnect, sur internet ou au guichet avec un nouveau mandat.</p>
<h2>Si personne ne vous répond</h2>
${defenseurDesDroits}`,
  )
