import { alert } from '../kit/alert.ts'
import { back } from '../kit/card.ts'
import { button, form, hidden } from '../kit/form.ts'
import { html } from '../kit/html.ts'
import { type Frame, page } from '../kit/page.ts'

type Props = {
  frame: Frame
  structures: { id: string; nom: string }[]
  /** The one she acts for now; empty when she has just signed in. */
  current?: string | undefined
  /** ProConnect said which one: no other until she signs in anew. */
  parProconnect: boolean
  refusal?: boolean
}

export const chooseStructurePage = ({ frame, structures, current, parProconnect, refusal }: Props) =>
  page(
    { ...frame, bare: true, above: current ? back('Ne pas changer', '/personnes') : undefined },
    'Pour quelle structure agissez-vous ?',
    html`${refusal && alert('Structure non choisie', 'Vous n’êtes pas habilité pour cette structure, ou elle est suspendue.')}
    ${
      structures.length === 0 &&
      alert(
        'Aucune structure ouverte',
        'Vous n’êtes plus habilité à agir pour une structure. Votre référent peut vous dire pourquoi.',
        'info',
      )
    }
    ${
      parProconnect
        ? html`<p>Vous êtes entré par ProConnect, qui dit pour quelle structure. Pour une autre, déconnectez-vous, puis choisissez-la dans ProConnect.</p>`
        : html`<p>Vous ne verrez que les personnes qui ont donné mandat à cette structure. Vous pourrez en changer à tout moment.</p>
    ${structures.map(({ id, nom }) => form({ label: nom }, html`${hidden('structure', id)}${button(html`${nom}${id === current && html` <small>(en ce moment)</small>`}`, { kind: 'secondary', large: true, icon: 'structure' })}`))}`
    }`,
  )
