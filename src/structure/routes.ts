import { Hono } from 'hono'
import { chooseStructurePage } from '../../views/structure/choose.ts'
import type { Config } from '../config.ts'
import type { Db } from '../db.ts'
import { parseForm } from '../form.ts'
import type { Env } from '../http/env.ts'
import { frameOf } from '../http/frame.ts'
import { localPath } from '../http/local-path.ts'
import { requireAidant } from '../http/rules.ts'
import { signIn } from '../http/session.ts'
import { chooseStructure, listStructures } from './choose.ts'
import { chooseForm } from './forms.ts'

export const STRUCTURES_PATH = '/structures'

export function structureRoutes({ db, config }: { db: Db; config: Config }): Hono<Env> {
  const routes = new Hono<Env>()

  routes.get(STRUCTURES_PATH, requireAidant, async (c) =>
    c.html(
      chooseStructurePage({
        frame: frameOf(c),
        structures: await listStructures(db, c.var.aidant.id),
        current: c.var.aidant.structureId,
        parProconnect: c.var.aidant.parProconnect,
      }),
    ),
  )
  routes.post(STRUCTURES_PATH, requireAidant, async (c) => {
    const { aidant, sessionId } = c.var
    const form = await parseForm(c, chooseForm)
    const by = { aidantId: aidant.id, sessionId: sessionId!, previousStructureId: aidant.structureId || null }
    const chosen = form.ok ? await chooseStructure(db, by, form.data.structure) : form
    if (!chosen.ok)
      return c.html(
        chooseStructurePage({
          frame: frameOf(c),
          structures: await listStructures(db, aidant.id),
          current: aidant.structureId,
          parProconnect: aidant.parProconnect,
          refusal: true,
        }),
        form.ok ? 409 : 422,
      )
    await signIn(c, db, config, chosen.token)
    return c.redirect(localPath(c.req.query('suite')) ?? '/personnes', 303)
  })
  return routes
}
