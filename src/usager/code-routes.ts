import { type Context, Hono } from 'hono'
import { codePage, confirmerCodePage, confirmerPage, toutVoirPage } from '../../views/usager/code.ts'
import { monCodePage, nouveauCodePage } from '../../views/usager/mon-code.ts'
import type { Config } from '../config.ts'
import type { Db } from '../db.ts'
import { parseForm } from '../form.ts'
import { asUsager } from '../http/as.ts'
import type { Env, UsagerContext } from '../http/env.ts'
import { frameOf, openFrame } from '../http/frame.ts'
import { limitAddress } from '../http/limit-rate.ts'
import { localPath } from '../http/local-path.ts'
import type { Log } from '../http/log.ts'
import type { Throttled } from '../http/rates.ts'
import { publicPage, requireUsager, requireUsagerParCode, STEP_UP } from '../http/rules.ts'
import { signIn } from '../http/session.ts'
import { changeCode } from './change-code.ts'
import { masque } from './code-prive.ts'
import { findContactProuve, listCodesPrives, listUsagesDuCode } from './code-queries.ts'
import { confirmContact } from './confirm-contact.ts'
import { changeCodeForm, codePriveForm, preuveForm } from './forms.ts'
import { openByCode } from './open-by-code.ts'
import { listStructuresDe } from './queries.ts'
import { type SendProofRefusal, sendProof } from './send-proof.ts'

