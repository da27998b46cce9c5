import { existsSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import { ROOT } from './processes.ts'

/** Every form that the sources declare, but for those that a function makes: their fields are others' too. */
export async function listForms(): Promise<z.ZodObject[]> {
  const files = readdirSync(path.join(ROOT, 'src')).map((noun) => path.join(ROOT, 'src', noun, 'forms.ts'))
  const modules = await Promise.all(files.filter(existsSync).map((file): Promise<object> => import(file)))
  return modules.flatMap((one) => Object.values(one)).filter((one) => one instanceof z.ZodObject)
}
