import {
  type Alerte,
  attendReponse,
  demarcheDuCatalogue,
  derniersEtats,
  etapesRestantes,
  faites,
} from '../../src/demarche/demarche.ts'
import type { DemarcheRow } from '../../src/demarche/queries.ts'
import type { ArretRecu } from '../../src/mandat/fin-queries.ts'
import { type Autorisation, etatAutorisation, isInForce } from '../../src/mandat/mandat.ts'
import type { MandatEtat } from '../../src/mandat/queries.ts'
import type { StopRefusal } from '../../src/mandat/stop.ts'
import { laStructure } from '../../src/structure/nom.ts'
import { alert } from '../kit/alert.ts'
import { back, sentence } from '../kit/card.ts'
import { button, buttons, form } from '../kit/form.ts'
import { type Html, html } from '../kit/html.ts'
import { type Frame, page } from '../kit/page.ts'
import { dateEcrite, deMots, enMots, heure, jour, jourDeChamp, jourEtHeure, MANIERE, temps } from '../kit/words.ts'
import { administrationEnClair, titreEnClair } from './actes.ts'
import { droit, fini, remettre } from './sentences.ts'

/** One sentence for each reason a stop does nothing. */
export const ARRET_REFUSE = {
  introuvable: 'Ce mandat n’existe pas.',
  deja_termine: 'C’était déjà arrêté.',
  deja_expire: 'Ce mandat est déjà arrivé à sa fin : il n’y a plus rien à arrêter.',
  thematique_absente: 'Ce thème n’est pas dans votre mandat.',
} as const satisfies Record<StopRefusal, string>

type ArreterProps = {
  frame: Frame
  mandat: MandatEtat
  autorisations: readonly Autorisation[]
  /** Her other mandats in force with this structure: they go on. */
  autres: readonly MandatEtat[]
  refusal?: StopRefusal | undefined
  now: Date
}

