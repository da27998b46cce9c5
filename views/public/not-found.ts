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

/** Of a mandat in preparation: signed or erased since, unknown, or a colleague's, it is the same page. */
export const plusEnPreparationPage = ({ demo }: { demo?: boolean | undefined } = {}): string =>
  page(
    { space: 'public', demo },
    'Ce mandat n’est plus en préparation',
    html`
<p class="sentence">Il a été arrêté ou effacé, ou son adresse est mal recopiée. Il n’en reste rien ici.</p>
<p>Vous pouvez en préparer un autre, ou revenir à la liste des personnes.</p>
${buttonLink('Retour aux personnes', '/personnes')}
${buttonLink('Nouveau mandat', '/mandats/expliquer', { kind: 'secondary' })}`,
  )
