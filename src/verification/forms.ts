import { z } from 'zod'
import { anneeDeNaissance, codeImprime } from '../form.ts'

export const verifierForm = z.object({
  code: codeImprime(
    'Tapez le code imprimé sur le papier.',
    'Le code a 12 lettres et chiffres, comme 7K3M\u2011RQXB\u20119F8T : relisez-le sur le papier.',
  ),
  annee: anneeDeNaissance(
    'Tapez l’année de naissance de la personne.',
    'Écrivez l’année de naissance en quatre chiffres, comme 1950.',
  ),
})
