import type { Context } from 'hono'
import { HTTPException } from 'hono/http-exception'
import { z } from 'zod'
import { LETTRES, LONGUEUR } from './lettres.ts'
import { sansSecret } from './sans-secret.ts'

type Field<S extends z.ZodType> = keyof z.input<S> & string
/** What was typed, by field, to show the form again (on 422 and on 409). Codes are never given back. */
type Values<S extends z.ZodType> = Partial<Record<Field<S>, string | string[]>>
/** First error of each field, in the order of the fields; `formulaire` when it concerns no field in particular. */
type Errors<S extends z.ZodType> = Partial<Record<Field<S> | 'formulaire', string>>
export type Parsed<S extends z.ZodType> =
  | { ok: true; data: z.output<S>; values: Values<S> }
  | { ok: false; values: Values<S>; errors: Errors<S> }

/** Reads the form of a request against a `z.object`. A field nobody declared is ignored; an empty one is absent. */
export async function parseForm<S extends z.ZodType>(c: Context, schema: S): Promise<Parsed<S>> {
  return parseFields(await readFields(c), schema)
}

/** The same, of what a search says in the address. */
export function parseSearch<S extends z.ZodType>(c: Context, schema: S): Parsed<S> {
  return parseFields(new Map(Object.entries(c.req.queries())), schema)
}

function parseFields<S extends z.ZodType>(sent: Fields, schema: S): Parsed<S> {
  const shape = shapeOf(schema)
  const input: Record<string, unknown> = {}
  const values: Record<string, string | string[]> = {}
  const errors = new Map<string, string>()

  for (const [name, field] of Object.entries(shape)) {
    const all = sent.get(name) ?? []
    const texts = all
      .filter((value) => typeof value === 'string')
      .map(clean)
      .filter((text) => text !== '')
    if (all.some((value) => typeof value !== 'string')) errors.set(name, FICHIER)
    else if (texts.some((text) => text.search(FORBIDDEN) >= 0)) errors.set(name, CARACTERES)
    else if (!isList(field) && texts.length > 1) errors.set(name, DOUBLE)
    input[name] = isList(field) ? texts : texts[0]
    const shown = texts.map((text) => text.replace(FORBIDDEN, ''))
    if (shown.length > 0 && !isCode(field)) values[name] = isList(field) ? shown : shown[0]!
  }

  const parsed = schema.safeParse(input, { error: () => INCOMPLET })
  for (const { path, message } of parsed.error?.issues ?? []) {
    const name = String(path[0] ?? 'formulaire')
    if (!errors.has(name)) errors.set(name, message)
  }
  if (parsed.success && errors.size === 0) return { ok: true, data: parsed.data, values: values as Values<S> }
  const order = [...Object.keys(shape), 'formulaire']
  const sorted = [...errors].sort(([a], [b]) => order.indexOf(a) - order.indexOf(b))
  return { ok: false, values: values as Values<S>, errors: Object.fromEntries(sorted) as Errors<S> }
}

export const MAX_FIELDS = 200

/** True for the two content types a browser's form can have here, in UTF-8. */
export const isFormType = (contentType: string | undefined): boolean =>
  /^(?:application\/x-www-form-urlencoded|multipart\/form-data)\s*(?:;|$)/i.test(contentType ?? '') &&
  !/;\s*charset\s*=\s*(?!"?utf-8"?\s*(?:;|$))/i.test(contentType ?? '')

type Fields = ReadonlyMap<string, readonly (string | object)[]>
const READ = new WeakMap<Request, Promise<Fields>>()

/** All that a form sent, by field; a file is an object. Throws what the answer is when it cannot be read. Read once, however often it is asked. */
export function readFields(c: Context): Promise<Fields> {
  const known = READ.get(c.req.raw)
  if (known) return known
  const fields = read(c)
  READ.set(c.req.raw, fields)
  return fields
}

async function read(c: Context): Promise<Fields> {
  const type = c.req.header('content-type')
  if (!isFormType(type)) throw new HTTPException(415)
  const entries = /^multipart/i.test(type!)
    ? await c.req.formData().catch((cause: unknown) => {
        throw new HTTPException(400, { cause })
      })
    : new URLSearchParams(await c.req.text())
  const fields = new Map<string, (string | object)[]>()
  let count = 0
  for (const [name, value] of entries) {
    if (++count > MAX_FIELDS) throw new HTTPException(413)
    fields.set(name, [...(fields.get(name) ?? []), value])
  }
  return fields
}

