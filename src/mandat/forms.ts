import { z } from 'zod'
import { CONFIRMES } from '../aidant/moyens.ts'
import { choix, code6, courriel, dateHeure, liste, texte, uuid } from '../form.ts'
import { localPath } from '../http/local-path.ts'
import { LECTEURS } from './contact.ts'
import { MANIERES } from './fin.ts'
import { DUREES, THEMATIQUES } from './mandat.ts'

export const choixForm = z.object({
  protegee: choix(['non', 'oui'], 'Répondez à cette question. Si c’est oui, rien n’est gardé.'),
  thematiques: liste(THEMATIQUES, 'Cochez au moins une thématique.'),
  duree: choix(DUREES, 'Choisissez une durée.'),
})

/** Mobiles of the overseas departments are dialled from abroad with a code of their own (national numbering plan, ARCEP). */
const INDICATIFS: readonly [numbers: RegExp, indicatif: string][] = [
  [/^69[01]/, '590'],
  [/^694/, '594'],
  [/^69[67]/, '596'],
  [/^(?:69[23]|639)/, '262'],
  [/^/, '33'],
]
/** A French mobile number however it is typed, given in the international form. */
const telephone = z.string().transform((value, context) => {
  const number = /^(?:\+(?:33|262|590|594|596)|0)([67]\d{8})$/.exec(value.replace(/[\s.-]/g, ''))?.[1]
  if (number) return `+${INDICATIFS.find(([numbers]) => numbers.test(number))![1]}${number}`
  context.addIssue({ code: 'custom', message: 'Tapez un numéro de mobile français, par exemple 06 12 34 56 78.' })
  return z.NEVER
})

/** How she is told. */
const facons = z.object({
  suivi: choix(['email', 'sms', 'papier'], 'Choisissez une façon de prévenir.'),
  email: courriel('Tapez une adresse e-mail, ou choisissez une autre façon.').optional(),
  mobile: telephone.optional(),
})
const uneFacon = ({ suivi, email, mobile }: z.infer<typeof facons>, context: z.RefinementCtx) => {
  if (suivi === 'email' && !email)
    context.addIssue({ code: 'custom', path: ['email'], message: 'Tapez une adresse e-mail, ou choisissez une autre façon.' })
  if (suivi === 'sms' && !mobile)
    context.addIssue({ code: 'custom', path: ['mobile'], message: 'Tapez un numéro de mobile, ou choisissez une autre façon.' })
}

/** Her yes or her no. A no needs nothing else; a yes needs everything. */
export const reponseForm = z.object({ reponse: choix(['oui', 'non', 'relire'], 'Choisissez l’un des deux boutons.') })
export const accordForm = z
  .object({
    thematiques: liste(THEMATIQUES, 'Gardez au moins une thématique, ou arrêtez ici.'),
    /** The thématiques of the sentence she has just read. */
    lues: texte(120, { required: 'Relisez la phrase, puis choisissez l’un des deux boutons.' }),
    /** The last day that sentence said. */
    dernierJour: texte(10, { required: 'Relisez la phrase, puis choisissez l’un des deux boutons.' }),
    redit: z.literal('oui', 'Cochez cette case quand la personne a redit avec ses mots ce qu’elle accepte.'),
    ...facons.shape,
  })
  .superRefine(uneFacon)

/** Between her yes and the structure's: the code she received, who else reads what she receives; only what is still to be said. */
export const contactForm = (reste: { code: boolean; lecteur: boolean }) =>
  z.object({
    code: reste.code ? code6 : code6.optional(),
    lecteur: reste.lecteur ? choix(LECTEURS, 'Répondez à cette question.') : choix(LECTEURS),
  })
export const gesteContactForm = z.object({ geste: choix(['prouver', 'renvoyer', 'papier'], 'Choisissez un des boutons.') })

/** How she is told, changed without a mandat; then the code received there (`code` is the name of an aidant's own), and who else reads it. */
export const changementForm = facons.superRefine(uneFacon)
export const gesteChangementForm = z.object({ geste: choix(['prouver', 'renvoyer'], 'Choisissez un des boutons.') })
export const recuForm = z.object({ recu: code6, lecteur: choix(LECTEURS) })

/** What the structure offers. */
export const thematiquesForm = z.object({ thematiques: liste(THEMATIQUES, 'Gardez au moins une thématique.') })

/** A paper handed over, or said so by mistake. */
export const remisForm = z.object({ papier: uuid })

/** Beside her telephone: a new square, or the code that she reads out. */
export const gesteTelephoneForm = z.object({ geste: choix(['ouvrir', 'relier'], 'Choisissez un des boutons.') })
export const codeTelephoneForm = z.object({ code: code6 })

/** `mesureFinie`: ticked where the structure had recorded a protection measure. */
export const confirmationForm = z.object({ mesureFinie: z.literal('oui').optional() })
export const acceptationForm = confirmationForm.extend({ code: code6 })

/** What waits to be confirmed at ProConnect: where it goes, and all that it says, as a form sends it. */
export const envoiForm = z.object({
  confirme: z.enum(CONFIRMES),
  vers: z.string().refine((vers) => localPath(vers) === vers),
  fields: z
    .string()
    .default('')
    .transform((text) => [...new URLSearchParams(text)]),
})
export type EnvoiGarde = z.output<typeof envoiForm>

/** To sign with a passkey; `vue`: the fingerprint of the draft that the page showed. */
export const acceptationParCleForm = confirmationForm.extend({ par: z.literal('cle'), vue: z.string().max(200) })

/** What she stops: everything, or one thématique. */
export const arretForm = z.object({ quoi: choix(['tout', ...THEMATIQUES]) })

/** A pause that an aidant records: what pauses, and how the request came. */
export const pauseRecueForm = z.object({
  quoi: choix(['tout', ...THEMATIQUES], 'Choisissez ce que la personne met en pause.'),
  maniere: choix(MANIERES, 'Choisissez comment la demande est arrivée.'),
})
/** A stop that an aidant records: what ends, how the request came, and when on the structure's clock. */
export const arretRecuForm = z.object({
  quoi: choix(['tout', ...THEMATIQUES], 'Choisissez ce que la personne arrête.'),
  maniere: choix(MANIERES, 'Choisissez comment la demande est arrivée.'),
  recuLe: dateHeure('Écrivez le jour et l’heure où la demande est arrivée.'),
})
export const finForm = z.object({ confirme: z.literal('oui', 'Cochez cette case pour confirmer.') })
