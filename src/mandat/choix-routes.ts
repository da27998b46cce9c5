import { Hono } from 'hono'
import { explainPage } from '../../views/mandat/explain.ts'
import { newMandatPage, protegeePage } from '../../views/mandat/new.ts'
import { RENDRE, rendrePage } from '../../views/mandat/rendre.ts'
import { tooLatePage } from '../../views/mandat/retour.ts'
import type { Db } from '../db.ts'
import { parseForm } from '../form.ts'
import { as } from '../http/as.ts'
import type { AidantContext, Env } from '../http/env.ts'
import { frameOf, grandeFrameOf } from '../http/frame.ts'
import { requireAidant } from '../http/rules.ts'
import { refuseAccord } from './agree.ts'
import { findChoices, listBrouillons } from './brouillon-queries.ts'
import { discardBrouillon } from './discard.ts'
import { choixForm } from './forms.ts'
import { lectureDe, lecturesOffertes } from './langues.ts'
import { chooseAgain, startBrouillon } from './start.ts'

/** What a mandat is, and the choices of one that begins. */
export function choixRoutes({ db }: { db: Db }): Hono<Env> {
  const routes = new Hono<Env>()
  const choices = (c: AidantContext, brouillonId?: string) => db.tx(as(c.var.aidant), (tx) => findChoices(tx, brouillonId))

  routes.get('/mandats/expliquer', requireAidant, async (c) => {
    const { demo, aidant } = c.var
    const lecture = lectureDe(c.req.query('langue'), demo)
    if (!lecture) return c.notFound()
    const frame = grandeFrameOf(c, 'mandat')
    const reprendre = (await db.tx(as(aidant), listBrouillons)).length > 0
    return c.html(explainPage({ frame, structure: aidant.structureNom, lecture, offertes: lecturesOffertes(demo), reprendre }))
  })
  routes.get(RENDRE, requireAidant, (c) => c.html(rendrePage({ frame: frameOf(c) })))
  routes.get('/mandats/nouveau', requireAidant, async (c) =>
    c.html(newMandatPage({ frame: frameOf(c, 'mandat'), ...(await choices(c)) })),
  )
  routes.post('/mandats/nouveau', requireAidant, (c) => choose(c, undefined))
  routes.get('/mandats/brouillons/:brouillonId/choix', requireAidant, async (c) => {
    const shown = await choices(c, c.req.param('brouillonId'))
    return shown.brouillon ? c.html(newMandatPage({ frame: frameOf(c, 'mandat'), ...shown })) : c.notFound()
  })
  routes.post('/mandats/brouillons/:brouillonId/choix', requireAidant, (c) => choose(c, c.req.param('brouillonId')))

  async function choose(c: AidantContext, brouillonId: string | undefined) {
    const { aidant } = c.var
    const form = await parseForm(c, choixForm)
    const frame = frameOf(c, 'mandat')
    const by = as(aidant)
    if (form.ok && form.data.protegee === 'oui') {
      const refused = brouillonId ? await refuseAccord(db, by, brouillonId) : undefined
      if (refused && !refused.ok) return c.html(tooLatePage({ frame: frameOf(c), mandatId: brouillonId! }), 409)
      return c.html(protegeePage({ frame }))
    }
    const result = form.ok
      ? brouillonId
        ? await chooseAgain(db, by, brouillonId, form.data)
        : await startBrouillon(db, by, form.data)
      : undefined
    if (result?.ok) return c.redirect(`/mandats/brouillons/${result.id}/identification`, 303)
    const shown = await choices(c, brouillonId)
    if (brouillonId && !shown.brouillon) return c.notFound()
    const errors = form.ok ? {} : form.errors
    return c.html(newMandatPage({ frame, ...shown, values: form.values, errors, refusal: result?.refusal }), form.ok ? 409 : 422)
  }

  routes.post('/mandats/brouillons/:brouillonId/effacer', requireAidant, async (c) => {
    const discarded = await discardBrouillon(db, as(c.var.aidant), c.req.param('brouillonId'))
    return discarded.ok ? c.redirect('/mandats/nouveau', 303) : c.notFound()
  })
  return routes
}