/** One form for each text: composed accents, line ends as `\n`, no invisible characters, nothing around. */
const clean = (text: string) =>
  text
    .replace(/\r\n?|[\u2028\u2029]/g, '\n')
    .replace(/\t/g, ' ')
    .replace(INVISIBLE, '')
    .normalize('NFC')
    .trim()
const INVISIBLE = /[\u00AD\u200B\u2060\uFEFF]/g
/** Controls, what turns the order of letters around on screen, and what was not text at all. */
const FORBIDDEN = /[^\P{Cc}\n]|[\u202A-\u202E\u2066-\u2069\uFFFD\uFFFE\uFFFF\p{Cs}]/gu

const FICHIER = 'Ce formulaire n’accepte pas de fichier.'
const CARACTERES = 'Cette réponse contient des caractères illisibles : tapez-la à nouveau, sans copier-coller.'
const DOUBLE = 'Une seule réponse est attendue ici.'
/** Of what no page lets anyone write: no form has its own sentence for it. */
const INCOMPLET = 'Ce formulaire était incomplet : envoyez-le à nouveau.'

const shapeOf = (schema: z.ZodType): Record<string, z.ZodType> => {
  const object = unwrap(schema)
  if (object instanceof z.ZodObject) return object.shape
  throw new Error('a form is a z.object')
}

/** What a schema is once its optional, default, transform… are taken off. */
export const unwrap = (schema: z.ZodType): z.ZodType => {
  const { innerType, in: input } = schema.def as { innerType?: z.ZodType; in?: z.ZodType }
  return innerType ? unwrap(innerType) : input ? unwrap(input) : schema
}
const isList = (schema: z.ZodType) => unwrap(schema) instanceof z.ZodArray
export const isCode = (schema: z.ZodType) => unwrap(schema) === CODE6

// The pieces forms are made of. Without a sentence for its absence, a piece may be left empty, and is then null.

const orNull = <T extends z.ZodType>(schema: T): z.ZodType<z.output<T> | null> =>
  schema.optional().transform((value) => value ?? null) as never

/** `aElle`: the person writes it herself. */
type Texte = { lines?: boolean; aElle?: boolean }
/** A text of at most `max` characters, on one line unless `lines`; never a secret (see `sansSecret`). */
export function texte(max: number, options: Texte & { required: string }): z.ZodType<string>
export function texte(max: number, options?: Texte): z.ZodType<string | null>
export function texte(max: number, options: Texte & { required?: string } = {}): z.ZodType<string | null> {
  const text = z.string({ error: options.required ?? DOUBLE }).superRefine((value, context) => {
    const length = [...value].length
    const message =
      !options.lines && value.includes('\n')
        ? 'Écrivez sur une seule ligne.'
        : length > max
          ? `${max} caractères au plus : il y en a ${length}.`
          : sansSecret(value, options.aElle)
    if (message) context.addIssue({ code: 'custom', message })
  })
  return options.required === undefined ? orNull(text) : text
}

const PROPOSEES = 'Choisissez une des réponses proposées.'

/** One of the values of a union. */
export function choix<const T extends readonly string[]>(values: T, required: string): z.ZodType<T[number]>
export function choix<const T extends readonly string[]>(values: T): z.ZodType<T[number] | null>
export function choix(values: readonly string[], required?: string): z.ZodType<string | null> {
  const one = z.enum(values, {
    error: ({ input }) => (input === undefined ? (required ?? PROPOSEES) : PROPOSEES),
  })
  return required === undefined ? orNull(one) : one
}

/** Several values of a union, at least one, each once, in the union's order. */
export const liste = <const T extends readonly string[]>(values: T, required: string): z.ZodType<T[number][]> =>
  z
    .array(z.enum(values, { error: PROPOSEES }))
    .min(1, required)
    .transform((chosen) => values.filter((value) => (chosen as string[]).includes(value))) as never

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
export const isUuid = (text: string): boolean => UUID.test(text)
export const uuid = z.string({ error: PROPOSEES }).regex(UUID, PROPOSEES)

