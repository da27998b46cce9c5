import { attendReponse, derniersEtats } from '../../src/demarche/demarche.ts'
import type { DemarcheRow } from '../../src/demarche/queries.ts'
import { type FinParLaStructure, MANIERES } from '../../src/mandat/fin.ts'
import type { ArretRecu } from '../../src/mandat/fin-queries.ts'
import { type Autorisation, isInForce, type Thematique } from '../../src/mandat/mandat.ts'
import type { MandatEtat } from '../../src/mandat/queries.ts'
import type { UsagerRow } from '../../src/usager/queries.ts'
import { alert, success } from '../kit/alert.ts'
import { back } from '../kit/card.ts'
import { button, buttonLink, checkbox, type Errors, errorSummary, form, input, radios, type Values } from '../kit/form.ts'
import { type Html, html } from '../kit/html.ts'
import { type Frame, page } from '../kit/page.ts'
import {
  deMots,
  enMots,
  FIN,
  heure,
  jourDeChamp,
  jourEtHeure,
  KIND,
  MANIERE,
  majuscule,
  nomCourant,
  pluriel,
  RESULTAT,
  temps,
} from '../kit/words.ts'
import { REFUSAL, type Refusal } from './refusals.ts'

/** An address stays in the browser's history: reopened later, it must not say again that this is new. */
export const recent = (at: Date, now: Date): boolean => now.getTime() - at.getTime() < 10 * 60_000

type Shown = { frame: Frame; mandat: MandatEtat; usager: UsagerRow; now: Date }
/** What is in force or paused, whichever way: an aidant must not learn that a pause waits for an answer. */
const enCours = ({ perimetre, enVigueur, enPause }: MandatEtat): Thematique[] =>
  perimetre.filter((one) => enVigueur.includes(one) || enPause.includes(one))

type ArretRecuProps = Shown & { values?: Values; errors?: Errors; refusal?: Refusal | undefined }

/** Records a request to stop that came by a slip, a letter, a call. No reason is asked for. */
export const arretRecuPage = ({ frame, mandat, usager, now, values, errors = {}, refusal }: ArretRecuProps) => {
  const { fuseau } = mandat
  const standing = enCours(mandat)
  const moment = `${jourDeChamp(now, fuseau)}T${heureDeChamp(now, fuseau)}`
  // Over already, all of it may still be said to have been asked for before.
  const over = standing.length === 0
  const offered = over ? mandat.perimetre : standing
  const typed: Values = values ?? { recuLe: over ? undefined : moment }
  return page(
    { ...frame, above: back('Revenir au mandat', `/mandats/${mandat.id}`), invalid: Object.keys(errors).length > 0 },
    'Enregistrer une demande d’arrêt',
    html`${errorSummary(errors)}
    ${refusal && alert('Rien n’est arrêté', REFUSAL[refusal])}
    <p><strong>${nomCourant(usager)}</strong> a demandé d’arrêter. Elle n’a pas à dire pourquoi, et sa demande vaut dès qu’elle est arrivée. ${over ? 'Ce mandat est déjà fini : seul ce qui a été fait depuis l’arrivée de sa demande sera signalé.' : 'L’arrêt est immédiat et sans retour.'}</p>
    ${!over && html`<p><a href="/mandats/${mandat.id}/pause">Elle veut seulement une pause</a></p>`}
    ${form(
      {},
      html`${quoiEtComment('Que veut-elle arrêter ?', offered, typed, errors)}
      ${input({
        name: 'recuLe',
        label: 'Quand est-elle arrivée ?',
        hint: 'Le jour et l’heure de son arrivée, même si elle n’a été lue que plus tard. Ce qui a été fait depuis est signalé à la personne et aux référents.',
        type: 'datetime-local',
        value: typed.recuLe,
        error: errors.recuLe,
        attrs: { max: moment },
      })}
      ${over ? button('Enregistrer') : button('Arrêter', { icon: 'arret' })}`,
    )}`,
  )
}

