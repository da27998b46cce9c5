import type { MandatEtat } from '../../src/mandat/queries.ts'
import type { But } from '../../src/oidc/connexion.ts'
import { laStructure } from '../../src/structure/nom.ts'
import { alert } from '../kit/alert.ts'
import { sentence } from '../kit/card.ts'
import { buttonLink, buttons } from '../kit/form.ts'
import { html } from '../kit/html.ts'
import { type Frame, page } from '../kit/page.ts'
import { auSoir, deMots, majuscule, temps } from '../kit/words.ts'
import { impossiblePage, isImpossible } from './new.ts'
import { REFUSAL, type Refusal } from './refusals.ts'
import { RENDRE } from './rendre.ts'

type Props = { frame: Frame; refusal: Refusal; but?: But | undefined; brouillonId?: string | null | undefined }

/** After a round trip that did not end well: calm, without technical words, with the way on. */
export const retourPage = ({ frame, refusal, but, brouillonId }: Props) => {
  const elle = but === 'espace' || but === 'reunion' || but === 'telephone'
  if (!elle && isImpossible(refusal)) return impossiblePage({ frame, refusal })
  const autrement = elle ? undefined : AUTREMENT[refusal]
  return page(
    { ...frame, bare: true },
    TITRE[refusal] ?? 'L’identification n’a pas abouti',
    html`${alert(TITRE_DU_BUT[but ?? 'mandat'] ?? 'Rien n’est signé', elle ? (ESPACE[refusal] ?? withoutChoices(REFUSAL[refusal])) : REFUSAL[refusal], 'info')}
    ${refusal === 'personne_inconnue' && html`${quiVoir}<h2>Vous aviez déjà un mandat ici ?</h2><p>Si votre état civil a été corrigé depuis (prénoms, date de naissance), FranceConnect a pu vous donner un nouvel identifiant. <a href="/mon-espace/reunir">Retrouver ce qui a été fait avant</a></p>`}
    ${refusal === 'indisponible' && html`<p>Rien ne vient de vous. Si cela dure plus d’un quart d’heure, ${brouillonId ? 'faites autre chose : ce mandat en préparation vous attend jusqu’à demain, dans « Nouveau mandat ».' : 'revenez plus tard dans la journée.'}</p>`}
    ${autrement && html`<h2>Ce que vous pouvez faire</h2><ul>${autrement.map((one) => html`<li>${one}</li>`)}</ul>`}
    ${
      brouillonId
        ? autrement
          ? buttons([
              buttonLink('Rendre l’écran à l’aidant', RENDRE),
              buttonLink('Recommencer l’identification', `/mandats/brouillons/${brouillonId}/identification`, {
                kind: 'secondary',
              }),
            ])
          : buttonLink('Reprendre où vous en étiez', `/mandats/brouillons/${brouillonId}/identification`)
        : elle && refusal in SANS_ETAT_CIVIL
          ? html`${etatCivilPourElle}${but !== 'telephone' && buttonLink('Ouvrir mon espace avec le code de ma feuille', '/mon-espace/code')}`
          : but === 'telephone'
            ? html`<p>Demandez à la personne qui vous aide d’afficher un nouveau carré à photographier.</p>`
            : elle
              ? buttonLink('Réessayer', but === 'reunion' ? '/mon-espace/reunir' : '/mon-espace/connexion')
              : buttonLink('Retour à l’accueil', '/')
    }`,
  )
}

const TITRE_DU_BUT: Readonly<Partial<Record<But, string>>> = {
  espace: 'Votre espace ne s’est pas ouvert',
  reunion: 'Vos historiques ne sont pas réunis',
}

const TITRE: Readonly<Partial<Record<Refusal, string>>> = {
  personne_inconnue: 'Aucun mandat à votre nom',
  indisponible: 'Identification indisponible',
}

const ETAT_CIVIL = [
  'Recommencer donnera la même réponse : FranceConnect lit le registre d’état civil de l’Insee. La personne peut le faire corriger, par la mairie de sa naissance ou par l’Insee.',
  'Sans mandat, vous pouvez rester près d’elle pendant qu’elle fait elle-même sa démarche, et lui expliquer ses courriers.',
  'Le mandat en préparation s’efface de lui-même demain, ou dans « Nouveau mandat ».',
]
/** The same, said to herself. */
const etatCivilPourElle = html`<h2>Ce que vous pouvez faire</h2>
    <ul>
      <li>Recommencer donnera la même réponse : FranceConnect lit le registre d’état civil de l’Insee. Vous pouvez le faire corriger, par la mairie de votre naissance ou par l’Insee.</li>
      <li>Pour arrêter, ou pour une question : dites-le à la structure qui vous aide, sur place, au téléphone ou par courrier.</li>
    </ul>`
