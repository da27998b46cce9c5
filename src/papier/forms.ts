import { z } from 'zod'
import { choix } from '../form.ts'
import { THEMATIQUES } from '../mandat/mandat.ts'

/** Which thématique a counter is shown. */
export const guichetForm = z.object({ thematique: choix(THEMATIQUES) })
