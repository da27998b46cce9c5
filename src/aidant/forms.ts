import type { AuthenticationResponseJSON, RegistrationResponseJSON } from '@simplewebauthn/server'
import { z } from 'zod'
import { choix, code6, code6ou12, courriel, texte } from '../form.ts'
import { GESTES } from './equipe.ts'

export const signInForm = z.object({ email: courriel('Tapez votre adresse e-mail professionnelle.'), code: code6ou12 })
export const codeForm = z.object({ code: code6 })
export const cguForm = z.object({ accepte: z.literal('oui', 'Cochez la case pour accepter, ou déconnectez-vous.') })

export const inviteForm = z.object({
  prenom: texte(60, { required: 'Écrivez son prénom.' }),
  nom: texte(60, { required: 'Écrivez son nom.' }),
  email: courriel('Tapez son adresse e-mail professionnelle.'),
})
export const gesteForm = z.object({ geste: choix(GESTES, 'Choisissez ce que vous voulez faire.') })
export const invitationForm = z.object({ geste: choix(['renvoyer', 'annuler'], 'Choisissez ce que vous voulez faire.') })

/** The first button of a link shows where it leads, the second accepts. */
export const rejoindreForm = z.object({ geste: choix(['accepter']) })
const CLE_PERDUE = 'Ce formulaire était incomplet : recommencez avec la clé affichée.'
export const associerForm = z.object({
  sel: z.string(CLE_PERDUE).max(64, CLE_PERDUE),
  code: code6,
})

const CLE_ILLISIBLE = 'La clé d’accès n’a pas répondu comme attendu. Essayez encore.'
const octets = z.string().regex(/^[\w-]{1,4000}$/)
const reponse = <T>(response: z.ZodType) =>
  z
    .string(CLE_ILLISIBLE)
    .max(16_000, CLE_ILLISIBLE)
    .transform((text, context) => {
      try {
        return JSON.parse(text) as unknown
      } catch {
        context.addIssue({ code: 'custom', message: CLE_ILLISIBLE })
        return z.NEVER
      }
    })
    .pipe(z.object({ id: octets, rawId: octets, type: z.literal('public-key'), response }, CLE_ILLISIBLE))
    .transform((said) => ({ ...said, clientExtensionResults: {} }) as T)

/** What a browser's passkey answers, as its own `toJSON` writes it; what is in it is judged where it is verified. */
const signature = reponse<AuthenticationResponseJSON>(
  z.object({ clientDataJSON: octets, authenticatorData: octets, signature: octets }),
)
const creation = reponse<RegistrationResponseJSON>(z.object({ clientDataJSON: octets, attestationObject: octets }))

export const preuveForm = (secours: boolean) =>
  z.object({
    code: (secours ? code6ou12 : code6).optional(),
    signature: signature.optional(),
    proconnect: z.literal('oui').optional(),
  })
export const signatureForm = z.object({ signature })
export const creationForm = z.object({ signature: creation })

export const ajoutForm = z.object({
  genre: choix(['totp', 'cle_acces'], 'Choisissez ce que vous ajoutez.'),
  nom: texte(40, { required: 'Donnez-lui un nom, comme « Téléphone ».' }),
})
