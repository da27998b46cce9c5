import { Hono } from 'hono'
import { contactPage } from '../../views/mandat/contact.ts'
import type { Db } from '../db.ts'
import { parseForm } from '../form.ts'
import { as } from '../http/as.ts'
import type { AidantContext, Env } from '../http/env.ts'
import { frameOf } from '../http/frame.ts'
import { requireAidant } from '../http/rules.ts'
import type { SmsDoor } from '../notification/budget.ts'
import { findBrouillon } from './brouillon-queries.ts'
import { contactPret, resteADire } from './contact.ts'
import { contactForm, gesteContactForm } from './forms.ts'
import { keepPaper } from './keep-paper.ts'
import { proveContact } from './prove-contact.ts'
import { type SendRefusal, sendCode } from './send-code.ts'

/** Why no code left when she had just said yes, in the address of this page. */
const NON_ENVOYE: Readonly<Record<string, SendRefusal>> = { non: 'trop_de_codes', sms: 'plus_de_sms' }

/** Between her yes and the structure's: the contact she gave is proven, or she is told on paper. */
export function contactRoutes({ db, door }: { db: Db; door: SmsDoor }): Hono<Env> {
  const routes = new Hono<Env>()
  const step = (id: string, name: string) => `/mandats/brouillons/${id}/${name}`

  const show = async (
    c: AidantContext,
    brouillonId: string,
    status: 200 | 409 | 422,
    more: Partial<Parameters<typeof contactPage>[0]> = {},
  ) => {
    const brouillon = await db.tx(as(c.var.aidant), (tx) => findBrouillon(tx, brouillonId))
    if (!brouillon) return c.notFound()
    if (!brouillon.accordAt) return c.redirect(step(brouillonId, 'accord'), 303)
    if (contactPret(brouillon)) return c.redirect(step(brouillonId, 'acceptation'), 303)
    return c.html(contactPage({ frame: frameOf(c, 'mandat'), brouillon, ...more }), status)
  }

  routes.get('/mandats/brouillons/:brouillonId/contact', requireAidant, (c) =>
    show(c, c.req.param('brouillonId'), 200, { refusal: NON_ENVOYE[c.req.query('envoye') ?? ''] }),
  )
  routes.post('/mandats/brouillons/:brouillonId/contact', requireAidant, async (c) => {
    const by = as(c.var.aidant)
    const brouillonId = c.req.param('brouillonId')
    const geste = await parseForm(c, gesteContactForm)
    if (!geste.ok) return show(c, brouillonId, 422)
    if (geste.data.geste === 'papier') {
      const kept = await keepPaper(db, by, brouillonId)
      return kept.ok ? c.redirect(step(brouillonId, 'acceptation'), 303) : show(c, brouillonId, 409)
    }
    if (geste.data.geste === 'renvoyer') {
      const sent = await sendCode(db, by, brouillonId, door)
      return sent.ok ? c.redirect(step(brouillonId, 'contact'), 303) : show(c, brouillonId, 409, { refusal: sent.refusal })
    }
    const brouillon = await db.tx(by, (tx) => findBrouillon(tx, brouillonId))
    const form = await parseForm(c, contactForm(brouillon ? resteADire(brouillon) : { code: false, lecteur: false }))
    const { values } = form
    if (!form.ok) return show(c, brouillonId, 422, { values, errors: form.errors })
    const said = { code: form.data.code ?? null, lecteur: form.data.lecteur ?? null }
    const proven = await proveContact(db, by, brouillonId, said, door.secretsKey)
    return proven.ok
      ? c.redirect(step(brouillonId, 'acceptation'), 303)
      : show(c, brouillonId, 409, { values, refusal: proven.refusal })
  })
  return routes
}
