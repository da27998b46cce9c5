import { z } from 'zod'
import { choix, dateFr, isUuid, texte, uuid } from '../form.ts'
import { THEMATIQUES } from '../mandat/mandat.ts'
import { ACTIONS_CHERCHEES, MOTIFS_OUVERTURE } from './audit.ts'

/** What the journal is filtered by; a search, read from the address. */
export const filtreForm = z
  .object({
    du: dateFr(),
    au: dateFr(),
    aidant: uuid.optional().transform((id) => id ?? null),
    thematique: choix(THEMATIQUES),
    action: choix([...ACTIONS_CHERCHEES, 'apres_coup']),
  })
  .superRefine(({ du, au }, context) => {
    if (du && au && au < du)
      context.addIssue({ code: 'custom', path: ['au'], message: 'La fin de la période est avant son début.' })
  })
export type Filtre = z.output<typeof filtreForm>

/** How it is taken away: a file for a spreadsheet, else a page to print. */
export const exportForm = z.object({ forme: choix(['csv', 'page']) })

/** Said when the form that was sent had already opened a dossier. */
export const OUVERTURE_DEJA_SERVIE = 'Ce formulaire avait déjà servi : vérifiez-le, puis envoyez-le à nouveau.'

export const ouvertureForm = z
  .object({
    motif: choix(MOTIFS_OUVERTURE, 'Choisissez une raison : la personne la lira.'),
    precision: texte(280, { lines: true }),
    envoi: z
      .string('Ce formulaire était incomplet : envoyez-le à nouveau.')
      .refine(isUuid, 'Ce formulaire était incomplet : envoyez-le à nouveau.'),
  })
  .superRefine(({ motif, precision }, context) => {
    if (motif === 'autre' && !precision)
      context.addIssue({ code: 'custom', path: ['precision'], message: 'Dites quelle est cette raison.' })
  })