/** Her space with the private code of her paper: opened, then confirmed by a code sent to her; and that private code itself. */
export function codeRoutes({ db, config, log }: { db: Db; config: Config; log: Log }): Hono<Env> {
  const { secretsKey } = config
  const routes = new Hono<Env>()

  // The door

  // The private code is never shown again.
  const waiting = async (c: Context<Env>, wait: Throttled) =>
    codePage({ frame: openFrame(c), values: { annee: (await parseForm(c, codePriveForm)).values.annee }, wait })
  const perAddress = limitAddress(db, config, 'code_prive_adresse', waiting)
  routes.get('/mon-espace/code', publicPage, (c) =>
    c.var.usager ? c.redirect('/mon-espace', 303) : c.html(codePage({ frame: openFrame(c) })),
  )
  routes.post('/mon-espace/code', publicPage, perAddress, async (c) => {
    const form = await parseForm(c, codePriveForm)
    if (!form.ok) return c.html(codePage({ frame: openFrame(c), values: form.values, errors: form.errors }), 422)
    const opened = await openByCode(db, { ...form.data, previousSession: c.var.sessionId }, secretsKey)
    // Nothing of what was typed is shown again: the answer is the same to the byte.
    if (!opened.ok) return c.html(codePage({ frame: openFrame(c), refusal: opened.refusal }), 409)
    await signIn(c, db, config, opened.token)
    return c.redirect('/mon-espace', 303)
  })

  // More than reading

  const structures = (c: UsagerContext) => db.tx(asUsager(c.var.usager), listStructuresDe)
  routes.get(STEP_UP.identite, requireUsagerParCode, async (c) =>
    c.var.usager.niveau === 'identite'
      ? c.redirect('/mon-espace', 303)
      : c.html(toutVoirPage({ frame: frameOf(c), structures: await structures(c) })),
  )

  /** Where she was going, in her space only. */
  const suiteOf = (c: UsagerContext) => {
    const suite = localPath(c.req.query('suite'))
    return suite?.startsWith('/mon-espace/') ? suite : '/mon-espace'
  }
  const holderOf = (c: UsagerContext) => ({ sessionId: c.var.sessionId!, usagerIds: c.var.usager.ids })
  const contactOf = (c: UsagerContext) => db.tx({ kind: 'portier' }, (tx) => findContactProuve(tx, c.var.usager.ids[0]!))
  const codeAddress = (c: UsagerContext) => `${STEP_UP.contact}/code?suite=${encodeURIComponent(suiteOf(c))}`
  const asking = async (c: UsagerContext, refusal?: SendProofRefusal) => {
    const contact = await contactOf(c)
    const props = {
      frame: frameOf(c),
      contact: contact && masque(contact),
      structures: await structures(c),
      suite: suiteOf(c),
      refusal,
    }
    return c.html(confirmerPage(props), refusal ? 409 : 200)
  }
  routes.get(STEP_UP.contact, requireUsagerParCode, async (c) =>
    c.var.usager.niveau === 'code_prive' ? asking(c) : c.redirect(suiteOf(c), 303),
  )
  routes.post(STEP_UP.contact, requireUsagerParCode, async (c) => {
    if (c.var.usager.niveau !== 'code_prive') return c.redirect(suiteOf(c), 303)
    const sent = await sendProof(db, holderOf(c), { ...config, log })
    return sent.ok ? c.redirect(codeAddress(c), 303) : asking(c, sent.refusal)
  })
  const typing = async (c: UsagerContext, more: Pick<Parameters<typeof confirmerCodePage>[0], 'errors' | 'refusal'> = {}) => {
    const contact = await contactOf(c)
    if (!contact) return c.redirect(STEP_UP.contact, 303)
    const status = more.errors ? 422 : more.refusal ? 409 : 200
    return c.html(confirmerCodePage({ frame: frameOf(c), contact: masque(contact), suite: suiteOf(c), ...more }), status)
  }
  routes.get(`${STEP_UP.contact}/code`, requireUsagerParCode, async (c) =>
    c.var.usager.niveau === 'code_prive' ? typing(c) : c.redirect(suiteOf(c), 303),
  )
  routes.post(`${STEP_UP.contact}/code`, requireUsagerParCode, async (c) => {
    if (c.var.usager.niveau !== 'code_prive') return c.redirect(suiteOf(c), 303)
    const form = await parseForm(c, preuveForm)
    if (!form.ok) return typing(c, { errors: form.errors })
    const proven = await confirmContact(db, holderOf(c), form.data.code, secretsKey)
    if (!proven.ok) return typing(c, { refusal: proven.refusal })
    await signIn(c, db, config, proven.token)
    return c.redirect(suiteOf(c), 303)
  })

  // Her code itself, once FranceConnect said who she is

  const mine = async (c: UsagerContext, errors?: Parameters<typeof monCodePage>[0]['errors']) => {
    const shown = await db.tx(asUsager(c.var.usager), async (tx) => ({
      codes: await listCodesPrives(tx),
      usages: await listUsagesDuCode(tx),
      fuseau: (await listStructuresDe(tx))[0]?.fuseau ?? 'Europe/Paris',
      now: tx.now,
    }))
    const prouve = (await contactOf(c)) !== undefined
    // The log says that her space was opened with a code, not with which: since the oldest of those that serve.
    const since = shown.codes.at(-1)?.createdAt
    const last = shown.usages.find(({ genre, at }) => genre === 'espace_ouvert_par_code' && since && at >= since)
    return c.html(monCodePage({ frame: frameOf(c, 'donnees'), ...shown, prouve, usedAt: last?.at, errors }), errors ? 422 : 200)
  }
  routes.get('/mon-espace/code-papier', requireUsager, (c) => mine(c))
  routes.post('/mon-espace/code-papier', requireUsager, async (c) => {
    const form = await parseForm(c, changeCodeForm)
    // A button always says what it does: a form without it was not ours.
    if (!form.ok) return mine(c, form.errors)
    const { code } = await changeCode(db, asUsager(c.var.usager), form.data.geste, secretsKey)
    // 200 and not a redirect: the code is told this once, and is kept nowhere where an address could find it again.
    if (code !== undefined) return c.html(nouveauCodePage({ frame: frameOf(c, 'donnees'), code }))
    return c.redirect('/mon-espace/code-papier', 303)
  })
  return routes
}
