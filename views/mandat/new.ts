import type { ActingRow, Brouillon } from '../../src/mandat/brouillon-queries.ts'
import {
  type Duree,
  expiresAt,
  identiteTenue,
  JOURS,
  type PersonneRefusal,
  THEMATIQUES,
  type Thematique,
} from '../../src/mandat/mandat.ts'
import { alert } from '../kit/alert.ts'
import { step } from '../kit/card.ts'
import { button, buttonLink, type Errors, errorSummary, form, radios, tiles, type Values } from '../kit/form.ts'
import { html } from '../kit/html.ts'
import { type Frame, page } from '../kit/page.ts'
import { AVERTISSEMENT_ARGENT_AIDANT, auSoir, DUREE, enMots, ilYA, nomCourant, THEMATIQUE } from '../kit/words.ts'
import { REFUSAL, type Refusal } from './refusals.ts'
import { RENDRE } from './rendre.ts'

export const ETAPES = ['Expliquer', 'Choisir', 'S’identifier', 'Dire oui ou non', 'Accepter'] as const

type Props = {
  frame: Frame
  acting: ActingRow
  brouillon?: Brouillon | undefined
  brouillons?: readonly Brouillon[]
  /** What a renewal proposes: never more thématiques nor days than these, and the question of protection is asked anew. */
  renouvelle?: { perimetre: readonly Thematique[]; nonRepris: readonly Thematique[]; duree: Duree } | undefined
  now: Date
  values?: Values
  errors?: Errors
  refusal?: Refusal | undefined
}

export const newMandatPage = ({
  frame,
  acting,
  brouillon,
  brouillons = [],
  renouvelle,
  now,
  values,
  errors = {},
  refusal,
}: Props) => {
  const chosen: Values = renouvelle ? { thematiques: renouvelle.perimetre.slice(), duree: renouvelle.duree } : {}
  const typed: Values =
    values ?? (brouillon ? { thematiques: brouillon.perimetre, duree: brouillon.duree, protegee: 'non' } : chosen)
  // The draft of a renewal can only narrow too.
  const borne = renouvelle ?? (brouillon?.usagerId ? brouillon : undefined)
  const durees = DUREES_PROPOSEES.filter((value) => !borne || JOURS[value] <= JOURS[borne.duree])
  const offered = borne?.perimetre ?? THEMATIQUES.filter((thematique) => !acting.desactivees.includes(thematique))
  return page(
    { ...frame, above: step(2, ETAPES), invalid: Object.keys(errors).length > 0 },
    brouillon ? 'Changer les choix' : renouvelle ? 'Renouveler le mandat' : 'Nouveau mandat',
    html`${errorSummary(errors)}
    ${refusal && alert('Choix non enregistrés', REFUSAL[refusal])}
    ${renouvelle && html`<p>Les choix du mandat d’avant sont repris : relisez-les avec la personne. Rien n’est renouvelé tant qu’elle ne s’est pas identifiée et n’a pas redit oui.</p>`}
    ${renouvelle && renouvelle.nonRepris.length > 0 && alert(`Pas repris : ${enMots(renouvelle.nonRepris)}`, 'Votre structure ne propose plus ces démarches. Dites-le à la personne : une autre structure peut l’aider pour elles.', 'info')}
    ${
      brouillons.length > 0 &&
      alert(
        'Mandats en préparation',
        html`<ul>${brouillons.map((b) => {
          const name = `${b.identite && b.authTime && identiteTenue(b.authTime, now) ? nomCourant(b.identite) : 'Reprendre'} : ${enMots(b.granted ?? b.perimetre)}`
          return html`<li><a href="/mandats/brouillons/${b.id}/${b.accordAt ? 'acceptation' : b.identite ? 'accord' : 'identification'}">${name}</a>, commencé ${ilYA(b.createdAt, now, acting.fuseau)}
          ${form({ action: `/mandats/brouillons/${b.id}/effacer` }, button(html`Effacer<span class="sr"> ${name}</span>`, { kind: 'link' }))}</li>`
        })}</ul>`,
        'info',
      )
    }
    ${form(
      {},
      html`${radios({
        name: 'protegee',
        legend: 'Quelqu’un est-il officiellement chargé des affaires de la personne, ou a-t-elle moins de 18 ans ?',
        hint: 'Tutelle, curatelle, habilitation familiale, mandat de protection future, sauvegarde de justice. Si c’est oui, rien n’est gardé.',
        options: { non: 'Non', oui: 'Oui' },
        value: typed.protegee,
        error: errors.protegee,
        inline: true,
      })}
      ${tiles({
        name: 'thematiques',
        legend: 'Pour quelles démarches ?',
        hint: `Seulement ce qui est utile maintenant. ${borne ? REFUSAL.renouvellement_elargi : 'On peut en ajouter plus tard, avec elle.'}`,
        multiple: true,
        options: offered.map((value) => ({
          value,
          label: THEMATIQUE[value].titre,
          hint: THEMATIQUE[value].exemples,
          icon: value,
          warning: value === 'argent' ? AVERTISSEMENT_ARGENT_AIDANT : undefined,
        })),
        value: typed.thematiques,
        error: errors.thematiques,
      })}
      ${radios({
        name: 'duree',
        legend: 'Jusqu’à quand ?',
        hint: `Le plus court qui suffit.${durees.length < DUREES_PROPOSEES.length ? ` ${REFUSAL.renouvellement_plus_long}` : ''}`,
        options: durees.map((value) => ({ value, label: jusquA(value, now, acting.fuseau) })),
        value: typed.duree,
        error: errors.duree,
      })}
      ${button('Continuer', { icon: 'apres' })}`,
    )}`,
  )
}

