/** Where a person is told. */
export type Contact = { canal: 'email' | 'sms'; contact: string }
type Suivi = { suivi: string | null; email: string | null; telephone: string | null }
/** The way that she chose; undefined on paper. */
export const contactDe = ({ suivi, email, telephone }: Suivi): Contact | undefined =>
  suivi === 'email' && email
    ? { canal: 'email', contact: email }
    : suivi === 'sms' && telephone
      ? { canal: 'sms', contact: telephone }
      : undefined
/** The same news for each way. */
export type Mail = { sujet: string; corps: string }
export type Words = Mail & { sms: string }
