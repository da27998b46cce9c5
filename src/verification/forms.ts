import { z } from 'zod'
import { LETTRES, LONGUEUR } from '../lettres.ts'

const CODE = 'Le code a 12 lettres et chiffres, comme 7K3M\u2011RQXB\u20119F8T : relisez-le sur le papier.'
const ANNEE = 'Écrivez l’année de naissance en quatre chiffres, comme 1950.'

export const verifierForm = z.object({
  code: z
    .string({ error: 'Tapez le code imprimé sur le papier.' })
    .transform((code) => code.replace(/[\s\p{Pd}._]/gu, '').toUpperCase())
    .refine((code) => code.length === LONGUEUR && [...code].every((letter) => LETTRES.includes(letter)), CODE),
  annee: z
    .string({ error: 'Tapez l’année de naissance de la personne.' })
    .transform((annee) => annee.replace(/\s/g, ''))
    .refine((annee) => /^(18|19|20|21)\d\d$/.test(annee), ANNEE),
})
