import { buttonLink } from '../kit/form.ts'
import { html } from '../kit/html.ts'
import { page } from '../kit/page.ts'

/** The same words for what does not exist and for what is not yours. */
export const notFoundPage = ({ demo }: { demo?: boolean | undefined } = {}): string =>
  page(
    { space: 'public', demo },
    'Cette page n’existe pas',
    html`
<p class="sentence">L’adresse est peut-être mal recopiée, ou cette page n’est plus là.</p>
<p>Si vous êtes aidant, vérifiez aussi que vous agissez pour la bonne structure.</p>
${buttonLink('Revenir à l’accueil', '/', { kind: 'secondary' })}`,
  )
