import { attendre } from '../kit/attente.ts'
import { buttonLink } from '../kit/form.ts'
import { html } from '../kit/html.ts'
import { page } from '../kit/page.ts'
import { type Kept, sendAgain } from './kept.ts'

type Props = {
  status: number
  /** The request's number, to give when asking for help. */
  reference: string
  demo?: boolean | undefined
  /** Seconds to wait, when they are known. */
  retryAfter?: number | undefined
  /** What was typed, to send again later. */
  kept?: Kept | undefined
}

const ORDINARY = {
  title: 'Quelque chose n’a pas marché chez nous',
  text: 'Vous n’avez rien fait de mal. Attendez une minute, puis essayez de nouveau. Ce qui a été enregistré avant reste enregistré.',
}

const BY_STATUS: Readonly<Record<number, { title: string; text: string }>> = {
  400: { title: 'Cette demande n’est pas comprise', text: 'Revenez à la page d’avant et recommencez. Rien n’a été enregistré.' },
  403: {
    title: 'Cette action n’est pas possible d’ici',
    text: 'La demande ne vient pas d’une page de ce service, ou vous n’avez pas ce droit. Revenez à l’accueil et recommencez. Rien n’a été enregistré.',
  },
  405: { title: 'Cette action n’est pas possible d’ici', text: 'Revenez à l’accueil et recommencez. Rien n’a été enregistré.' },
  408: {
    title: 'La réponse a mis trop de temps à arriver',
    text: 'La connexion est peut-être lente. Revenez à la page d’avant et recommencez.',
  },
  413: {
    title: 'C’est trop long',
    text: 'Ce qui a été envoyé est trop long pour être gardé. Revenez à la page d’avant et écrivez moins. Rien n’a été enregistré.',
  },
  414: { title: 'Cette adresse est trop longue', text: 'Revenez à l’accueil et recommencez. Rien n’a été enregistré.' },
  415: { title: 'Cette demande n’est pas comprise', text: 'Revenez à la page d’avant et recommencez. Rien n’a été enregistré.' },
  429: {
    title: 'Trop d’essais en peu de temps',
    text: 'C’est une protection. Attendez {attente}, puis essayez de nouveau. Rien n’a été enregistré.',
  },
  503: {
    title: 'Le service est très occupé',
    text: 'Attendez une minute. Si vous étiez en train d’enregistrer, vérifiez d’abord si c’est fait, puis recommencez s’il le faut.',
  },
}

const LATER: typeof BY_STATUS = {
  429: {
    title: 'Trop d’essais en peu de temps',
    text: 'C’est une protection. Rien de ce que vous avez écrit n’est perdu : attendez {attente}, puis appuyez sur « Envoyer à nouveau ».',
  },
  503: {
    title: 'Le service est très occupé',
    text: 'Rien de ce que vous avez écrit n’est perdu : attendez une minute, puis appuyez sur « Envoyer à nouveau ».',
  },
}

/** A calm page for what could not be done; the reference leads to the log line, which says nothing of the person. */
export const errorPage = ({ status, reference, demo, retryAfter, kept }: Props): string => {
  const { title, text } = (kept && LATER[status]) ?? BY_STATUS[status] ?? ORDINARY
  return page(
    { space: 'public', demo },
    title,
    html`
<p class="sentence">${text.replace('{attente}', attendre(retryAfter))}</p>
${kept && sendAgain(kept)}
<p>Si cela recommence, demandez de l’aide en donnant cette référence : <code class="reference">${reference}</code></p>
${buttonLink('Revenir à l’accueil', '/', { kind: 'secondary' })}`,
  )
}
