import { asset } from './assets.ts'
import { type Html, html } from './html.ts'

/** The drawings of `public/icones.svg`: the ten thématiques, then the few gestures. */
export const ICONS = [
  'papiers',
  'famille',
  'social',
  'travail',
  'logement',
  'transports',
  'argent',
  'justice',
  'etranger',
  'loisirs',
  'personne',
  'structure',
  'sortir',
  'attention',
  'fait',
  'information',
  'arret',
  'horloge',
  'oeil',
  'apres',
  'chercher',
] as const
export type Icon = (typeof ICONS)[number]

/** A drawing beside words that say the same: it is hidden from screen readers. */
export const icon = (name: Icon): Html =>
  html`<svg class="icon" aria-hidden="true" width="24" height="24"><use href="${asset('icones.svg')}#${name}"></use></svg>`

/** The mark: two dots and the hyphen that joins them. */
export const mark = (): Html =>
  html`<svg class="mark" aria-hidden="true" viewBox="0 0 40 16" width="40" height="16"><circle cx="5" cy="8" r="5"></circle><path d="M14 8h12"></path><circle cx="35" cy="8" r="5"></circle></svg>`