/** What the request is about, and how it came. */
const quoiEtComment = (legend: string, offered: readonly Thematique[], typed: Values, errors: Errors): Html =>
  html`${radios({
    name: 'quoi',
    legend,
    options: [
      { value: 'tout', label: offered.length > 1 ? 'Tout le mandat' : `Tout le mandat (${enMots(offered)})` },
      ...(offered.length > 1 ? offered.map((one) => ({ value: one, label: `Seulement : ${enMots([one])}` })) : []),
    ],
    value: typed.quoi ?? (offered.length === 1 ? 'tout' : undefined),
    error: errors.quoi,
  })}
      ${radios({
        name: 'maniere',
        legend: 'Comment la demande est-elle arrivée ?',
        options: MANIERES.map((value) => ({ value, label: majuscule(MANIERE[value]) })),
        value: typed.maniere,
        error: errors.maniere,
      })}`

/** Records a pause that she asked for by a visit, a call, a letter. She alone lifts it. */
export const pauseRecuePage = ({ frame, mandat, usager, values = {}, errors = {}, refusal }: ArretRecuProps) =>
  page(
    { ...frame, above: back('Revenir au mandat', `/mandats/${mandat.id}`), invalid: Object.keys(errors).length > 0 },
    'Enregistrer une demande de pause',
    html`${errorSummary(errors)}
    ${refusal && alert('Rien n’est mis en pause', REFUSAL[refusal])}
    <p><strong>${nomCourant(usager)}</strong> a demandé une pause. Elle n’a pas à dire pourquoi. Dès que vous enregistrez, plus personne n’agit pour ce qu’elle met en pause ; elle est prévenue, et voit que vous l’avez enregistrée.</p>
    <p>${REPRENDRE}</p>
    ${
      enCours(mandat).length > 0 &&
      form(
        {},
        html`${quoiEtComment('Que veut-elle mettre en pause ?', enCours(mandat), values, errors)}${button('Mettre en pause')}`,
      )
    }
    <p><a href="/mandats/${mandat.id}/arreter">Elle veut plutôt arrêter</a></p>`,
  )

/** How she learns what was just recorded. */
export const PREVENUE =
  'La personne l’apprend par le moyen qu’elle a choisi. Si c’est le papier, il vous attend dans « À remettre sur papier ».'

/** A pause lifted gives power back: it takes her identity. */
export const REPRENDRE =
  'Personne ne remet en route à sa place : elle le fait dans son espace avec FranceConnect, ou par un nouveau mandat avec vous.'

const heureDeChamp = (at: Date, zone: string) => {
  const [hour = '', minute = ''] = heure(at, zone).split(/\D+/)
  return `${hour.padStart(2, '0')}:${minute}`
}

type FinProps = Shown & {
  how: FinParLaStructure
  /** All of the person's in this structure, under all the identities that it knows of hers. */
  mandats: readonly MandatEtat[]
  refusal?: Refusal | undefined
  error?: string | undefined
}

const PAROLES = {
  renonce: {
    titre: 'Renoncer au mandat',
    suites: [
      'Le mandat s’arrête tout de suite, sans retour.',
      'La personne est prévenue, par le moyen qu’elle a choisi. Dites-le-lui aussi vous-même.',
      'Elle peut demander une autre aide, ici ou ailleurs.',
    ],
    confirme: 'Je confirme que la structure renonce à ce mandat.',
    bouton: 'Renoncer',
  },
  deces: {
    titre: 'La personne est décédée',
    suites: [
      'Aucun message n’est envoyé à son numéro ni à son adresse.',
      'Les aidants concernés et les référents sont prévenus.',
    ],
    confirme: 'Je confirme que la structure a appris son décès.',
    bouton: 'Enregistrer le décès',
  },
  protection: {
    titre: 'La personne a une mesure de protection',
    suites: [
      'La personne est prévenue, par le moyen qu’elle a choisi.',
      'Pour ses démarches, parlez désormais à qui est chargé de ses affaires.',
    ],
    confirme:
      'Je confirme qu’une mesure de protection a été ouverte : tutelle, curatelle, habilitation familiale, mandat de protection future, sauvegarde de justice.',
    bouton: 'Enregistrer la mesure',
  },
} as const satisfies Record<FinParLaStructure, { titre: string; suites: readonly string[]; confirme: string; bouton: string }>

