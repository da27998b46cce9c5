import { alert } from './alert.ts'
import { type Html, html } from './html.ts'
import { heure, temps } from './words.ts'

/** Until when a caller who tried too often waits; `retryAfter` in seconds. */
export type Attente = { retryAfter: number; until: Date }

/** « une minute », « 12 minutes », « 3 heures »: the time itself when it is told; else the longest that a sign-in waits (see src/http/rates.ts). */
export const attendre = (seconds: number | undefined): string => {
  if (seconds === undefined) return 'un quart d’heure'
  const minutes = Math.ceil(seconds / 60)
  if (minutes > 90) return `${Math.ceil(minutes / 60)}\u00a0heures`
  return minutes < 2 ? 'une minute' : `${minutes}\u00a0minutes`
}

/** Above the form that waits, which keeps what was typed and is no secret. Nobody knows yet whose clock it is: it is Paris's. */
export const tropDEssais = ({ retryAfter, until }: Attente): Html =>
  alert(
    'Trop d’essais en peu de temps',
    html`C’est une protection. Attendez ${attendre(retryAfter)}, et essayez de nouveau à partir de ${temps(until, heure(until, 'Europe/Paris'))} (heure de Paris).`,
  )
