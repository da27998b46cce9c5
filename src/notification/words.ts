/** Where a person is told. */
export type Contact = { canal: 'email' | 'sms'; contact: string }
/** The same news for each way. */
export type Mail = { sujet: string; corps: string }
export type Words = Mail & { sms: string }
