import { z } from 'zod'

const EMPREINTE = 'L’empreinte compte 32 signes : des chiffres, et des lettres de a à f.'

/** What a printed paper says of the journal, typed to be compared: however spaced. */
export const papierForm = z.object({
  taille: z
    .string({ error: 'Écrivez le nombre de lignes que dit le papier.' })
    .transform((text) => text.replace(/[\s.]/g, ''))
    .refine((text) => /^[1-9]\d{0,14}$/.test(text), 'Écrivez ce nombre en chiffres, par exemple 1 234.')
    .transform(Number),
  empreinte: z
    .string({ error: 'Écrivez l’empreinte que dit le papier.' })
    .transform((text) => text.replace(/[\s\p{Pd}.]/gu, '').toLowerCase())
    .refine((text) => /^[0-9a-f]{32}$/.test(text), EMPREINTE),
})
