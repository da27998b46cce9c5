import { Hono } from 'hono'
import { thematiquesPage } from '../../views/mandat/thematiques.ts'
import type { Db } from '../db.ts'
import { parseForm } from '../form.ts'
import { as, asReferent } from '../http/as.ts'
import type { AidantContext, Env } from '../http/env.ts'
import { frameOf } from '../http/frame.ts'
import { requireReferent } from '../http/rules.ts'
import { findActing } from './brouillon-queries.ts'
import { thematiquesForm } from './forms.ts'
import { THEMATIQUES } from './mandat.ts'
import { setThematiques } from './set-thematiques.ts'

const ADRESSE = '/structure/thematiques'

export function thematiquesRoutes({ db }: { db: Db }): Hono<Env> {
  const routes = new Hono<Env>()
  const frame = (c: AidantContext) => frameOf(c, 'thematiques')

  routes.get(ADRESSE, requireReferent, async (c) => {
    const { desactivees } = (await db.tx(as(c.var.aidant), (tx) => findActing(tx)))!
    const offertes = THEMATIQUES.filter((thematique) => !desactivees.includes(thematique))
    return c.html(thematiquesPage({ frame: frame(c), offertes, faites: c.req.query('faites') === '1' }))
  })
  routes.post(ADRESSE, requireReferent, async (c) => {
    const form = await parseForm(c, thematiquesForm)
    const set = form.ok ? await setThematiques(db, asReferent(c.var.aidant), form.data.thematiques) : undefined
    if (set?.ok) return c.redirect(`${ADRESSE}?faites=1`, 303)
    const offertes = [form.values.thematiques ?? []].flat()
    const refusal = set && !set.ok ? set.refusal : undefined
    return c.html(
      thematiquesPage({ frame: frame(c), offertes, refusal, errors: form.ok ? {} : form.errors }),
      form.ok ? 409 : 422,
    )
  })
  return routes
}
