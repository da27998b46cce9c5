import { type Errors, radios, textarea, type Values } from './form.ts'
import type { Html } from './html.ts'
import { MOTIF_CONTESTATION } from './words.ts'

/** The closed list, in her words. */
export const motifs = (legend: string, values: Values, errors: Errors): Html =>
  radios({ name: 'motif', legend, options: MOTIF_CONTESTATION, value: values.motif, error: errors.motif })
export const note = (label: string, hint: string, values: Values, errors: Errors): Html =>
  textarea({ name: 'note', label, hint, maxlength: 280, rows: 3, value: values.note, error: errors.note, optional: true })
