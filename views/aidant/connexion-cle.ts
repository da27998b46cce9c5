import { alert } from '../kit/alert.ts'
import { html } from '../kit/html.ts'
import { type Frame, page } from '../kit/page.ts'
import { demanderCle } from './cle.ts'

type Props = { frame: Frame; options: string; refusal?: 'cle_refusee' | undefined }

const REFUSAL = {
  cle_refusee:
    'Cette clé d’accès n’ouvre aucune session ici : elle a été retirée, votre accès est suspendu, ou trop de temps a passé. Essayez encore, ou connectez-vous avec votre adresse e-mail.',
} as const

/** Signs in with a passkey: she does not say who she is, the passkey does. */
export const connexionClePage = ({ frame, options, refusal }: Props) =>
  page(
    { ...frame, script: 'cle.js' },
    'Connexion avec une clé d’accès',
    html`${refusal && alert('Vous n’êtes pas connecté', REFUSAL[refusal])}
    <p>Votre navigateur va vous demander de vous faire reconnaître, comme pour déverrouiller votre appareil.</p>
    ${demanderCle(options, 'Utiliser ma clé d’accès')}
    <h2>Sans clé d’accès</h2>
    <p><a href="/connexion">Me connecter avec mon adresse e-mail</a></p>`,
  )
