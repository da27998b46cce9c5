import { THEMATIQUES } from '../../src/mandat/mandat.ts'
import type { setThematiques } from '../../src/mandat/set-thematiques.ts'
import { alert, success } from '../kit/alert.ts'
import { button, checkboxes, type Errors, errorSummary, form } from '../kit/form.ts'
import { html } from '../kit/html.ts'
import { type Frame, page } from '../kit/page.ts'
import { THEMATIQUE } from '../kit/words.ts'

type Props = {
  frame: Frame
  offertes: readonly string[]
  faites?: boolean
  errors?: Errors
  refusal?: Refusal | undefined
}
type Refusal = Extract<Awaited<ReturnType<typeof setThematiques>>, { ok: false }>['refusal']

const REFUSAL = {
  aucune_thematique_offerte: 'Gardez au moins une thématique : une structure en propose au moins une.',
} as const satisfies Record<Refusal, string>

/** What the structure offers to do for persons: the référent's to say. */
export const thematiquesPage = ({ frame, offertes, faites = false, errors = {}, refusal }: Props) =>
  page(
    { ...frame, invalid: Object.keys(errors).length > 0 },
    'Thématiques proposées',
    html`${errorSummary(errors)}
    ${refusal && alert('Choix non enregistrés', REFUSAL[refusal])}
    ${
      faites
        ? success('C’est noté', 'Les prochains mandats suivent ces choix. Les mandats déjà signés ne changent pas.')
        : alert(
            'Ce que cela change',
            'Une thématique décochée n’est plus proposée dans les nouveaux mandats. Les mandats déjà signés restent en cours.',
            'info',
          )
    }
    ${form(
      {},
      html`${checkboxes({
        name: 'thematiques',
        legend: 'Que propose votre structure ?',
        options: THEMATIQUES.map((value) => ({
          value,
          label: THEMATIQUE[value].titre,
          hint: THEMATIQUE[value].exemples,
        })),
        value: offertes,
        error: errors.thematiques,
      })}
      ${button('Enregistrer')}`,
    )}`,
  )