const CODE6 = z.string({ error: 'Écrivez les 6 chiffres du code.' })
const chiffres = (wanted: RegExp, wrong: string) =>
  CODE6.transform((code) => code.replace(/[\s.-]/g, '')).refine((code) => wanted.test(code), wrong)

/** The six digits of a code received or read on a telephone, however they are spaced. */
export const code6 = chiffres(/^\d{6}$/, 'Le code est fait de 6 chiffres.')

/** The same, or the twelve digits of a recovery code. */
export const code6ou12 = chiffres(/^(?:\d{6}){1,2}$/, 'Le code est fait de 6 chiffres, ou de 12 si c’est un code de secours.')

/** The 12 characters of a code typed from a paper: in any case, with spaces or hyphens. */
export const codeImprime = (required: string, wrong: string) =>
  z
    .string({ error: required })
    .transform((code) => code.replace(/[\s\p{Pd}._]/gu, '').toUpperCase())
    .refine((code) => CODE_IMPRIME.test(code), wrong)
const CODE_IMPRIME = new RegExp(`^[${LETTRES}]{${LONGUEUR}}$`)

/** A year of birth, in four digits. */
export const anneeDeNaissance = (required: string, wrong: string) =>
  z
    .string({ error: required })
    .transform((annee) => annee.replace(/\s/g, ''))
    .refine((annee) => /^(18|19|20|21)\d\d$/.test(annee), wrong)

/** An e-mail address, in lower case: case and spaces around never matter. */
export const courriel = (required: string) =>
  z
    .string({ error: required })
    .max(254, 'Cette adresse est trop longue.')
    .regex(
      /^[^\s@<>"(),;:\\]+@[^\s@<>"(),;:\\]+\.[^\s@<>"(),;:\\.]+$/,
      'Écrivez une adresse complète, comme prenom.nom@exemple.fr.',
    )
    .toLowerCase()

const DATE = 'Écrivez la date ainsi : 27/03/1950.'
const DATE_HEURE = 'Écrivez la date et l’heure ainsi : 27/03/2026 14:05.'

/** A day as French people or browsers write it, given as `YYYY-MM-DD`. */
export function dateFr(required: string): z.ZodType<string>
export function dateFr(): z.ZodType<string | null>
export function dateFr(required?: string): z.ZodType<string | null> {
  const day = z.string({ error: required ?? DATE }).transform((text, context) => dayOf(text) ?? refuse(context, DATE))
  return required === undefined ? orNull(day) : day
}

/** A day and an hour on the wall clock of whoever wrote them, given as `YYYY-MM-DDTHH:MM`: no time zone yet. */
export function dateHeure(required: string): z.ZodType<string>
export function dateHeure(): z.ZodType<string | null>
export function dateHeure(required?: string): z.ZodType<string | null> {
  const moment = z.string({ error: required ?? DATE_HEURE }).transform((text, context) => {
    const found = /^(\S+|\d{1,2} \d{1,2} \d{4})(?:T| (?:à )?)([01]?\d|2[0-3])(?::| ?h ?)([0-5]\d)?(?::\d\d)?$/.exec(
      text.replace(/\s+/g, ' '),
    )
    const day = found && dayOf(found[1]!)
    return day ? `${day}T${found[2]!.padStart(2, '0')}:${found[3] ?? '00'}` : refuse(context, DATE_HEURE)
  })
  return required === undefined ? orNull(moment) : moment
}

const refuse = (context: z.core.$RefinementCtx, message: string) => {
  context.addIssue({ code: 'custom', message })
  return z.NEVER
}

const dayOf = (text: string): string | undefined => {
  const iso = /^(\d{4})-(\d\d)-(\d\d)$/.exec(text)
  const french = /^(\d{1,2})[/. -](\d{1,2})[/. -](\d{4})$/.exec(text)
  const parts = iso ? [iso[1], iso[2], iso[3]] : french ? [french[3], french[2], french[1]] : undefined
  if (!parts) return undefined
  const [year, month, day] = parts.map(Number) as [number, number, number]
  const exists = month >= 1 && month <= 12 && day >= 1 && day <= new Date(Date.UTC(year, month, 0)).getUTCDate()
  return exists && year >= 1850 && year <= 2150
    ? `${year}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`
    : undefined
}