/** Says what follows before the one press that ends. */
export const finPage = ({ frame, how, mandat, usager, mandats, refusal, error }: FinProps) => {
  const { titre, suites, confirme, bouton } = PAROLES[how]
  const inForce = mandats.filter(isInForce)
  const errors: Errors = error ? { confirme: error } : {}
  return page(
    { ...frame, above: back('Revenir au mandat', `/mandats/${mandat.id}`), invalid: error !== undefined },
    titre,
    html`${errorSummary(errors)}
    ${refusal && alert('Rien n’est arrêté', REFUSAL[refusal])}
    <p>Mandat de la personne : <strong>${nomCourant(usager)}</strong>.</p>
    <h2>Ce qui va se passer</h2>
    <ul>
      ${how !== 'renonce' && html`<li>${inForce.length > 1 ? `Ses ${inForce.length} mandats en cours avec votre structure s’arrêtent` : 'Son mandat avec votre structure s’arrête'} tout de suite, sans retour.</li>`}
      ${suites.map((one) => html`<li>${one}</li>`)}
      <li>Ce qui a été fait reste écrit, et les demandes déjà envoyées ne sont pas annulées.</li>
    </ul>
    ${form({}, html`${checkbox({ name: 'confirme', label: confirme, error })}${button(bouton, { icon: 'arret' })}`)}`,
  )
}

type ApresFinProps = Shown & {
  autorisations: readonly Autorisation[]
  recus: readonly ArretRecu[]
  /** All that was done with this mandat, newest first. */
  demarches: readonly DemarcheRow[]
  /** Present when there are older ones than these. */
  suivant?: unknown
  /** Whether the relevé prints for this aidant: once nothing is in force, for the one who signed. */
  imprime?: boolean
  /** Those done between receipt and recording. */
  signalees: ReadonlySet<string>
  /** She comes from recording it. */
  fait: boolean
  /** False for a direction that does not accompany her: she reads what is flagged, and no more. */
  lit: boolean
}

/** After an end, on the structure's side: what is over, what is flagged, what is left to hand back. */
export const apresFinPage = ({
  frame,
  mandat,
  usager,
  autorisations,
  recus,
  demarches,
  suivant,
  imprime,
  signalees,
  lit,
  fait,
  now,
}: ApresFinProps) => {
  const { fuseau } = mandat
  const ended = autorisations.filter(({ revokedAt }) => revokedAt)
  const flagged = demarches.filter(({ id }) => signalees.has(id))
  const sent = derniersEtats(demarches).filter(
    (one) => attendReponse(one) && (mandat.etat === 'termine' || ended.some(({ thematique }) => thematique === one.thematique)),
  )
  return page(
    { ...frame, above: back('Revenir au mandat', `/mandats/${mandat.id}`) },
    'Après la fin',
    html`${fait && [...ended.map(({ revokedAt }) => revokedAt!), ...recus.map(({ recordedAt }) => recordedAt)].some((at) => recent(at, now)) && success('C’est enregistré', mandat.endedHow === 'deces' ? 'Plus personne n’agit en son nom.' : PREVENUE)}
    <p><strong>${nomCourant(usager)}</strong> : votre structure n’a plus le droit de faire ses démarches ${deMots(ended.map(({ thematique }) => thematique))}.</p>
    <ul>${together(ended, recus).map((same) => html`<li>${endedLine(same, recus, fuseau)}</li>`)}</ul>
    ${
      flagged.length > 0 &&
      html`<h2>Faites depuis l’arrivée de sa demande</h2>
    <p>${pluriel(flagged.length, 'démarche')} : la personne ${flagged.length > 1 ? 'les voit signalées' : 'la voit signalée'} dans son espace, et les référents ici.</p>
    <ul>${flagged.map((one) => html`<li>${acteLine(one)}</li>`)}</ul>`
    }
    ${
      lit &&
      html`<h2>Les demandes déjà envoyées</h2>
    ${
      sent.length > 0
        ? html`<p>Elles ne sont pas annulées.${mandat.endedHow !== 'deces' && ' Dites à la personne ce qu’elle doit suivre elle-même.'}</p><ul>${sent.map((one) => html`<li>${acteLine(one)}</li>`)}</ul>`
        : html`<p>Aucune demande ${deMots(ended.map(({ thematique }) => thematique))} n’attend de réponse.</p>`
    }
    ${suivant !== undefined && html`<p>Seules les ${demarches.length} dernières démarches sont lues ici. Les plus anciennes sont sur <a href="/mandats/${mandat.id}">la page du mandat</a>.</p>`}
    <h2>Rendre compte</h2>
    <p>${COMPTE[mandat.endedHow === 'deces' || mandat.endedHow === 'protection' ? mandat.endedHow : 'vivante']}</p>
    ${
      imprime
        ? form({ action: `/mandats/${mandat.id}/papiers/releve` }, button('Imprimer le relevé', { kind: 'secondary' }))
        : html`<p>L’aidant qui a signé le mandat peut toujours l’imprimer, sur <a href="/mandats/${mandat.id}">la page du mandat</a>.</p>`
    }`
    }
    <h2>Ce qui est à faire maintenant</h2>
    <ul>${RESTE[mandat.endedHow === 'deces' || mandat.endedHow === 'protection' ? mandat.endedHow : 'vivante'].map((one) => html`<li>${one}</li>`)}
      <li><a href="/mandats/${mandat.id}/demarches/nouvelle">Noter les démarches</a> faites avant la fin et pas encore écrites.</li></ul>
    <p><a href="/personnes/${mandat.usagerId}">Revenir à la personne</a></p>`,
  )
}

