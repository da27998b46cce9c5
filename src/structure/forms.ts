import { z } from 'zod'
import { uuid } from '../form.ts'

export const chooseForm = z.object({ structure: uuid })