/** A month first: proposed, never ticked. */
const DUREES_PROPOSEES = ['mois', 'jour', 'trimestre', 'semestre', 'an'] as const
/** Each answers « Jusqu’à quand ? ». */
const jusquA = (duree: Duree, now: Date, fuseau: string) =>
  `${duree === 'jour' ? 'Une journée' : DUREE[duree]} : jusqu’${duree === 'jour' ? 'à demain, le' : 'au'} ${auSoir(expiresAt(now, duree, fuseau), fuseau)}`

/** Why no mandat is possible, said once; nothing is kept, so there is nothing to take up again. */
export const impossiblePage = ({ frame, refusal }: { frame: Frame; refusal: Impossible }) =>
  page(
    { ...frame, bare: true },
    'Pas de mandat possible ici',
    html`<p>${POURQUOI[refusal]}</p>
    <p><strong>Rien n’a été gardé.</strong></p>
    <h2>À qui parler</h2>
    <ul>
      ${A_QUI[refusal].map((one) => html`<li>${one}</li>`)}
      <li>Pour expliquer un courrier ou donner une information, aucun mandat n’est nécessaire.</li>
    </ul>
    ${buttonLink('Rendre l’écran à l’aidant', RENDRE)}`,
  )

/** Said before anything is prepared. */
export const protegeePage = ({ frame }: { frame: Frame }) => impossiblePage({ frame, refusal: 'protegee' })

type Impossible = PersonneRefusal | 'deces_note'
export const isImpossible = (refusal: Refusal): refusal is Impossible => refusal in POURQUOI

const POURQUOI = {
  protegee:
    'Quand quelqu’un est officiellement chargé des affaires d’une personne, c’est lui, ou le juge, qui peut donner ce pouvoir. C’est pour la protéger. Il en est de même pour une personne de moins de 18 ans, avec ses parents.',
  mineure:
    'La personne a moins de 18 ans : aucun mandat n’est possible. Ce sont ses parents, ou son tuteur, qui font ses démarches.',
  majorite_incertaine:
    'FranceConnect ne donne pas sa date de naissance complète : nous ne pouvons pas savoir si la personne a 18 ans. Aucun mandat n’est possible ici.',
  aidant_lui_meme: 'La personne identifiée, c’est vous : on ne se donne pas mandat à soi-même.',
  deces_note: 'Votre structure a enregistré le décès de cette personne : elle ne reçoit plus de mandat en son nom.',
} as const satisfies Record<Impossible, string>

const A_QUI = {
  protegee: [
    'La personne chargée de ses affaires : tuteur, curateur, personne habilitée, parents.',
    'Le service des majeurs protégés du tribunal judiciaire.',
  ],
  mineure: ['Ses parents, ou son tuteur.', 'Le juge des enfants ou l’aide sociale à l’enfance, s’ils la suivent déjà.'],
  majorite_incertaine: ['La mairie ou la préfecture, qui peut l’aider à faire compléter son état civil.'],
  aidant_lui_meme: ['Un autre aidant de la structure, qui peut recevoir votre mandat si votre nom est celui d’un homonyme.'],
  deces_note: [
    'Votre référent, si la personne est bien devant vous : ce décès a été enregistré par erreur.',
    'Une autre structure peut l’aider sans attendre.',
  ],
} as const satisfies Record<Impossible, readonly string[]>
