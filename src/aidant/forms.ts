import { z } from 'zod'
import { code6, courriel } from '../form.ts'

export const signInForm = z.object({ email: courriel('Tapez votre adresse e-mail professionnelle.'), code: code6 })
export const codeForm = z.object({ code: code6 })
export const cguForm = z.object({ accepte: z.literal('oui', 'Cochez la case pour accepter, ou déconnectez-vous.') })
