import { CODE_ESSAIS, CODE_VIE_MS } from '../six-digits.ts'

/** Who else reads the telephone or the mailbox where she is told. A closed list: nobody is named. */
export const LECTEURS = ['personne', 'famille', 'proche', 'professionnel', 'ne_sait_pas'] as const
export type Lecteur = (typeof LECTEURS)[number]

type Contact = {
  suivi: 'email' | 'sms' | 'papier' | null
  contactProuveAt: Date | null
  contactPartage: boolean
  contactLecteur: Lecteur | null
}

/** What is still to be said before this contact may serve: the code received there, who else reads it. */
export const resteADire = ({ suivi, contactProuveAt, contactPartage, contactLecteur }: Contact) => ({
  code: suivi !== 'papier' && !contactProuveAt,
  lecteur: suivi !== 'papier' && contactPartage && !contactLecteur,
})
export const contactPret = (contact: Contact): boolean => {
  const { code, lecteur } = resteADire(contact)
  return !code && !lecteur
}

const chiffres = (telephone: string) => telephone.replace(/\D/g, '').slice(-9)
/** The same number, however it is written: « 06 12… » and « +33612… ». */
export const memeNumero = (one: string, other: string): boolean => chiffres(one).length === 9 && chiffres(one) === chiffres(other)

type Sent = { code: Buffer; essais: number; createdAt: Date }
/** What is wrong with the code typed back (as hashed): once sent it serves ten minutes, for three tries. A wrong one is one of them. */
export function refusalOfCode(
  sent: Sent | undefined,
  typed: Buffer | undefined,
  now: Date,
): 'code_contact_perime' | 'code_contact_faux' | undefined {
  if (!sent || sent.essais >= CODE_ESSAIS || now.getTime() - sent.createdAt.getTime() > CODE_VIE_MS) return 'code_contact_perime'
  return typed && sent.code.equals(typed) ? undefined : 'code_contact_faux'
}
