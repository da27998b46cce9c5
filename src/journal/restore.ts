import type { Db, Tx } from '../db.ts'
import { append } from './append.ts'
import type { Signer } from './note.ts'
import { nomSuivant, type Restauration } from './restauration.ts'
import { placeAll } from './sequence.ts'

export type RestoreRefusal = 'service_en_marche'
type Restored = { ok: true; nom: string } | { ok: false; refusal: RestoreRefusal }

/**
 * What ends a restore, in one transaction of the administrator (`db` is his, and nobody else is there): the `restauration` line, every line that
 * waited in the tree, a checkpoint in the tree's new name, and a new epoch. `signerOf`: the journal's key under a name.
 */
export const restoreJournal = (
  db: Db,
  { signerOf, ...said }: Omit<Restauration, 'nom'> & { signerOf: (nom: string) => Signer },
): Promise<Restored> =>
  db.tx({ kind: 'operator' }, async (tx) => {
    await tx.sql`set local role traitdunion_owner`
    await tx.sql`lock table journal in share row exclusive mode`
    if (await isServed(tx)) return { ok: false, refusal: 'service_en_marche' }
    const [clock] = await tx.sql<{ at: Date }[]>`select clock_timestamp() as at`
    const nom = nomSuivant(said.avant, clock!.at)
    const contenu: Restauration = { ...said, nom }
    await append(tx, { action: 'restauration', contenu })
    await placeAll(tx, signerOf(nom), await openEpoch(tx))
    return { ok: true, nom }
  })

/** Someone of the service is connected. */
async function isServed(tx: Tx): Promise<boolean> {
  const others = await tx.sql`
    select 1
    from pg_stat_activity
    where datname = current_database() and usename in ('traitdunion_app', 'traitdunion_sequencer')
    limit 1`
  return others.length > 0
}

/** Lines written from here on have this transaction or a later one, whatever the ids of those before. A sequencer of before signs in another name. */
async function openEpoch(tx: Tx): Promise<number> {
  const [bail] = await tx.sql<{ epoch: number }[]>`
    update journal_bail
    set epoch = epoch + 1, titulaire = null, jusqu_a = null, horizon = pg_current_xact_id()
    returning epoch`
  return bail!.epoch
}
