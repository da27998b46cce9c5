import { Hono } from 'hono'
import { papiersDusPage } from '../../views/mandat/papier-du.ts'
import type { Db } from '../db.ts'
import { parseForm } from '../form.ts'
import { as } from '../http/as.ts'
import type { Env } from '../http/env.ts'
import { frameOf } from '../http/frame.ts'
import { requireAidant } from '../http/rules.ts'
import { remisForm } from './forms.ts'
import { handOver, takeBack } from './hand-over.ts'
import { listPapiersDus, listPapiersRemis } from './papier-du-queries.ts'

const ADRESSE = '/a-remettre'
/** What has just been done, in the address. */
const FAITS = ['remis', 'annule'] as const

/** What the structure's persons are still owed on paper: the list any of its aidants works from. */
export function papierDuRoutes({ db }: { db: Db }): Hono<Env> {
  const routes = new Hono<Env>()
  routes.get(ADRESSE, requireAidant, async (c) => {
    const { fuseau } = c.var.aidant
    const papiers = await db.tx(as(c.var.aidant), async (tx) => ({
      dus: await listPapiersDus(tx),
      remis: await listPapiersRemis(tx, fuseau),
    }))
    const fait = FAITS.find((one) => c.req.query(one) === '1')
    return c.html(papiersDusPage({ frame: frameOf(c, 'personnes'), ...papiers, fait, fuseau }))
  })
  routes.post(ADRESSE, requireAidant, async (c) => {
    const form = await parseForm(c, remisForm)
    const done = form.ok ? await handOver(db, as(c.var.aidant), form.data.papier) : undefined
    return done?.ok ? c.redirect(`${ADRESSE}?remis=1`, 303) : c.notFound()
  })
  routes.post(`${ADRESSE}/annuler`, requireAidant, async (c) => {
    const form = await parseForm(c, remisForm)
    const done = form.ok ? await takeBack(db, as(c.var.aidant), form.data.papier, c.var.aidant.fuseau) : undefined
    return done?.ok ? c.redirect(`${ADRESSE}?annule=1`, 303) : c.notFound()
  })
  return routes
}