const SANS_ETAT_CIVIL = { prenom_manquant: ETAT_CIVIL, nom_manquant: ETAT_CIVIL, naissance_manquante: ETAT_CIVIL }
/** Where identifying herself again would change nothing: what else there is. */
const AUTREMENT: Readonly<Partial<Record<Refusal, readonly string[]>>> = {
  ...SANS_ETAT_CIVIL,
  autre_personne: [
    'C’est quelqu’un d’autre : la personne dont vous renouvelez le mandat s’identifie elle-même ; pour celle qui est devant vous, commencez un nouveau mandat.',
    'C’est bien elle, et son état civil a été corrigé (nom, prénom, date de naissance) : FranceConnect la présente comme une autre personne. Commencez un nouveau mandat avec elle. Celui d’avant reste à son ancien nom, jusqu’à sa fin ou jusqu’à ce qu’elle demande de l’arrêter ; elle peut réunir les deux elle-même, dans son espace, avec sa feuille d’avant (« Mes données »).',
  ],
}

/** What is said to herself, on her own device, where the sentence of the aidant's screen speaks of « la personne ». */
const ESPACE: Readonly<Partial<Record<Refusal, string>>> = {
  annule: 'Votre identification n’est pas terminée. Vous pouvez la recommencer quand vous voulez.',
  prenom_manquant: 'FranceConnect n’a pas donné votre prénom : nous ne pouvons pas continuer.',
  nom_manquant: 'FranceConnect n’a pas donné votre nom : nous ne pouvons pas continuer.',
  naissance_manquante: 'FranceConnect n’a pas donné votre date de naissance : nous ne pouvons pas continuer.',
}

/** She has no mandat: whom to see, rather than only trying again. */
const quiVoir = html`<h2>Vous voulez de l’aide pour vos démarches ?</h2>
    <p>Quelqu’un peut vous aider gratuitement, près de chez vous :</p>
    <ul>
      <li>à France services (<a href="https://www.france-services.gouv.fr/">trouver la plus proche</a>) ;</li>
      <li>au CCAS, le service d’aide de votre commune ;</li>
      <li>à la mairie : elle vous dira qui voir.</li>
    </ul>
    <p>Prenez une pièce d’identité et les courriers que vous avez reçus. Si quelqu’un vous aide déjà, demandez-lui si un mandat a bien été signé.</p>`

/** On her own device there are no choices to keep. */
const withoutChoices = (sentence: string) =>
  sentence.replace(/ Vos choix sont gardés(?:\.| : (.))/, (_, next?: string) => (next ? ` ${next.toUpperCase()}` : ''))

/** `continuent`: what she had given this structure before. Her no is about what was proposed, and says how to end the rest. */
export const refusedPage = ({ frame, continuent }: { frame: Frame; continuent: readonly MandatEtat[] }) =>
  page(
    { ...frame, bare: true },
    'C’est non, et c’est bien ainsi',
    html`${
      continuent.length === 0
        ? sentence(
            'Vous avez dit non, c’est votre droit : aucun mandat n’existe, ce service n’a rien gardé sur vous, et vous pouvez demander une autre aide.',
          )
        : html`${sentence('Vous avez dit non, c’est votre droit : rien de nouveau n’est accepté, et rien n’est gardé de cette proposition.')}
    <h2>Votre mandat d’aujourd’hui continue</h2>
    ${continuent.map(
      ({ id, etat, structureNom, enVigueur, enPause, expiresAt, fuseau }) =>
        html`<p>${etat === 'actif' ? majuscule(laStructure(structureNom)) : `C’est en pause. Après, ${laStructure(structureNom)}`} peut faire vos démarches ${deMots([...enVigueur, ...enPause])} jusqu’au ${temps(expiresAt, auSoir(expiresAt, fuseau))}. <a href="/mandats/${id}/arreter">L’arrêter aussi</a></p>`,
    )}
    <p>Vous pouvez l’arrêter quand vous voulez, sans dire pourquoi : dites-le maintenant, ou plus tard par téléphone, par courrier (le bas de votre feuille) ou dans votre espace sur internet.</p>`
    }
    ${buttonLink('Rendre l’écran à l’aidant', RENDRE, { kind: 'secondary' })}`,
  )

/** Her no, said on a page left open after the mandat was signed: it exists, and she can end it. */
export const tooLatePage = ({ frame, mandatId }: { frame: Frame; mandatId: string }) =>
  page(
    { ...frame, bare: true },
    'Ce mandat est déjà signé',
    html`${alert('Le mandat existe', 'Il a été signé avant ce non, qui n’a donc rien effacé. Vous pouvez l’arrêter tout de suite, sans dire pourquoi, dans votre espace.', 'info')}
    ${buttonLink('Ouvrir votre espace pour l’arrêter', '/mon-espace/connexion')}
    ${buttonLink('Voir le mandat', `/mandats/${mandatId}`, { kind: 'secondary' })}`,
  )
