import type { EnvoiGarde } from '../../src/mandat/forms.ts'
import type { ProConnectRefusal } from '../../src/mandat/receive-aidant.ts'
import type { SignRefusal } from '../../src/mandat/sign.ts'
import { alert } from '../kit/alert.ts'
import { button, buttonLink, form, hidden } from '../kit/form.ts'
import { html } from '../kit/html.ts'
import { type Frame, page } from '../kit/page.ts'
import { REFUSAL } from './refusals.ts'

/** One sentence for each reason ProConnect opens nothing. */
const REFUS = {
  annule: 'Vous n’êtes pas allé au bout dans ProConnect. Vous pouvez recommencer quand vous voulez.',
  indisponible:
    'ProConnect ne répond pas pour le moment. Rien ne vient de vous, et rien n’est perdu : réessayez dans quelques minutes.',
  reponse_incorrecte:
    'La réponse de ProConnect n’est pas exactement celle attendue : nous l’avons refusée par prudence. Recommencez.',
  retour_expire: 'Cela a pris trop de temps. Recommencez.',
  acr_insuffisant: 'ProConnect n’a pas confirmé de second facteur. Ajoutez-en un à votre compte ProConnect, puis recommencez.',
  second_facteur_absent:
    'Un mot de passe, ou un code reçu par e-mail, ne suffit pas ici : il faut une application d’authentification, une clé d’accès ou une carte. Ajoutez-en une à votre compte ProConnect, puis recommencez.',
  identification_ancienne: 'Il faut vous identifier de nouveau dans ProConnect, maintenant. Recommencez.',
  compte_inconnu:
    'Ce compte ProConnect n’ouvre rien ici. Il faut être déjà habilité pour l’établissement choisi dans ProConnect : vérifiez que c’est le bon, ou parlez-en à votre référent.',
  autre_compte: 'Ce n’est pas le compte ProConnect, ou l’établissement, avec lequel vous êtes entré. Recommencez avec le bon.',
  session_fermee: 'Votre session s’est fermée, ou n’est pas celle d’où vous êtes parti. Reconnectez-vous : rien n’a été changé.',
  retour_inconnu: 'Cette page ne mène à rien qui soit en attente. Rien n’a été changé.',
  autre_navigateur: 'Cela a été commencé dans un autre navigateur, et ne peut finir que là. Rien n’a été changé.',
  deja_utilise: 'Ce retour de ProConnect a déjà servi. Rien n’a été changé.',
  retour_tardif: 'Plus de trente minutes ont passé. Recommencez.',
} as const satisfies Record<ProConnectRefusal, string>
export const isProConnectRefusal = (word: string): word is ProConnectRefusal => Object.hasOwn(REFUS, word)

type Props = {
  frame: Frame
  refusal: ProConnectRefusal | SignRefusal
  /** What she was signing. */
  brouillonId?: string | null | undefined
  /** What she was confirming. */
  envoi?: EnvoiGarde | undefined
  connexionLocale: boolean
}

/** After ProConnect, or without it: calm, the same for all that it does not open, with the way on. */
export const refusPage = ({ frame, refusal, brouillonId, envoi, connexionLocale }: Props) => {
  // Back in another session than hers, what she was confirming is not shown; someone is signed in perhaps.
  const confirmait = envoi !== undefined || refusal === 'session_fermee'
  return page(
    frame,
    refusal === 'indisponible'
      ? 'Identification indisponible'
      : brouillonId
        ? 'Mandat non signé'
        : confirmait
          ? 'Rien n’est confirmé'
          : 'La session ne s’est pas ouverte',
    html`${alert(brouillonId ? 'Rien n’est signé' : confirmait ? 'Rien n’a changé' : 'Personne n’est connecté', isProConnectRefusal(refusal) ? REFUS[refusal] : REFUSAL[refusal], 'info')}
    ${
      brouillonId
        ? html`<p>Ce mandat en préparation vous attend.</p>
    ${buttonLink('Reprendre où vous en étiez', `/mandats/brouillons/${brouillonId}/acceptation`)}`
        : envoi
          ? html`<p>Ce que vous avez choisi ou écrit est gardé dans cette page.</p>
    ${form({ action: envoi.vers }, html`${envoi.fields.map(([name, value]) => hidden(name, value))}${button('Reprendre où vous en étiez')}`)}`
          : buttonLink(connexionLocale ? 'Revenir à la connexion' : 'Réessayer', '/connexion')
    }`,
  )
}
