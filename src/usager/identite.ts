import { z } from 'zod'

/** The civil identity FranceConnect gives, reduced to what a mandat needs: never the gender, never an address. */
export type Identite = {
  sub: string
  prenoms: string[]
  nomNaissance: string
  /** Absent when it is the birth name. */
  nomUsage?: string
  /** Only what is certain: 'YYYY-MM-DD', 'YYYY-MM' or 'YYYY'. */
  birthdate: string
  /** INSEE code; absent when born abroad. */
  birthplace?: string
  /** INSEE code, France 99100. */
  birthcountry: string
  email?: string
}

export type IdentiteRefusal = 'prenom_manquant' | 'nom_manquant' | 'naissance_manquante' | 'identite_invalide'

const FRANCE = '99100'

// \p{C}: control characters, and the invisible ones (bidirectional overrides…) that make a name read otherwise than it is stored.
const nom = z
  .string()
  .regex(/^[^\p{C}\p{Zl}\p{Zp}]*$/u)
  .transform((value) => value.normalize('NFC').trim())
  .pipe(z.string().min(1).max(100))

const isDay = (value: string) => {
  const date = new Date(`${value}T00:00:00Z`)
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(value)
}

/** FranceConnect says "absent" in three ways: no claim, null, or empty. */
const isAbsent = (value: unknown) => value === undefined || value === null || (typeof value === 'string' && value.trim() === '')
const optional = <T extends z.ZodType>(schema: T) =>
  z.preprocess((value) => (isAbsent(value) ? undefined : value), schema.optional()).optional()

const userinfo = z.object({
  sub: z.string().regex(/^[\x21-\x7e]{1,255}$/),
  given_name: z
    .string()
    .transform((value) => value.trim().split(/ +/))
    .pipe(z.array(nom).max(20)),
  given_name_array: optional(z.array(nom).min(1).max(20)),
  family_name: nom,
  preferred_username: optional(nom),
  birthdate: z
    .string()
    .regex(/^(18|19|2\d)\d\d-\d\d-\d\d$/)
    .refine(isDay),
  birthplace: optional(z.string().regex(/^(?:2[AB]|\d{2})\d{3}$/)),
  birthcountry: z.string().regex(/^99\d{3}$/),
  // An address that cannot be one is as absent: it is only a suggestion, she chooses herself how to follow.
  email: optional(z.email().max(254)).catch(undefined),
  // An id_token presented again as userinfo carries these; an identity never does.
  nonce: z.never().optional(),
  acr: z.never().optional(),
  auth_time: z.never().optional(),
})

/**
 * What a FranceConnect birth date really says. An unknown day or month arrives as 01 and nothing tells it from a true one: so a 01 day
 * proves only the month, and 01-01 only the year. Never shown or sealed beyond that.
 */
export function naissanceCertaine(birthdate: string): string {
  return birthdate.replace(/(-01)?-01$/, '')
}

/** Reads FranceConnect's userinfo claims. Their signature, issuer, audience and `sub` are the caller's to check. */
export function identiteDe(claims: unknown): { ok: true; identite: Identite } | { ok: false; refusal: IdentiteRefusal } {
  if (typeof claims !== 'object' || claims === null) return { ok: false, refusal: 'identite_invalide' }
  const { given_name, family_name, birthdate, birthplace, birthcountry } = claims as Record<string, unknown>
  if (isAbsent(given_name)) return { ok: false, refusal: 'prenom_manquant' }
  if (isAbsent(family_name)) return { ok: false, refusal: 'nom_manquant' }
  if (isAbsent(birthdate) || isAbsent(birthcountry)) return { ok: false, refusal: 'naissance_manquante' }
  if (birthcountry === FRANCE && isAbsent(birthplace)) return { ok: false, refusal: 'naissance_manquante' }

  const parsed = userinfo.safeParse(claims)
  if (!parsed.success) return { ok: false, refusal: 'identite_invalide' }
  const read = parsed.data
  const nomUsage = read.preferred_username
  return {
    ok: true,
    identite: {
      sub: read.sub,
      prenoms: read.given_name_array ?? read.given_name,
      nomNaissance: read.family_name,
      ...(nomUsage && nomUsage.toLowerCase() !== read.family_name.toLowerCase() && { nomUsage }),
      birthdate: naissanceCertaine(read.birthdate),
      ...(read.birthplace && { birthplace: read.birthplace }),
      birthcountry: read.birthcountry,
      ...(read.email && { email: read.email }),
    },
  }
}

/** How a birth date typed in full ('YYYY-MM-DD') may be stored: whole, or as little as is certain. */
export const naissancesPossibles = (saisie: string): string[] => [saisie, saisie.slice(0, 7), saisie.slice(0, 4)]

/** Is she 18 on that day ('YYYY-MM-DD')? 'incertaine' when the known part of her birth date does not decide. */
export function majorite(birthdate: string, today: string): 'majeure' | 'mineure' | 'incertaine' {
  // Compared as text: someone born on a 29 February comes of age on 1 March, and '-31' ends every month.
  const eighteenth = (born: string) => `${Number(born.slice(0, 4)) + 18}${born.slice(4)}`
  if (eighteenth(birthdate + '-12-31'.slice(birthdate.length - 4)) <= today) return 'majeure'
  return eighteenth(birthdate + '-01-01'.slice(birthdate.length - 4)) > today ? 'mineure' : 'incertaine'
}

const LIGATURES: Record<string, string> = { œ: 'oe', æ: 'ae', ß: 'ss', ø: 'o', ł: 'l', đ: 'd', ð: 'd', þ: 'th', ı: 'i' }

/** The words of a name or of a search, as they are compared: no accent, no ligature, no case, cut at hyphens and apostrophes. */
export function mots(texte: string): string[] {
  return texte
    .normalize('NFKD')
    .toLowerCase()
    .replace(/\p{M}/gu, '')
    .replace(/[œæßøłđðþı]/g, (letter) => LIGATURES[letter]!)
    .split(/[^\p{L}\p{N}]+/u)
    .filter(Boolean)
}

/**
 * Could this person be that aidant? Same e-mail, or same name and first name. A namesake is refused too: any other aidant of the
 * structure may make that mandat, whereas nobody may make her own.
 */
export function memePersonne(identite: Identite, aidant: { prenom: string; nom: string; email: string }): boolean {
  const { prenoms, nomNaissance, nomUsage = nomNaissance } = identite
  const nomAidant = mots(aidant.nom).join('')
  const motsPrenoms = mots(prenoms.join(' '))
  return (
    identite.email?.toLowerCase() === aidant.email.trim().toLowerCase() ||
    ([nomNaissance, nomUsage].some((nom) => mots(nom).join('') === nomAidant) &&
      mots(aidant.prenom).every((mot) => motsPrenoms.includes(mot)))
  )
}
