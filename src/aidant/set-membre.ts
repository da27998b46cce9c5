import type { Db, Tx, Who } from '../db.ts'
import { append, type NewLine } from '../journal/append.ts'
import { queueMail } from '../notification/queue.ts'
import { type Equipe, type Geste, type GesteRefusal, refusalOfGeste } from './equipe.ts'
import { findMembre, holdEquipe, listAutresReferents, type Membre } from './equipe-queries.ts'
import { messageDeContestations } from './messages.ts'

type SetRefusal = GesteRefusal | 'introuvable'
type Set = { ok: true } | { ok: false; refusal: SetRefusal }

const LIGNE = {
  suspendre: { action: 'aidant_suspendu', contenu: { cause: 'referent' } },
  retablir: { action: 'aidant_retabli', contenu: {} },
  designer: { action: 'structure_modifiee', contenu: { equipe: 'referent_designe' satisfies Equipe } },
  retirer: { action: 'structure_modifiee', contenu: { equipe: 'referent_retire' satisfies Equipe } },
} as const satisfies Record<Geste, Pick<NewLine, 'action' | 'contenu'>>

/** The fifteen days of an answer run already: who comes to direct is told, as those who directed were. */
async function tellWhatWaits(tx: Tx, { structureId }: Who & { kind: 'referent' }, { id, email, prenom }: Membre, line: number) {
  const [asked] = await tx.sql<{ attendue: boolean; structure: string }[]>`
    select nommee_attendue(${id}, ${structureId}) as attendue, nom as structure
    from structure
    where id = ${structureId}`
  if (asked?.attendue)
    await queueMail(tx, `contestation:nommee:${line}`, email, {
      ...messageDeContestations({ prenom, structure: asked.structure }),
      chemin: '/structure/contestations',
    })
}

/** Suspends someone in the calling référent's structure, brings her back, names her référent or no longer, with its line. */
export const setMembre = (
  db: Db,
  by: Who & { kind: 'referent' },
  { aidantId, geste }: { aidantId: string; geste: Geste },
): Promise<Set> =>
  db.tx(by, async (tx) => {
    await holdEquipe(tx, aidantId, by.structureId)
    const membre = await findMembre(tx, aidantId)
    if (!membre) return { ok: false, refusal: 'introuvable' }
    const others = await listAutresReferents(tx, aidantId)
    const refusal = refusalOfGeste(membre, geste, others.length === 0)
    if (refusal) return { ok: false, refusal }
    const line = await append(tx, { ...LIGNE[geste], structureId: by.structureId, cibleAidantId: aidantId })
    await tx.sql`select changer_habilitation(${aidantId}, ${by.structureId}, ${geste})`
    if (geste === 'designer') await tellWhatWaits(tx, by, membre, line.id)
    return { ok: true }
  })
