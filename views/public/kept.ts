import { alert } from '../kit/alert.ts'
import { button, buttonLink, form, hidden } from '../kit/form.ts'
import { attributes, type Html, html } from '../kit/html.ts'
import { page } from '../kit/page.ts'

/** A form that could not be received, to be sent again as it was. */
export type Kept = {
  /** Where it was sent. */
  address: string
  fields: readonly (readonly [name: string, value: string])[]
  /** Says who began it (see src/http/kept-form.ts). */
  begunIn: string
}

/** Why it waits: the session closed (`inactive`: nothing was done for 30 minutes), a step comes first, or it is not hers to send. */
export type Wait = 'inactive' | 'fermee' | 'etape' | 'autre' | 'ancien'

type Props = {
  wait: Wait
  kept: Kept
  /** Where what must be done first is done. */
  first: string
  demo?: boolean | undefined
}

/** The field that says who began the form. */
export const BEGUN_IN = '_envoi_de'

const PERDU = 'Rien de ce que vous avez écrit n’est perdu.'
const RECONNEXION = 'Me connecter dans un nouvel onglet'

const WAIT = {
  inactive: {
    title: 'Votre session s’est fermée',
    text: `Votre session s’est fermée après 30 minutes sans activité. ${PERDU}`,
    step: 'Connectez-vous de nouveau, dans un nouvel onglet. Puis revenez ici.',
    link: RECONNEXION,
  },
  fermee: {
    title: 'Votre session s’est fermée',
    text: `Votre session s’est fermée. ${PERDU}`,
    step: 'Connectez-vous de nouveau, dans un nouvel onglet. Puis revenez ici.',
    link: RECONNEXION,
  },
  etape: {
    title: 'Il reste une étape avant d’envoyer',
    text: `Le service vous demande d’abord autre chose, comme de choisir votre structure. ${PERDU}`,
    step: 'Répondez à ce qui est demandé, dans un nouvel onglet. Puis revenez ici.',
    link: 'Continuer dans un nouvel onglet',
  },
  autre: {
    title: 'Ce formulaire n’est pas à votre nom',
    text: 'Quelqu’un d’autre l’a commencé, ou vous l’avez commencé pour une autre structure. Rien de ce qui a été écrit n’est perdu.',
    step: 'C’était vous, pour une autre structure ? Ouvrez le service dans un nouvel onglet et changez de structure. Sinon, déconnectez-vous là-bas : la personne qui a commencé ce formulaire s’y connecte, dans la même structure, puis revient ici.',
    link: 'Ouvrir le service dans un nouvel onglet',
  },
  ancien: {
    title: 'Ce formulaire a trop attendu',
    text: 'Il a été commencé il y a plus d’un jour, et le service ne sait plus par qui. Rien n’a été enregistré : ouvrez de nouveau le formulaire et remplissez-le.',
    step: '',
    link: '',
  },
} as const satisfies Record<Wait, { title: string; text: string; step: string; link: string }>

/** The button, with all that was typed: it exists in this page and nowhere else. */
export const sendAgain = ({ address, fields, begunIn }: Kept): Html => {
  const times = new Map<string, number>()
  for (const [name] of fields) times.set(name, (times.get(name) ?? 0) + 1)
  return form(
    { action: address },
    html`${hidden(BEGUN_IN, begunIn)}${fields.map(([name, value]) => (times.get(name) === 1 ? hidden(name, value) : ticked(name, value)))}${button('Envoyer à nouveau')}`,
  )
}

/** One of several answers to the same question: boxes are what may share a name. */
const ticked = (name: string, value: string): Html =>
  html`<input${attributes({ type: 'checkbox', name, value, checked: true, hidden: true, 'aria-hidden': 'true' })}>`

/** What to do first, in a new tab so that this page stays, then the button. */
export const keptPage = ({ wait, kept, first, demo }: Props): string => {
  const { title, text, step, link } = WAIT[wait]
  if (wait === 'ancien')
    return page(
      { space: 'public', demo },
      title,
      html`<p class="sentence">${text}</p>${buttonLink('Revenir à l’accueil', '/', { kind: 'secondary' })}`,
    )
  return page(
    { space: 'public', demo },
    title,
    html`${wait === 'autre' ? alert('Rien n’a été enregistré', text, 'warning') : html`<p class="sentence">${text}</p>`}
<h2>1. D’abord, dans un nouvel onglet</h2>
<p>${step}</p>
<p><a class="button secondary" href="${first}" target="_blank" rel="noopener">${link}</a></p>
<h2>2. Ensuite, ici</h2>
<p>Appuyez sur ce bouton : tout ce que vous aviez écrit part comme vous l’aviez écrit.</p>
${sendAgain(kept)}
<p>Ce que vous avez écrit n’est gardé que dans cette page. Ne la fermez pas avant de l’avoir envoyé, et envoyez-le aujourd’hui. Si vous n’en avez plus besoin, fermez-la.</p>`,
  )
}
