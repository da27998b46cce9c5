import type { Contacts } from '../../src/usager/queries.ts'
import { telephoneEnMots } from '../kit/words.ts'

/** « par SMS, au 06 12 34 56 78 »: how she is told of what changes. */
export const suiviEnMots = ({ suivi, email, telephone }: Contacts): string => {
  if (suivi === 'sms' && telephone) return `Par SMS, au ${telephoneEnMots(telephone)}`
  if (suivi === 'email' && email) return `Par e-mail, à ${email}`
  return 'Sur papier, à chaque visite'
}
