import { createHash } from 'node:crypto'
import type { Db, Tx } from '../db.ts'
import { hashToken } from '../http/session.ts'
import { append } from '../journal/append.ts'
import { thumbprints } from './keys.ts'

type NewConnexion = {
  /** The browser's own cookie, if it has one. */
  navigateur: string | undefined
  /** What it is bound to, where it is: drawn elsewhere. */
  nonce?: string
} & (
  | { but: 'mandat'; brouillonId: string; nonce: string }
  | { but: 'telephone'; telephoneId: string; nonce: string }
  | { but: 'espace' }
  /** Her space too, which unites first this identity with the one whose paper's code has just opened `sessionId`. */
  | { but: 'reunion'; sessionId: string }
  /** `suite`: the page she asked for. */
  | { but: 'aidant'; suite: string | undefined }
  /** `sessionId`: the only one that it may end in. */
  | { but: 'signature'; brouillonId: string; sessionId: string; nonce: string }
  /** `objet`: the form that waits to be confirmed, sealed. */
  | { but: 'confirmation'; sessionId: string; objet: Buffer }
)
/** What each provider is asked for. */
export type Buts = {
  franceconnect: 'mandat' | 'telephone' | 'espace' | 'reunion'
  proconnect: 'aidant' | 'signature' | 'confirmation'
}
export type But = Buts['franceconnect']
type Connexion<F extends keyof Buts> = {
  id: string
  but: Buts[F]
  nonce: string
  brouillonId: string | null
  telephoneId: string | null
  suite: string | null
  sessionId: string | null
  objet: Buffer | null
}
export type ConnexionRefusal = 'retour_inconnu' | 'autre_navigateur' | 'deja_utilise' | 'retour_tardif'

const LIFE_MS = 30 * 60_000

/** What the provider is given of a round trip, and the cookie that ties it to this browser. */
export type Opened = { state: string; nonce: string; navigateur: string }

/** Opens a round trip with the provider it is for: of its `state` and of the browser's cookie only the hashes are kept. */
export async function openConnexion(tx: Tx, connexion: NewConnexion): Promise<Opened> {
  const state = tx.random(32).toString('hex')
  const navigateur = connexion.navigateur || tx.random(32).toString('base64url')
  const { but, nonce = tx.random(32).toString('hex'), ...of } = connexion
  const {
    brouillonId = null,
    telephoneId = null,
    suite = null,
    sessionId = null,
    objet = null,
  } = of as Partial<Connexion<'proconnect'>>
  const fournisseur = but === 'aidant' || but === 'signature' || but === 'confirmation' ? 'proconnect' : 'franceconnect'
  await tx.sql`
    insert into connexion (fournisseur, but, etat, navigateur, nonce, brouillon_id, telephone_id, suite, session_id, objet)
    values (${fournisseur}, ${but}, ${hashToken(state)}, ${hashToken(navigateur)}, ${nonce}, ${brouillonId}, ${telephoneId}, ${suite}, ${sessionId}, ${objet})`
  return { state, nonce, navigateur }
}

/**
 * Spends a round trip: at the return address of the provider it was opened with, in the browser that began it, once, within thirty minutes. Of
 * twenty returns at once, one is right.
 */
export const claimConnexion = <F extends keyof Buts>(
  db: Db,
  fournisseur: F,
  back: { state: string; navigateur: string | undefined },
): Promise<{ ok: true; connexion: Connexion<F>; now: Date } | { ok: false; refusal: ConnexionRefusal }> =>
  db.tx({ kind: 'portier' }, async (tx) => {
    const [connexion] = await tx.sql<(Connexion<F> & { navigateur: Buffer; usedAt: Date | null; createdAt: Date })[]>`
      select id, but, nonce, brouillon_id, telephone_id, suite, session_id, objet, navigateur, used_at, created_at
      from connexion
      where etat = ${hashToken(back.state)} and fournisseur = ${fournisseur}
      for update`
    const now = await tx.clock()
    if (!connexion) return { ok: false, refusal: 'retour_inconnu' }
    if (!back.navigateur || !hashToken(back.navigateur).equals(connexion.navigateur))
      return { ok: false, refusal: 'autre_navigateur' }
    if (connexion.usedAt) return { ok: false, refusal: 'deja_utilise' }
    if (now.getTime() - connexion.createdAt.getTime() > LIFE_MS) return { ok: false, refusal: 'retour_tardif' }

    await tx.sql`update connexion set used_at = ${now}, objet = null where id = ${connexion.id}`
    return { ok: true, connexion, now }
  })

/** Keeps the key set that signed an identity, once, with its line: the evidence must be readable when those keys are long gone. */
export const archiveJwks = (db: Db, jwks: string): Promise<string> =>
  db.tx({ kind: 'portier' }, async (tx) => {
    const id = createHash('sha256').update(jwks).digest('base64url')
    const [known] = await tx.sql`select 1 from jwks_archive where id = ${id}`
    if (known) return id
    // Two first returns at once: the second waits here, then finds it.
    await tx.sql`select pg_advisory_xact_lock(hashtext('jwks_archive'))`
    const [since] = await tx.sql`select 1 from jwks_archive where id = ${id}`
    if (since) return id
    const line = await append(tx, {
      action: 'jwks_archive',
      contenu: { fournisseur: 'franceconnect', id, cles: await thumbprints(jwks) },
    })
    await tx.sql`insert into jwks_archive (id, fournisseur, jwks, journal_id) values (${id}, 'franceconnect', ${jwks}, ${line.id})`
    return id
  })
