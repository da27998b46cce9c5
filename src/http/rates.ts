import { createHash } from 'node:crypto'
import type { Tx } from '../db.ts'
import { LOT } from '../turns.ts'

const DAY = 24 * 60 * 60

/** How many times in how long, for each thing that can be tried too often. By address: a whole structure may share one. */
export const RATES = {
  /**
   * Sign-ins of an aidant that failed, by e-mail typed, known or not, and by where from: after three, even the right code waits. Then by e-mail alone,
   * wherever from, so that a code is not guessed from many networks (docs/adr/0039).
   */
  connexion_courriel: { count: 3, seconds: 15 * 60 },
  connexion_compte: { count: 30, seconds: DAY },
  connexion_adresse: { count: 60, seconds: 15 * 60 },
  /** Wrong codes (TOTP or received), by aidant or pending sign-in: take a token before looking, return it when the code is right. */
  code: { count: 3, seconds: 5 * 60 },
  /** Round trips begun with a provider, by address. */
  fournisseur_adresse: { count: 60, seconds: 15 * 60 },
  /** Status lists fetched by a third party, by address. */
  verification_adresse: { count: 60, seconds: 60 },
  /** The public journal, by address: a monitor reads many tiles at once. */
  journal_adresse: { count: 600, seconds: 60 },
  /** Codes typed from a paper: by address, and by code, right or wrong, whatever the year of birth. */
  verifier_adresse: { count: 30, seconds: 15 * 60 },
  verifier_code: { count: 5, seconds: 60 * 60 },
  /** Private codes typed from her own paper: by address, and wrong by code, for a day: whoever found it has a hundred years of birth to try
   * (and fifteen tries in all: `ouvre_par_code`). */
  code_prive_adresse: { count: 30, seconds: 15 * 60 },
  code_prive: { count: 5, seconds: 24 * 60 * 60 },
  /** Codes sent to the contact she proved, by person. */
  code_preuve: { count: 3, seconds: 60 * 60 },
  /** Codes sent to prove a contact: by contact, by aidant, by structure. */
  code_contact: { count: 3, seconds: 15 * 60 },
  code_contact_aidant: { count: 20, seconds: 60 * 60 },
  code_contact_structure: { count: 60, seconds: 60 * 60 },
  /** The same, by person who changes hers. */
  code_contact_personne: { count: 6, seconds: 60 * 60 },
  /** Links sent to join a structure or pair a factor, by the référent who sends them. */
  invitation: { count: 20, seconds: 60 * 60 },
  /** Journals taken away, by référent. */
  export: { count: 20, seconds: 60 * 60 },
  /** Searches of persons and of the structure's journal, by aidant: as fast as one types, not as a machine does. */
  recherche: { count: 240, seconds: 60 },
  /** Papers made (mandat, relevé, sheets, previews), by aidant or person; of which sheets that open her space, by structure and mandat. */
  papier: { count: 120, seconds: 60 * 60 },
  feuille: { count: 5, seconds: DAY },
  /** Proofs, and files of all that the service knows of her, by aidant or person. */
  preuve: { count: 120, seconds: 60 * 60 },
  /** SMS: by number, and those that an aidant, a structure, a person ask for; in all, SMS_PAR_JOUR says how many. Some are left to stop (budget.ts). */
  sms_numero: { count: 12, seconds: DAY },
  /** Of which those that aidants ask for, of any structure, and those that persons ask for to prove that it is theirs, who may be anyone. */
  sms_numero_aidants: { count: 5, seconds: DAY },
  sms_numero_personnes: { count: 3, seconds: DAY },
  sms_personne: { count: 12, seconds: DAY },
  sms_aidant: { count: 60, seconds: DAY },
  sms_structure: { count: 200, seconds: DAY },
  sms_total: { count: 2000, seconds: DAY },
} as const satisfies Record<string, { count: number; seconds: number }>
export type Rate = keyof typeof RATES

/** What a person is counted under: the same, whichever of the identities she united she came in by. */
export const countedAs = (usagerIds: readonly string[]): string => usagerIds.toSorted()[0]!

/** `retryAfter` in seconds, and the moment they lead to. */
export type Throttled = { ok: false; refusal: 'trop_d_essais'; retryAfter: number; until: Date }
type Token = { ok: true } | Throttled

/**
 * Counts one more try of `key` in the current window; refused beyond the rate, with the seconds left to wait. Take it in a transaction
 * of its own: rolled back with the rest, it would count nothing. `count`: where the operator sets it.
 */
export async function takeToken(tx: Tx, rate: Rate, key: string, count: number = RATES[rate].count): Promise<Token> {
  const { seconds } = RATES[rate]
  const start = windowOf(tx, rate)
  const until = new Date(start.getTime() + seconds * 1000)
  const [row] = await tx.sql<{ compte: number }[]>`
    insert into limite (cle, debut, fin, compte)
    values (${hashOf(rate, key)}, ${start}, ${until}, 1)
    on conflict (cle, debut) do update
    set compte = least(limite.compte, 1000000) + 1
    returning compte`
  if (row!.compte <= count) return { ok: true }
  const retryAfter = Math.max(1, Math.ceil((until.getTime() - tx.now.getTime()) / 1000))
  return { ok: false, refusal: 'trop_d_essais', retryAfter, until }
}

const hashOf = (rate: Rate, key: string) => createHash('sha256').update(`${rate}\n${key}`).digest()
const windowOf = (tx: Tx, rate: Rate) => {
  const ms = RATES[rate].seconds * 1000
  return new Date(Math.floor(tx.now.getTime() / ms) * ms)
}

/**
 * Gives a try back: what succeeded was not one too many (rates that only count failures). `decoy`: does the same work and keeps it, where time
 * must not tell which it was.
 */
export async function returnToken(tx: Tx, rate: Rate, key: string, { decoy = false } = {}): Promise<void> {
  await tx.sql`
    update limite
    set compte = compte - ${Number(!decoy)}::int
    where cle = ${hashOf(rate, key)} and debut = ${windowOf(tx, rate)} and compte > 0`
}

/** Deletes the windows that are over, each at its own end: whoever said no is not counted any longer than the rate needs. For the worker. */
export const forgetRates = (tx: Tx) => tx.sql`
  delete from limite
  where (cle, debut) in (select cle, debut from limite where fin <= ${tx.now} limit ${LOT})`
