import { Hono } from 'hono'
import { codeContactPage, contactsPage } from '../../views/mandat/changer-contact.ts'
import type { Door } from '../aidant/sign-in.ts'
import type { Spend } from '../aidant/spend-factor.ts'
import type { Db, Tx, Who } from '../db.ts'
import { parseForm } from '../form.ts'
import { as, asUsager } from '../http/as.ts'
import { confirmed } from '../http/confirm.ts'
import type { AidantContext, Env, UsagerContext } from '../http/env.ts'
import { calm } from '../http/errors.ts'
import { frameOf } from '../http/frame.ts'
import { requireAidant, requireUsager, withDossier, withFactor } from '../http/rules.ts'
import type { SmsDoor } from '../notification/budget.ts'
import { recordAcces } from '../usager/access.ts'
import { findUsager, listStructuresDe } from '../usager/queries.ts'
import { askContact } from './ask-contact.ts'
import { type ChangeRefusal, changeContact } from './change-contact.ts'
import type { Lecteur } from './contact.ts'
import { findAttendu, findAvecContact, listChangements, listContacts } from './contact-queries.ts'
import { changementForm, gesteChangementForm, recuForm } from './forms.ts'

type Change = (spend?: Spend) => ReturnType<typeof changeContact>
/** Who changes how a person is told: she, or the aidant who is with her and confirms it with a fresh second factor. */
type Side = {
  c: UsagerContext | AidantContext
  by: Who & { kind: 'aidant' | 'usager' }
  usagerId: string
  ici: string
  frame: ReturnType<typeof frameOf>
  confirm: (change: Change) => Promise<{ ok: true } | { ok: false; refusal: ChangeRefusal } | Response>
}
type Shown = Pick<Parameters<typeof contactsPage>[0], 'values' | 'errors' | 'refusal'>

/** How a person is told, changed outside of any mandat. */
export function changementRoutes({ db, door }: { db: Db; door: SmsDoor & Door }): Hono<Env> {
  const routes = new Hono<Env>()
  const herself = (c: UsagerContext): Side => ({
    c,
    by: asUsager(c.var.usager),
    usagerId: c.var.usager.ids[0]!,
    ici: '/mon-espace/contacts',
    frame: frameOf(c, 'donnees'),
    confirm: (change) => change(),
  })
  const withHer = (c: AidantContext): Side => {
    const usagerId = c.req.param('usagerId')!
    const confirm: Side['confirm'] = (change) => confirmed(c, { db, door }, change)
    return { c, by: as(c.var.aidant), usagerId, ici: `/personnes/${usagerId}/contact`, frame: frameOf(c, 'personnes'), confirm }
  }

  /** Without a mandat in force her dossier says so; she herself is always there. */
  const closed = async (tx: Tx, { c, usagerId }: Side) =>
    tx.who.kind === 'aidant' && (await findUsager(tx, usagerId)) ? c.redirect(`/personnes/${usagerId}`, 303) : c.notFound()

  const show = async (side: Side, status: 200 | 409 | 422, more: Shown = {}) => {
    const { c, by, usagerId, frame, ici } = side
    const elle = by.kind === 'usager'
    const shown = await db.tx(by, async (tx) => {
      const usager = await findAvecContact(tx, usagerId)
      if (!usager) return closed(tx, side)
      if (!elle) await recordAcces(tx, { genre: 'dossier_consulte', usagerId })
      const fuseau = (elle ? (await listStructuresDe(tx))[0]?.fuseau : undefined) ?? 'Europe/Paris'
      const contacts = elle ? await listContacts(tx) : [usager]
      return { usager, contacts, changements: elle ? await listChangements(tx) : [], fuseau }
    })
    if (shown instanceof Response) return shown
    return c.html(contactsPage({ frame, elle, ici, ...shown, fait: c.req.query('fait') === '1', ...more }), status)
  }
  const typing = async (side: Side, status: 200 | 409 | 422, more: Shown = {}) => {
    const { c, by, usagerId, frame, ici } = side
    const shown = await db.tx(by, async (tx) => {
      const usager = await findAvecContact(tx, usagerId)
      return usager ? { usager, attendu: await findAttendu(tx, usagerId) } : closed(tx, side)
    })
    if (shown instanceof Response) return shown
    const { usager, attendu } = shown
    // Served, or forgotten: where she is told now is what there is to see.
    if (!attendu) return status === 409 ? show(side, status, more) : c.redirect(ici, 303)
    return c.html(codeContactPage({ frame, elle: by.kind === 'usager', ici, usager, attendu, ...more }), status)
  }
  const ask = async (side: Side, way: { suivi: 'email' | 'sms'; contact: string }, values: Shown['values'] = {}) => {
    const { c, by, usagerId, ici } = side
    const asked = await askContact(db, by, usagerId, way, door)
    if (asked.ok) return c.redirect(`${ici}/code`, 303)
    if (asked.refusal === 'trop_de_codes') return calm(c, 429, asked.retryAfter)
    return show(side, 409, { values, refusal: asked.refusal })
  }
  const change = async (side: Side, said?: { code: string; lecteur: Lecteur | null }, values: Shown['values'] = {}) => {
    const { c, by, usagerId } = side
    const changed = await side.confirm((spend) => changeContact(db, by, usagerId, said, { secretsKey: door.secretsKey, spend }))
    if (changed instanceof Response) return changed
    if (changed.ok) return c.redirect(`${side.ici}?fait=1`, 303)
    return (said ? typing : show)(side, 409, { values, refusal: changed.refusal })
  }

  const choosing = async (side: Side) => {
    const form = await parseForm(side.c, changementForm)
    if (!form.ok) return show(side, 422, { values: form.values, errors: form.errors })
    const { suivi, email, mobile } = form.data
    return suivi === 'papier' ? change(side) : ask(side, { suivi, contact: (suivi === 'sms' ? mobile : email)! }, form.values)
  }
  const answering = async (side: Side) => {
    const geste = await parseForm(side.c, gesteChangementForm)
    if (geste.ok && geste.data.geste === 'renvoyer') {
      const attendu = await db.tx(side.by, (tx) => findAttendu(tx, side.usagerId))
      return attendu ? ask(side, attendu) : typing(side, 200)
    }
    const form = await parseForm(side.c, recuForm)
    if (!form.ok) return typing(side, 422, { values: form.values, errors: form.errors })
    return change(side, { code: form.data.recu, lecteur: form.data.lecteur }, form.values)
  }

  routes.get('/mon-espace/contacts', requireUsager, (c) => show(herself(c), 200))
  routes.post('/mon-espace/contacts', requireUsager, (c) => choosing(herself(c)))
  routes.get('/mon-espace/contacts/code', requireUsager, (c) => typing(herself(c), 200))
  routes.post('/mon-espace/contacts/code', requireUsager, (c) => answering(herself(c)))

  routes.get('/personnes/:usagerId/contact', requireAidant, withDossier, (c) => show(withHer(c), 200))
  routes.post('/personnes/:usagerId/contact', requireAidant, withDossier, withFactor('contact'), (c) => choosing(withHer(c)))
  routes.get('/personnes/:usagerId/contact/code', requireAidant, withDossier, (c) => typing(withHer(c), 200))
  routes.post('/personnes/:usagerId/contact/code', requireAidant, withDossier, withFactor('contact'), (c) =>
    answering(withHer(c)),
  )
  return routes
}
