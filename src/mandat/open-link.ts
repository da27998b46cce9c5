import type { Db } from '../db.ts'
import { type Opened, openConnexion } from '../oidc/connexion.ts'
import { empreinte, TELEPHONE_LIEN_MS } from './telephone.ts'

type OpenLinkRefusal = 'lien_inconnu'

/** On her telephone: opens the round trip, once, in this browser. Unknown, used and too late are one answer. */
export const openLink = (
  db: Db,
  asked: { jeton: string; navigateur: string | undefined },
): Promise<(Opened & { ok: true }) | { ok: false; refusal: OpenLinkRefusal }> =>
  db.tx({ kind: 'portier' }, async (tx) => {
    const [row] = await tx.sql<{ id: string; nonce: string; createdAt: Date; usedAt: Date | null }[]>`
      select id, nonce, created_at, used_at
      from telephone
      where jeton = ${empreinte(asked.jeton)}
      for update`
    const now = await tx.clock()
    if (!row || row.usedAt || now.getTime() - row.createdAt.getTime() > TELEPHONE_LIEN_MS)
      return { ok: false, refusal: 'lien_inconnu' }
    const opened = await openConnexion(tx, {
      but: 'telephone',
      navigateur: asked.navigateur,
      nonce: row.nonce,
      telephoneId: row.id,
    })
    await tx.sql`update telephone set used_at = ${now}, navigateur = ${empreinte(opened.navigateur)} where id = ${row.id}`
    return { ok: true, ...opened }
  })
