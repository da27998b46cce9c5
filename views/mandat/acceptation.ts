import type { ActingRow, Brouillon } from '../../src/mandat/brouillon-queries.ts'
import { alert } from '../kit/alert.ts'
import { step } from '../kit/card.ts'
import { button, type Errors, errorSummary, form, input } from '../kit/form.ts'
import { html } from '../kit/html.ts'
import { type Frame, page } from '../kit/page.ts'
import { facts } from '../kit/table.ts'
import { dateEcrite, enMots, laStructure, majuscule, nomComplet } from '../kit/words.ts'
import { ETAPES } from './new.ts'
import { REFUSAL, type Refusal } from './refusals.ts'

type Props = { frame: Frame; brouillon: Brouillon; acting: ActingRow; errors?: Errors; refusal?: Refusal | undefined }

export const acceptationPage = ({ frame, brouillon, acting, errors = {}, refusal }: Props) =>
  page(
    { ...frame, bare: true, above: step(5, ETAPES), invalid: Object.keys(errors).length > 0 },
    'Accepter pour la structure',
    html`${errorSummary(errors)}
    ${refusal && alert('Mandat non signé', html`${REFUSAL[refusal]} ${again(brouillon.id, refusal)}`)}
    <p>La personne a donné son accord. Reprenez l’écran : votre code engage ${laStructure(acting.structureNom)}.</p>
    ${facts([
      { term: 'La personne', value: brouillon.identite ? nomComplet(brouillon.identite) : undefined },
      { term: 'Thématiques', value: majuscule(enMots(brouillon.granted ?? brouillon.perimetre)) },
      { term: 'Jusqu’au', value: brouillon.dernierJour ? `${dateEcrite(brouillon.dernierJour)} au soir` : undefined },
    ])}
    ${form(
      {},
      html`${input({
        name: 'code',
        label: 'Code de votre application d’authentification',
        hint: 'Un nouveau code : celui de la connexion ne sert pas deux fois.',
        type: 'code',
        error: errors.code,
      })}
      ${button('Accepter et signer le mandat')}`,
    )}`,
  )

const again = (id: string, refusal: Refusal) =>
  refusal === 'phrase_a_relire'
    ? html`<a href="/mandats/brouillons/${id}/accord">Relire la phrase ensemble</a>`
    : refusal !== 'second_facteur_refuse' &&
      html`<a href="/mandats/brouillons/${id}/identification">Recommencer l’identification</a>`
