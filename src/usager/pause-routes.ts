import { Hono } from 'hono'
import { pausePage, reprisePage } from '../../views/usager/pause.ts'
import type { Db } from '../db.ts'
import { parseForm } from '../form.ts'
import { asUsager } from '../http/as.ts'
import type { Env, UsagerContext } from '../http/env.ts'
import { frameOf } from '../http/frame.ts'
import { requireUsager, requireUsagerProuve } from '../http/rules.ts'
import type { PauseRefusal, ResumeRefusal } from '../mandat/fin.ts'
import { arretForm } from '../mandat/forms.ts'
import { pauseMandat } from '../mandat/pause.ts'
import { findMandat } from '../mandat/queries.ts'
import { resumeMandat } from '../mandat/resume.ts'

/** Her pause, and its end: she alone has both. */
const GESTES = {
  pause: { change: pauseMandat, show: pausePage, done: 'deja_en_pause', left: 'pausables' },
  reprise: { change: resumeMandat, show: reprisePage, done: 'pas_en_pause', left: 'enPause' },
} as const

export function pauseRoutes({ db }: { db: Db }): Hono<Env> {
  const routes = new Hono<Env>()

  for (const geste of ['pause', 'reprise'] as const) {
    const { change, show, done, left } = GESTES[geste]
    const path = `/mon-espace/mandats/:mandatId/${geste}` as const
    const asking = async (c: UsagerContext, mandatId: string, refusal?: PauseRefusal | ResumeRefusal) => {
      const mandat = await db.tx(asUsager(c.var.usager), (tx) => findMandat(tx, mandatId))
      if (!mandat) return c.notFound()
      if (mandat[left].length === 0 && !refusal) return c.redirect(`/mon-espace/mandats/${mandatId}`, 303)
      return c.html(show({ frame: frameOf(c, 'mandats'), mandat, refusal }), refusal ? 409 : 200)
    }
    // A pause takes power away; its end gives it back, for which her paper is never enough.
    const rule = geste === 'pause' ? requireUsagerProuve : requireUsager
    routes.get(path, rule, (c) => asking(c, c.req.param('mandatId')!))
    routes.post(path, rule, async (c) => {
      const mandatId = c.req.param('mandatId')!
      const form = await parseForm(c, arretForm)
      const quoi = form.ok ? form.data.quoi : null
      // A button always says what it changes: a form without it was not ours.
      if (!quoi) return asking(c, mandatId, 'thematique_absente')
      const thematique = quoi === 'tout' ? undefined : quoi
      const changed = await change(db, asUsager(c.var.usager), { mandatId, thematique })
      // Pressed twice: what she wanted is so.
      if (changed.ok || changed.refusal === done) return c.redirect(`/mon-espace/mandats/${mandatId}`, 303)
      return asking(c, mandatId, changed.refusal)
    })
  }
  return routes
}
