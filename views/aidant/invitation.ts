import type { InvitationRow } from '../../src/aidant/equipe-queries.ts'
import { back } from '../kit/card.ts'
import { button, buttons, type Errors, errorSummary, form } from '../kit/form.ts'
import { html } from '../kit/html.ts'
import { type Frame, page } from '../kit/page.ts'
import { facts } from '../kit/table.ts'
import { jourEtHeure, temps } from '../kit/words.ts'
import { validite } from './equipe.ts'

type Props = { frame: Frame; invitation: InvitationRow; fuseau: string; errors?: Errors }

/** An invitation that nobody has taken up yet. */
export const invitationPage = ({ frame, invitation, fuseau, errors = {} }: Props) => {
  const { prenom, nom, email, sentAt } = invitation
  return page(
    {
      ...frame,
      heading: `Invitation de ${prenom} ${nom}`,
      above: back('L’équipe', '/structure/aidants'),
      invalid: Object.keys(errors).length > 0,
    },
    'Une invitation',
    html`${errorSummary(errors, { geste: 'contenu' })}
    ${facts([
      { term: 'E-mail', value: email },
      { term: 'Envoyée', value: temps(sentAt, `le ${jourEtHeure(sentAt, fuseau)}`) },
      { term: 'État', value: validite(invitation, fuseau) },
    ])}
    <p>Renvoyée, elle repart avec un nouveau lien ; l’ancien ne mène plus nulle part. Annulée, elle n’existe plus.</p>
    ${form(
      {},
      buttons([
        button('Renvoyer l’invitation', { name: 'geste', value: 'renvoyer' }),
        button('Annuler l’invitation', { name: 'geste', value: 'annuler', kind: 'secondary' }),
      ]),
    )}`,
  )
}
