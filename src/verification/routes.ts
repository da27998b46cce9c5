import { Hono } from 'hono'
import type { Config } from '../config.ts'
import type { Db } from '../db.ts'
import type { Env } from '../http/env.ts'
import { publicPage } from '../http/rules.ts'
import type { Thematique } from '../mandat/mandat.ts'
import type { SealKeys } from '../mandat/sceau.ts'
import { encodeList, placeDe, type Statut, signStatusList, slotDe } from '../mandat/statut.ts'
import { listKeys } from './publish-key.ts'

/** What anyone may fetch to check a mandat without asking us about it: keys and status lists, readable from any page (CORS). */
export function verificationRoutes({ db, config, seal }: { db: Db; config: Config; seal: SealKeys }): Hono<Env> {
  const routes = new Hono<Env>()

  routes.get('/.well-known/jwks.json', publicPage, async (c) => {
    c.header('Access-Control-Allow-Origin', '*')
    c.header('Cache-Control', 'public, max-age=300')
    return c.json({ keys: await listKeys(db) })
  })

  // IETF Token Status List: the whole list is fetched, so asking tells nothing of which mandat is looked at.
  routes.get('/statuts/:liste{[0-9]{1,4}}', publicPage, async (c) => {
    const liste = Number(c.req.param('liste'))
    const { statuts, lists, now } = await db.tx({ kind: 'verifier' }, async (tx) => ({
      statuts: await tx.sql<
        { bloc: number; thematique: Thematique; etat: Statut }[]
      >`select bloc, thematique, etat from statuts(${liste})`,
      lists: (await tx.sql<{ count: number }[]>`select listes() as count`)[0]!.count,
      now: tx.now,
    }))
    if (liste >= lists) return c.notFound()
    const lst = encodeList(
      statuts.map(({ bloc, thematique, etat }) => ({ slot: slotDe(placeDe(bloc).idx, thematique), statut: etat })),
    )
    c.header('Access-Control-Allow-Origin', '*')
    c.header('Cache-Control', 'public, max-age=5')
    c.header('Content-Type', 'application/statuslist+jwt')
    return c.body(await signStatusList({ sub: `${config.publicUrl}/statuts/${liste}`, lst, now }, seal.current))
  })
  return routes
}
