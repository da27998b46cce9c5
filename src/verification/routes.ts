import { Hono } from 'hono'
import type { Config } from '../config.ts'
import type { Db } from '../db.ts'
import type { Env } from '../http/env.ts'
import { addressOf, limitRate } from '../http/limit-rate.ts'
import { publicPage } from '../http/rules.ts'
import type { SealKeys } from '../mandat/sceau.ts'
import { encodeList, placeDe, signStatusList, slotDe } from '../mandat/statut.ts'
import { listKeys, listStatuts } from './queries.ts'

const FRESH_MS = 5_000

/** What anyone may fetch to check a mandat without asking us about it: keys and status lists, readable from any page (CORS). */
export function verificationRoutes({ db, config, seal }: { db: Db; config: Config; seal: SealKeys }): Hono<Env> {
  const routes = new Hono<Env>()

  routes.get('/.well-known/jwks.json', publicPage, async (c) => {
    c.header('Access-Control-Allow-Origin', '*')
    c.header('Cache-Control', 'public, max-age=300')
    return c.json({ keys: await db.tx({ kind: 'verifier' }, listKeys) })
  })

  const sign = async (liste: number) => {
    const { statuts, now } = await db.tx({ kind: 'verifier' }, async (tx) => ({
      statuts: await listStatuts(tx, liste),
      now: tx.now,
    }))
    if (!statuts) return undefined
    const lst = encodeList(
      statuts.map(({ bloc, thematique, etat }) => ({ slot: slotDe(placeDe(bloc).idx, thematique), statut: etat })),
    )
    return signStatusList({ sub: `${config.publicUrl}/statuts/${liste}`, lst, now }, seal.current)
  }
  // A list is long to read and to sign, and anyone may ask: the same one serves all who ask within its five seconds.
  const signed = new Map<number, Promise<string | undefined>>()
  const signOnce = (liste: number) => {
    const kept = signed.get(liste)
    if (kept) return kept
    const fresh = sign(liste)
    signed.set(liste, fresh)
    setTimeout(() => signed.delete(liste), FRESH_MS).unref()
    fresh.catch(() => signed.delete(liste))
    return fresh
  }

  // IETF Token Status List: the whole list is fetched, so asking tells nothing of which mandat is looked at.
  const perAddress = limitRate(db, 'verification_adresse', (c) => addressOf(c, config.proxies))
  routes.get('/statuts/:liste{[0-9]{1,4}}', publicPage, perAddress, async (c) => {
    const list = await signOnce(Number(c.req.param('liste')))
    if (!list) return c.notFound()
    c.header('Access-Control-Allow-Origin', '*')
    c.header('Cache-Control', 'public, max-age=5')
    c.header('Content-Type', 'application/statuslist+jwt')
    return c.body(list)
  })
  return routes
}
