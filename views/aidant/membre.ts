import { type Geste, type GesteRefusal, gestesDe } from '../../src/aidant/equipe.ts'
import type { Membre } from '../../src/aidant/equipe-queries.ts'
import { alert, success } from '../kit/alert.ts'
import { back } from '../kit/card.ts'
import { button, buttonLink, type Errors, errorSummary, form, hidden } from '../kit/form.ts'
import { html } from '../kit/html.ts'
import { type Frame, page } from '../kit/page.ts'
import { facts } from '../kit/table.ts'
import { acces, activite, role } from './equipe.ts'

type Props = {
  frame: Frame
  membre: Membre
  now: Date
  fuseau: string
  /** It is the référent herself. */
  soi: boolean
  /** What has just been done. */
  fait?: string
  errors?: Errors
  refusal?: GesteRefusal | undefined
}

const GESTE = {
  designer: {
    bouton: 'Nommer référent',
    effet: 'Cette personne lira le journal de la structure, ouvrira des dossiers avec une raison, et gérera l’équipe comme vous.',
  },
  retirer: { bouton: 'Ne plus être référent', effet: 'La personne reste aidante, sans diriger la structure.' },
  suspendre: {
    bouton: 'Suspendre l’accès',
    effet:
      'Tout s’arrête aussitôt dans cette structure : ses sessions, ses mandats en préparation. Les mandats signés continuent avec les autres aidants.',
  },
  retablir: { bouton: 'Rétablir l’accès', effet: 'La personne pourra à nouveau agir pour la structure, comme aidante.' },
} as const satisfies Record<Geste, { bouton: string; effet: string }>

/** The same, of her own access. */
const EFFET_SUR_SOI: Partial<Record<Geste, string>> = {
  retirer: 'Vous pourrez toujours aider, sans diriger la structure.',
  suspendre:
    'Tout s’arrête aussitôt dans cette structure : vos sessions, vos mandats en préparation. Les mandats signés continuent avec les autres aidants.',
}

const FAIT = new Map([
  ['designer', 'C’est fait : cette personne dirige la structure avec vous'],
  ['retirer', 'C’est fait : cette personne ne dirige plus la structure'],
  ['suspendre', 'L’accès est suspendu'],
  ['retablir', 'L’accès est rétabli'],
  ['facteur', 'Le second facteur est réinitialisé, et le lien est parti'],
])

const REFUSAL = {
  deja_fait: 'C’était déjà fait, ou ce n’est plus possible : voici où en est cet accès.',
  dernier_referent: 'Une structure garde au moins un référent. Nommez-en d’abord un autre.',
} as const satisfies Record<GesteRefusal, string>

const effet = (geste: Geste, soi: boolean) =>
  html`${soi && geste !== 'retablir' && html`<strong>C’est votre propre accès.</strong> `}${(soi && EFFET_SUR_SOI[geste]) || GESTE[geste].effet}`

type GesteProps = { frame: Frame; membre: Membre; geste: Geste; soi: boolean }

/** Asked once more, with what follows: nothing has changed yet. */
export const gestePage = ({ frame, membre: { id, prenom, nom }, geste, soi }: GesteProps) =>
  page(
    {
      ...frame,
      heading: `${GESTE[geste].bouton} : ${prenom} ${nom} ?`,
      above: back('Ne rien changer', `/structure/aidants/${id}`),
    },
    GESTE[geste].bouton,
    html`<p>${effet(geste, soi)}</p>
    <p>Le journal de la structure le garde.</p>
    ${form(
      { action: `/structure/aidants/${id}` },
      html`${hidden('geste', geste)}${button(GESTE[geste].bouton, { kind: geste === 'suspendre' ? 'danger' : 'primary' })}`,
    )}`,
  )

/** One person of the team, and what her référent may do. */
export const membrePage = ({ frame, membre, now, fuseau, soi, fait = '', errors = {}, refusal }: Props) => {
  const { id, prenom, nom, email, referent, endedAt, suspendedAt } = membre
  const done = FAIT.get(fait)
  return page(
    {
      ...frame,
      heading: `${prenom} ${nom}`,
      above: back('L’équipe', '/structure/aidants'),
      invalid: Object.keys(errors).length > 0,
    },
    'Un membre de l’équipe',
    html`${errorSummary(errors, { geste: 'contenu' })}
    ${refusal && alert('Rien n’a changé', REFUSAL[refusal])}
    ${done && success(done)}
    ${facts([
      { term: 'E-mail', value: email },
      { term: 'Rôle', value: role(referent) },
      { term: 'Accès', value: acces(membre, fuseau) },
      { term: 'Dernière activité dans votre structure', value: activite(membre, now, fuseau) },
    ])}
    <p><a href="/structure/journal?aidant=${id}">Ses lignes au journal de la structure</a></p>
    ${
      suspendedAt && !endedAt
        ? html`<p>Cet accès est suspendu par l’exploitant du service : lui seul peut le rétablir.</p>`
        : gestesDe(membre).map(
            (geste) =>
              html`<h2>${GESTE[geste].bouton}</h2><p>${effet(geste, soi)}</p>${buttonLink(GESTE[geste].bouton, `/structure/aidants/${id}?geste=${geste}`, { kind: 'secondary' })}`,
          )
    }
    ${
      !soi &&
      !endedAt &&
      html`<h2>Second facteur</h2><p>Téléphone perdu ou changé ?</p>${buttonLink('Réinitialiser son second facteur', `/structure/aidants/${id}/facteur`, { kind: 'secondary' })}`
    }`,
  )
}
