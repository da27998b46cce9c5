import { existsSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import { ROOT } from './processes.ts'

/** What the forms.ts of each noun export: their forms, by `noun name`, and the names of the functions that make one. */
export async function listNamedForms() {
  const nouns = readdirSync(path.join(ROOT, 'src')).filter((noun) => existsSync(path.join(ROOT, 'src', noun, 'forms.ts')))
  const modules = await Promise.all(nouns.map((noun): Promise<object> => import(path.join(ROOT, 'src', noun, 'forms.ts'))))
  const exported = modules.flatMap((module, n) =>
    Object.entries(module).map(([name, one]) => [`${nouns[n]} ${name}`, one as unknown] as [string, unknown]),
  )
  const schemas = Object.fromEntries(exported.filter((one): one is [string, z.ZodObject] => one[1] instanceof z.ZodObject))
  const functions = exported.flatMap(([name, one]) =>
    typeof one === 'function' && name.endsWith('Form') ? [name.split(' ')[1]!] : [],
  )
  return { schemas, functions }
}

/** Every form that the sources declare, but for those that a function makes: their fields are others' too. */
export const listForms = async (): Promise<z.ZodObject[]> => Object.values((await listNamedForms()).schemas)
