import type { Db, Tx } from '../db.ts'
import { append } from '../journal/append.ts'
import { hers } from '../structure/mine.ts'
import type { Identite } from '../usager/identite.ts'
import { messageDeReunion } from '../usager/messages.ts'
import { newUuid } from '../uuid.ts'
import { announceEnd, announceIdentites } from './announce.ts'
import { endAutorisations } from './end.ts'
import type { Thematique } from './mandat.ts'
import { lockToEnd } from './queries.ts'

/** One refusal for all: another civil status, a paper replaced meanwhile, no paper at all. */
export type UniteRefusal = 'reunion_refusee'

/**
 * Unites two identities of one person: the one whose paper's code opened this session, and the one that FranceConnect has just given under another
 * sub (ADR 0036). Both rows and histories stay; each has its line, what she gave twice to the same structure ends but for the newer, and she is told
 * wherever she proved that she is reached. The same sub, or identities united already: nothing to do.
 */
export async function uniteIdentites(
  db: Db,
  identite: Identite,
  sessionId: string | undefined,
): Promise<{ ok: true } | { ok: false; refusal: UniteRefusal }> {
  const both = sessionId && (await db.tx({ kind: 'portier' }, (tx) => findBoth(tx, sessionId, identite.sub)))
  if (!both) return { ok: false, refusal: 'reunion_refusee' }
  if (both.une) return { ok: true }
  return db.tx({ kind: 'usager', usagerIds: both.ids, niveau: 'identite' }, async (tx) => {
    const { sub, prenoms, nomNaissance, nomUsage = null, birthdate, birthplace = null, birthcountry } = identite
    const [row] = await tx.sql<{ united: boolean | null }[]>`
      select reunir_identites(${sessionId}, ${both.id}, ${sub}, ${prenoms}, ${nomNaissance}, ${nomUsage}, ${birthdate}, ${birthplace},
        ${birthcountry}) as united`
    if (row!.united === false) return { ok: false, refusal: 'reunion_refusee' }
    // At once from two places: the other has just done it.
    if (row!.united === null) return { ok: true }
    await endDoubles(tx)
    await writeIdentites(tx, both.ids, { reunies: [...both.ids].sort() })
    await announceIdentites(tx, both.ids, 'reunion', messageDeReunion)
    return { ok: true }
  })
}

/** Every identity of both sides; `id`: of this sub's row, or for it; `une`: they are one already. */
async function findBoth(tx: Tx, sessionId: string, sub: string) {
  const [found] = await tx.sql<{ ids: string[]; id: string | null; une: boolean }[]>`
    select b.id, coalesce(a.personne_id = b.personne_id, false) as une,
      array(select o.id from usager o where o.erased_at is null and o.personne_id in (a.personne_id, b.personne_id)) as ids
    from session s
    join usager a on a.id = s.usager_id
    left join usager b on b.sub = ${sub}
    where s.id = ${sessionId} and s.code_prive_id is not null and s.ended_at is null`
  if (!found) return undefined
  const id = found.id ?? newUuid(tx)
  return { id, une: found.une, ids: found.id ? found.ids : [...found.ids, id] }
}

/**
 * Of a thématique in force twice with the same structure, under two identities, the older ends: she had granted it again. All held before it is
 * decided, in the order of their ids: a stop of the newer comes before, and the older goes on, or after. Told as any end.
 */
async function endDoubles(tx: Tx): Promise<void> {
  for (const { mandatId } of await listDoubles(tx)) await lockToEnd(tx, mandatId)
  for (const { mandatId, remplacees } of await listDoubles(tx)) {
    if (!remplacees) continue
    const mandat = await lockToEnd(tx, mandatId)
    const end = await endAutorisations(tx, mandat!, remplacees, 'remplace', tx.now)
    await announceEnd(tx, mandat!, { how: 'remplace', at: tx.now, ...end })
  }
}

/** `remplacees`: its thématiques that another of hers, newer, holds too. */
const listDoubles = (tx: Tx) => tx.sql<{ mandatId: string; remplacees: Thematique[] | null }[]>`
  select a.mandat_id, array_agg(distinct a.thematique) filter (where (b.signed_at, b.journal_id) > (a.signed_at, a.journal_id)) as remplacees
  from autorisation a
  join autorisation b on b.structure_id = a.structure_id and b.thematique = a.thematique and b.usager_id <> a.usager_id
  where ${hers(tx, 'a.usager_id')} and a.revoked_at is null and a.expires_at > ${tx.now}
    and ${hers(tx, 'b.usager_id')} and b.revoked_at is null and b.expires_at > ${tx.now}
  group by a.mandat_id
  order by a.mandat_id`

/** One line for each identity: whose she is has changed. */
export async function writeIdentites(tx: Tx, ids: readonly string[], contenu: Readonly<Record<string, unknown>>): Promise<void> {
  for (const usagerId of ids)
    await append(tx, { action: 'identite_modifiee', usagerId, contenu: { champs: ['personne'], ...contenu } })
}
