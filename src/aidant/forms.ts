import { z } from 'zod'
import { choix, code6, courriel, texte } from '../form.ts'
import { GESTES } from './equipe.ts'

export const signInForm = z.object({ email: courriel('Tapez votre adresse e-mail professionnelle.'), code: code6 })
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