/** Asks for the one press that stops. No reason is asked, nothing holds her back. */
export const arreterPage = ({ frame, mandat, autorisations, autres, refusal, now }: ArreterProps) => {
  const standing = autorisations
    .filter((one) => ['actif', 'suspendu'].includes(etatAutorisation(one, now).etat))
    .map(({ thematique }) => thematique)
  return page(
    {
      ...frame,
      heading: `Arrêter avec ${laStructure(mandat.structureNom)}`,
      above: back('Ne rien changer', `/mon-espace/mandats/${mandat.id}`),
    },
    'Arrêter',
    html`${refusal && alert('Rien n’a changé', ARRET_REFUSE[refusal])}
    ${
      standing.length > 0 &&
      html`${sentence('Dès que vous appuyez, c’est arrêté. Vous n’avez pas à dire pourquoi.')}
    ${form(
      {},
      html`${button(autres.length > 0 ? 'Arrêter tout ce mandat' : 'Tout arrêter', { name: 'quoi', value: 'tout', icon: 'arret', large: true })}
    ${
      standing.length > 1 &&
      html`<h2>Ou arrêter un seul thème</h2>
    ${buttons(standing.map((one) => button(`Arrêter : ${enMots([one])}`, { name: 'quoi', value: one, kind: 'secondary' })))}`
    }`,
    )}
    ${mandat.enVigueur.length > 0 && html`<p>Vous pouvez aussi <a href="/mon-espace/mandats/${mandat.id}/pause">mettre en pause</a>. ${remettre(frame)}</p>`}
    ${continuent(autres)}
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
  /** What an aidant recorded in her name, and what was done before she did. */
  recus: readonly ArretRecu[]
  signalees: ReadonlySet<string>
  /** Her other mandats in force with this structure: they go on. */
  autres: readonly MandatEtat[]
  now: Date
}

/** After the stop: what is over and since when, what was sent before, what is now hers to do. */
export const arretPage = ({ frame, mandat, autorisations, demarches, recus, signalees, autres, now }: ArretProps) => {
  const whole = !isInForce(mandat)
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
  const latest = derniersEtats(demarches)
  const over = latest.filter(({ thematique }) => whole || stopped.some((one) => one.thematique === thematique))
  const flagged = demarches.filter(({ id }) => signalees.has(id))
  const sent = over.filter(attendReponse)
  // With the paper's code, nothing says of which theme it is.
  const hidden = !whole && latest.some((one) => one.thematique === null && attendReponse(one))
  const done = faites(demarches).filter(({ thematique }) => whole || stopped.some((one) => one.thematique === thematique))
  const papiers = done.filter(({ canal, mode }) => mode === 'a_sa_place' && (canal === 'courrier' || canal === 'guichet'))
  const comptes = done.filter(
    ({ canal, mode, nature }) => mode !== 'seule_avec_appui' && (canal === 'en_ligne_autre' || nature === 'creation_de_compte'),
  )
  return page(
    { ...frame, above: back('Mes mandats', '/mon-espace') },
    mandat.etat === 'expire' ? 'C’est fini' : mandat.endedHow && mandat.endedHow !== 'revoque' ? 'C’est arrêté' : 'C’est fait',
    html`${sentence(stopSentence(mandat, lately, { pending: sent.length > 0, alone: autres.length === 0 }, now))}
    ${continuent(autres)}
    ${earlier.map((one) => html`<p>Déjà arrêté : vos démarches ${deMots([one.thematique])}, depuis ${one.revokedAt && temps(one.revokedAt, depuis(one.revokedAt, mandat.fuseau, now))}.</p>`)}
    ${!whole && html`<p>${droit(mandat)}</p>`}
    ${recu(recus, mandat.fuseau)}
    ${
      flagged.length > 0 &&
      html`<h2>Faites après l’arrivée de votre demande</h2>
    <ul>${flagged.map(sentLine)}</ul>
    ${flagged.some(({ genre }) => genre !== 'hors_mandat') && html`<p>L’aidant ne savait peut-être pas encore que vous aviez demandé d’arrêter.</p>`}
    <p>Une question ? Appelez la structure.</p>`
    }
    <h2>Les demandes déjà envoyées</h2>
    ${sent.length > 0 ? html`<ul>${sent.map(sentLine)}</ul>` : html`<p>${whole ? 'Aucune demande faite avec ce mandat' : `Aucune de vos demandes ${deMots(stopped.map(({ thematique }) => thematique))}`} n’attend de réponse.</p>`}
    ${hidden && html`<p>Une démarche confidentielle peut attendre une réponse : ouvrez votre espace avec FranceConnect pour la lire.</p>`}
    <h2>Ce qui est maintenant à vous de faire</h2>
    <ul>
      ${aFaire(done).map((one) => hersLine(one, jourDeChamp(now, mandat.fuseau)))}
      ${echeances(over)}
      <li>Reprendre vos papiers, s’ils sont chez l’aidant.${surtout(papiers.map(titreEnClair))}</li>
      <li>Changer vos mots de passe, si quelqu’un les connaît.${surtout(sansDetail(comptes.map(({ administration }) => administration && administrationEnClair(administration))))}</li>
    </ul>
    <p><a href="/mon-espace/mandats/${mandat.id}">Tout ce qui a été fait avec ce mandat</a></p>
    ${!frame.parCode && form({ action: `/mon-espace/mandats/${mandat.id}/papiers/releve` }, button('Imprimer ce qui a été fait', { kind: 'secondary' }))}`,
  )
}

/**
 * The sentence of the stop, as it was fixed; a mandat that came to its date has its own. `pending`: there are requests to list, else the
 * sentence does not announce them. `alone`: this structure has no other mandat of hers, and may do nothing more.
 */
const stopSentence = (
  mandat: MandatEtat,
  stopped: readonly Autorisation[],
  { pending, alone }: { pending: boolean; alone: boolean },
  now: Date,
): Html => {
  const { etat, endedAt, structureNom, fuseau } = mandat
  const structure = laStructure(structureNom)
  if (etat === 'expire' || (etat === 'termine' && mandat.endedHow !== 'revoque'))
    return html`C’est ${fini(mandat)}. ${droit(mandat)}`
  const last = stopped.reduce(
    (latest, { revokedAt }) => (revokedAt && revokedAt > latest ? revokedAt : latest),
    endedAt ?? new Date(0),
  )
  const which = etat === 'termine' && alone ? '' : ` ${deMots(stopped.map(({ thematique }) => thematique))}`
  return html`C’est arrêté depuis ${temps(last, depuis(last, fuseau, now))} : ${structure} n’a plus le droit de faire vos démarches${which}${pending && ', mais les demandes déjà envoyées, listées ici, ne sont pas annulées'}.`
}

/** What a stop of this mandat leaves as it is. */
const continuent = (autres: readonly MandatEtat[]): readonly Html[] =>
  autres.map(
    ({ id, structureNom, enVigueur, enPause }) =>
      html`<p>Vous avez un autre mandat avec ${laStructure(structureNom)}, pour vos démarches ${deMots([...enVigueur, ...enPause])} : il continue. <a href="/mon-espace/mandats/${id}/arreter">L’arrêter aussi</a></p>`,
  )

/** When her request came, and when it was recorded: two times, the second is when it took effect here. */
const recu = (recus: readonly ArretRecu[], fuseau: string): Html | false => {
  const last = recus.reduce<ArretRecu | undefined>(
    (latest, one) => (latest && latest.recordedAt > one.recordedAt ? latest : one),
    undefined,
  )
  return (
    last !== undefined &&
    html`<p>Votre demande est arrivée ${MANIERE[last.maniere]}, le ${temps(last.recuLe, jourEtHeure(last.recuLe, fuseau))}. Elle a été enregistrée le ${temps(last.recordedAt, jourEtHeure(last.recordedAt, fuseau))}.</p>`
  )
}

/** The hour alone, the day it happens. */
const depuis = (at: Date, fuseau: string, now: Date): string =>
  jourDeChamp(at, fuseau) === jourDeChamp(now, fuseau) ? heure(at, fuseau) : `le ${jourEtHeure(at, fuseau)}`

const sentLine = (demarche: DemarcheRow): Html => {
  const { administration, reference, doneAt, fuseau } = demarche
  return html`<li><strong>${titreEnClair(demarche) ?? 'Une démarche confidentielle'}</strong><br>le ${temps(doneAt, jour(doneAt, fuseau))}${administration && `, ${administrationEnClair(administration)}`}${reference && html`<br>numéro de dossier : ${reference}`}</li>`
}

/** Those with a date first, the nearest at the top. */
const aFaire = (demarches: readonly DemarcheRow[]): DemarcheRow[] =>
  etapesRestantes(demarches).toSorted((one, other) => (one.etapeQuand ?? '9').localeCompare(other.etapeQuand ?? '9'))

/** `today`: 'YYYY-MM-DD'. */
const hersLine = (demarche: DemarcheRow, today: string): Html => {
  const { etapeQuoi, etapeQuand, etapeQui } = demarche
  const titre = titreEnClair(demarche) ?? 'une démarche confidentielle'
  if (etapeQuoi === null) return html`<li><strong>Continuer : ${titre}</strong></li>`
  return html`<li><strong>${etapeQuoi}</strong>${etapeQuand && `, pour le ${dateEcrite(etapeQuand)}${etapeQuand < today ? ' : cette date est passée' : ''}`}<br>pour : ${titre}${etapeQui === 'aidant' && html`<br>L’aidant devait le faire.`}</li>`
}

const CHAQUE: Readonly<Partial<Record<Alerte, string>>> = {
  'echeance:mensuelle': 'chaque mois',
  'echeance:annuelle': 'chaque année',
}

/** What comes back by itself, that the aidant may have done each time. */
const echeances = (demarches: readonly DemarcheRow[]): Html[] =>
  demarches
    .filter(({ code }, index) => demarches.findIndex((other) => other.code === code) === index)
    .flatMap((one) => {
      const quand = (one.code ? demarcheDuCatalogue(one.code)?.alertes : [])?.map((alerte) => CHAQUE[alerte]).find(Boolean)
      return quand ? html`<li><strong>${titreEnClair(one)}</strong><br>une date à ne pas manquer, ${quand}</li>` : []
    })

/** « CPAM » says no more beside « CPAM ou MSA »: of two names one of which begins the other, the longer is said. */
const sansDetail = (mots: readonly (string | null)[]) =>
  mots.filter((mot) => mot && !mots.some((other) => other !== mot && other?.startsWith(mot)))

/** Where to look first, each once; nothing is said when the acts do not tell. */
const surtout = (mots: readonly (string | null)[]): Html | false => {
  const each = [...new Set(mots.filter((one) => one !== null))]
  return each.length > 0 && html` Surtout :<ul>${each.map((one) => html`<li>${one}</li>`)}</ul>`
}
