import type { DemarcheRow } from '../../src/demarche/queries.ts'
import { type Autorisation, etatAutorisation } from '../../src/mandat/mandat.ts'
import type { MandatEtat } from '../../src/mandat/queries.ts'
import type { StopRefusal } from '../../src/mandat/stop.ts'
import { alert } from '../kit/alert.ts'
import { back, sentence } from '../kit/card.ts'
import { button, buttons, form } from '../kit/form.ts'
import { type Html, html } from '../kit/html.ts'
import { type Frame, page } from '../kit/page.ts'
import { dateEcrite, deMots, enMots, heure, jour, jourDeChamp, jourEtHeure, laStructure, temps } from '../kit/words.ts'
import { droit, fini } from './sentences.ts'

/** One sentence for each reason a stop does nothing. */
export const ARRET_REFUSE = {
  introuvable: 'Ce mandat n’existe pas.',
  deja_termine: 'C’était déjà arrêté.',
  deja_expire: 'Ce mandat est déjà arrivé à sa fin : il n’y a plus rien à arrêter.',
  thematique_absente: 'Ce sujet n’est pas dans votre mandat.',
} as const satisfies Record<StopRefusal, string>

type ArreterProps = {
  frame: Frame
  mandat: MandatEtat
  autorisations: readonly Autorisation[]
  refusal?: StopRefusal | undefined
  now: Date
}

/** Asks for the one press that stops. No reason is asked, nothing holds her back. */
export const arreterPage = ({ frame, mandat, autorisations, refusal, now }: ArreterProps) => {
  const standing = autorisations
    .filter((one) => ['actif', 'suspendu'].includes(etatAutorisation(one, now).etat))
    .map(({ thematique }) => thematique)
  return page(
    { ...frame, above: back('Ne rien changer', `/mon-espace/mandats/${mandat.id}`) },
    `Arrêter avec ${laStructure(mandat.structureNom)}`,
    html`${refusal && alert('Rien n’a changé', ARRET_REFUSE[refusal])}
    ${
      standing.length > 0 &&
      html`${sentence('Dès que vous appuyez, c’est arrêté. Vous n’avez pas à dire pourquoi.')}
    ${form(
      {},
      html`${button('Tout arrêter', { name: 'quoi', value: 'tout', icon: 'arret', large: true })}
    ${
      standing.length > 1 &&
      html`<h2>Ou arrêter un seul sujet</h2>
    ${buttons(standing.map((one) => button(`Arrêter : ${enMots([one])}`, { name: 'quoi', value: one, kind: 'secondary' })))}`
    }`,
    )}
    <p>Les demandes déjà envoyées ne sont pas annulées. Plus tard, vous pourrez faire un nouveau mandat si vous voulez.</p>`
    }`,
  )
}

type ArretProps = {
  frame: Frame
  mandat: MandatEtat
  autorisations: readonly Autorisation[]
  /** All that was done with this mandat, newest first. */
  demarches: readonly DemarcheRow[]
  now: Date
}

/** After the stop: what is over and since when, what was sent before, what is now hers to do. */
export const arretPage = ({ frame, mandat, autorisations, demarches, now }: ArretProps) => {
  const whole = mandat.etat === 'termine' || mandat.etat === 'expire'
  const stopped = autorisations.filter(({ revokedHow }) => whole || revokedHow === 'revoque')
  // One thématique after the other: each is over since its own moment, and the sentence says the last.
  const minute = ({ revokedAt }: Autorisation) => revokedAt && jourEtHeure(revokedAt, mandat.fuseau)
  const last = stopped.reduce<Autorisation | undefined>(
    (latest, one) => (latest?.revokedAt && one.revokedAt && one.revokedAt < latest.revokedAt ? latest : one),
    undefined,
  )
  const [lately, earlier] =
    whole || !last
      ? [stopped, []]
      : [stopped.filter((one) => minute(one) === minute(last)), stopped.filter((one) => minute(one) !== minute(last))]
  const over = demarches.filter(({ thematique }) => whole || stopped.some((one) => one.thematique === thematique))
  const sent = over.filter(({ resultat }) => resultat === 'deposee' || resultat === 'en_attente')
  const hers = over.filter(({ etapeQuoi, etapeQui }) => etapeQuoi !== null && etapeQui !== 'administration')
  return page(
    { ...frame, above: back('Mes mandats', '/mon-espace') },
    mandat.etat === 'expire' ? 'C’est fini' : 'C’est fait',
    html`${sentence(stopSentence(mandat, lately, now))}
    ${earlier.map((one) => html`<p>Déjà arrêté : vos démarches ${deMots([one.thematique])}, depuis ${one.revokedAt && temps(one.revokedAt, depuis(one.revokedAt, mandat.fuseau, now))}.</p>`)}
    ${!whole && html`<p>${droit(mandat)}</p>`}
    <h2>Les demandes déjà envoyées</h2>
    ${sent.length > 0 ? html`<ul>${sent.map(sentLine)}</ul>` : html`<p>Aucune demande n’attend de réponse.</p>`}
    <h2>Ce qui est maintenant à vous de faire</h2>
    <ul>
      ${hers.map(hersLine)}
      <li>Reprendre vos papiers, s’ils sont chez l’aidant.</li>
      <li>Changer vos mots de passe, si quelqu’un les connaît.</li>
    </ul>
    <p><a href="/mon-espace/mandats/${mandat.id}">Tout ce qui a été fait avec ce mandat</a></p>`,
  )
}

/** The sentence of the stop, as it was fixed; a mandat that came to its date has its own. */
const stopSentence = (mandat: MandatEtat, stopped: readonly Autorisation[], now: Date): Html => {
  const { etat, endedAt, structureNom, fuseau } = mandat
  const structure = laStructure(structureNom)
  if (etat === 'expire' || (etat === 'termine' && mandat.endedHow !== 'revoque'))
    return html`C’est ${fini(mandat)}. ${droit(mandat)}`
  const last = stopped.reduce(
    (latest, { revokedAt }) => (revokedAt && revokedAt > latest ? revokedAt : latest),
    endedAt ?? new Date(0),
  )
  const which = etat === 'termine' ? '' : ` ${deMots(stopped.map(({ thematique }) => thematique))}`
  return html`C’est arrêté depuis ${temps(last, depuis(last, fuseau, now))} : ${structure} n’a plus le droit de faire vos démarches${which}, mais les demandes déjà envoyées, listées ici, ne sont pas annulées.`
}

/** The hour alone, the day it happens. */
const depuis = (at: Date, fuseau: string, now: Date): string =>
  jourDeChamp(at, fuseau) === jourDeChamp(now, fuseau) ? heure(at, fuseau) : `le ${jourEtHeure(at, fuseau)}`

const sentLine = ({ titre, administration, reference, doneAt, fuseau }: DemarcheRow): Html =>
  html`<li><strong>${titre ?? 'Une démarche'}</strong><br>le ${temps(doneAt, jour(doneAt, fuseau))}${administration && `, ${administration}`}${reference && html`<br>numéro de dossier\u00a0: ${reference}`}</li>`

const hersLine = ({ titre, etapeQuoi, etapeQuand }: DemarcheRow): Html =>
  html`<li><strong>${etapeQuoi}</strong>${etapeQuand && `, le ${dateEcrite(etapeQuand)}`}<br>pour\u00a0: ${titre ?? 'une démarche'}</li>`
