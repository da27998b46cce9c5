import { INVITATION_JOURS, joursInactif } from '../../src/aidant/equipe.ts'
import type { InvitationRow, Membre } from '../../src/aidant/equipe-queries.ts'
import { success } from '../kit/alert.ts'
import { buttonLink, buttons } from '../kit/form.ts'
import { html } from '../kit/html.ts'
import { type Frame, page } from '../kit/page.ts'
import { table } from '../kit/table.ts'
import { jour, pluriel, temps } from '../kit/words.ts'

type Props = {
  frame: Frame
  membres: readonly Membre[]
  invitations: readonly InvitationRow[]
  fuseau: string
  now: Date
  /** What has just been done. */
  fait: string
}

const JOUR = 86_400_000

const FAIT = new Map([
  ['invitation', 'L’invitation est partie'],
  ['renvoyer', 'L’invitation est repartie'],
  ['annuler', 'L’invitation est annulée'],
])

/** Who acts, or has acted, for the structure, and who is invited to. */
export const equipePage = ({ frame, membres, invitations, fuseau, now, fait }: Props) => {
  const actifs = membres.filter(({ endedAt, suspendedAt }) => !endedAt && !suspendedAt)
  const done = FAIT.get(fait)
  return page(
    { ...frame, width: 'wide' },
    'L’équipe',
    html`${done && success(done)}
    <p>${pluriel(actifs.length, 'personne peut', 'personnes peuvent', 'Personne ne peut')} agir pour votre structure. Un accès qui ne sert pas est suspendu au bout de six mois.</p>
    ${buttons([buttonLink('Inviter quelqu’un', '/structure/inviter')])}
    ${
      invitations.length > 0 &&
      table({
        caption: 'Invitations envoyées',
        columns: [
          { head: 'Qui', cell: ({ id, prenom, nom }) => html`<a href="/structure/invitations/${id}">${prenom} ${nom}</a>` },
          { head: 'E-mail', cell: ({ email }) => email },
          { head: 'Envoyée', cell: ({ sentAt }) => temps(sentAt, `Le ${jour(sentAt, fuseau)}`) },
          { head: 'État', cell: (invitation) => validite(invitation, fuseau) },
        ],
        rows: invitations,
        empty: '',
      })
    }
    ${table({
      caption: 'Membres de l’équipe',
      columns: [
        { head: 'Qui', cell: ({ id, prenom, nom }) => html`<a href="/structure/aidants/${id}">${prenom} ${nom}</a>` },
        { head: 'E-mail', cell: ({ email }) => email },
        { head: 'Rôle', cell: ({ referent }) => role(referent) },
        { head: 'Accès', cell: (membre) => acces(membre, fuseau) },
        { head: 'Dernière activité', cell: (membre) => activite(membre, now, fuseau) },
      ],
      rows: membres,
      empty: 'Personne.',
    })}`,
  )
}

export const role = (referent: boolean): string => (referent ? 'Référent' : 'Aidant')

/** Until when a link serves. */
export const validite = ({ sentAt, ouverte }: InvitationRow, fuseau: string): string =>
  ouverte
    ? `Valable jusqu’au ${jour(new Date(sentAt.getTime() + INVITATION_JOURS * JOUR), fuseau)}`
    : 'N’est plus valable : à renvoyer'

export const acces = ({ endedAt, suspendedAt, sansFacteur }: Membre, fuseau: string): string => {
  const since = endedAt ?? suspendedAt
  return since ? `Suspendu depuis le ${jour(since, fuseau)}` : sansFacteur ? 'Actif, second facteur à associer' : 'Actif'
}

/** Her last sign in this structure, and since when she gives none. */
export const activite = (membre: Membre, now: Date, fuseau: string) => {
  const { activeAt } = membre
  const days = joursInactif(membre, now)
  return html`${activeAt ? temps(activeAt, `Le ${jour(activeAt, fuseau)}`) : 'Aucune'}${days && html` <strong>(rien depuis ${pluriel(days, 'jour')})</strong>`}`
}
