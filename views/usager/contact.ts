import type { Contacts } from '../../src/usager/queries.ts'

/** « par SMS, au 06 12 34 56 78 »: how she is told of what changes. */
export const suiviEnMots = ({ suivi, email, telephone }: Contacts): string => {
  if (suivi === 'sms' && telephone) return `Par SMS, au ${telephoneEnMots(telephone)}`
  if (suivi === 'email' && email) return `Par e-mail, à ${email}`
  return 'Sur papier, à chaque visite'
}

/** « 06 12 34 56 78 », as one says it. */
export const telephoneEnMots = (telephone: string): string =>
  telephone
    .replace(/[\s.-]/g, '')
    .replace(/^\+33/, '0')
    .replace(/^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/, '$1\u00a0$2\u00a0$3\u00a0$4\u00a0$5')