/** Art. 1993 C. civ. */
const COMPTE = {
  vivante: 'Le relevé dit ce qui a été fait avec ce mandat. Remettez-le à la personne.',
  deces: 'Le relevé dit ce qui a été fait avec ce mandat. Il se remet à ses héritiers ou à leur notaire, s’ils le demandent.',
  protection: 'Le relevé dit ce qui a été fait avec ce mandat. Remettez-le à qui est chargé de ses affaires.',
} as const

const RESTE = {
  vivante: [
    'Rendre à la personne ses papiers, et lui dire ce qui a été fait (article 1993 du code civil).',
    'Détruire les copies et les identifiants gardés, et lui conseiller de changer ses mots de passe.',
  ],
  deces: [
    'Ne plus rien faire en son nom, sauf finir ce qui ne peut pas attendre sans danger (article 1991 du code civil).',
    'Rendre ses papiers à ses héritiers ou à leur notaire.',
  ],
  protection: [
    'Parler à la personne chargée de ses affaires : elle peut demander ce qui a été fait.',
    'Rendre les papiers, détruire les copies et les identifiants gardés.',
  ],
} as const

/** Thématiques that ended together, by the same request, are said together. */
const together = (ended: readonly Autorisation[], recus: readonly ArretRecu[]): Autorisation[][] => {
  const groups = new Map<string, Autorisation[]>()
  for (const one of ended) {
    const recu = recus.find(({ thematique }) => thematique === one.thematique)
    const same = `${one.revokedHow} ${one.revokedAt?.getTime()} ${recu?.maniere} ${recu?.recuLe.getTime()}`
    groups.set(same, [...(groups.get(same) ?? []), one])
  }
  return [...groups.values()]
}

const endedLine = (same: readonly Autorisation[], recus: readonly ArretRecu[], fuseau: string): Html => {
  const { thematique, revokedAt, revokedHow } = same[0]!
  const recu = recus.find((one) => one.thematique === thematique)
  return html`${majuscule(enMots(same.map((one) => one.thematique)))} : arrêté ${revokedHow && FIN[revokedHow]}, le ${revokedAt && temps(revokedAt, jourEtHeure(revokedAt, fuseau))}${recu && html`. Demande reçue ${MANIERE[recu.maniere]}, le ${temps(recu.recuLe, jourEtHeure(recu.recuLe, fuseau))}`}.`
}

const acteLine = ({ genre, titre, doneAt, fuseau, resultat, aidantPrenom, aidantNom }: DemarcheRow): Html =>
  html`<strong>${titre ?? 'Démarche'}</strong>${genre === 'hors_mandat' && ` (${KIND[genre].toLowerCase()})`}, ${RESULTAT[resultat].toLowerCase()}, le ${temps(doneAt, jourEtHeure(doneAt, fuseau))}, par ${aidantPrenom} ${aidantNom}`

export const nonRenouvelablePage = ({ frame, mandatId, refusal }: { frame: Frame; mandatId: string; refusal: Refusal }) =>
  page(
    { ...frame, above: back('Revenir au mandat', `/mandats/${mandatId}`) },
    'Renouveler le mandat',
    html`${alert('Ce mandat ne se renouvelle pas', REFUSAL[refusal], 'info')}
    ${buttonLink('Nouveau mandat', '/mandats/expliquer', { kind: 'secondary' })}`,
  )
