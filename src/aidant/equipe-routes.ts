import { type Context, Hono } from 'hono'
import { equipePage } from '../../views/aidant/equipe.ts'
import { facteurPage } from '../../views/aidant/facteur.ts'
import { invitationPage } from '../../views/aidant/invitation.ts'
import { inviterPage } from '../../views/aidant/inviter.ts'
import { gestePage, membrePage } from '../../views/aidant/membre.ts'
import { codesPage } from '../../views/aidant/moyens.ts'
import { commencerPage, fermeePage, rejoindrePage, rejointPage } from '../../views/aidant/rejoindre.ts'
import type { Errors } from '../../views/kit/form.ts'
import type { Config } from '../config.ts'
import type { Db } from '../db.ts'
import { parseForm } from '../form.ts'
import { asReferent } from '../http/as.ts'
import { confirmed } from '../http/confirm.ts'
import type { AidantContext, Env } from '../http/env.ts'
import { frameOf, openFrame } from '../http/frame.ts'
import { limitAddress, limitRate } from '../http/limit-rate.ts'
import type { Throttled } from '../http/rates.ts'
import { publicPage, requireReferent, withFactor } from '../http/rules.ts'
import { signIn } from '../http/session.ts'
import { gestesDe } from './equipe.ts'
import { findInvitation, findMembre, listInvitations, listMembres } from './equipe-queries.ts'
import { pairingOf } from './factor.ts'
import { associerForm, gesteForm, invitationForm, inviteForm, rejoindreForm } from './forms.ts'
import { cancelInvitation, inviteAidant, resendInvitation } from './invite.ts'
import { acceptInvitation, readInvitation, secretDe } from './join.ts'
import { resetFactor } from './reset-factor.ts'
import { setMembre } from './set-membre.ts'

const EQUIPE = '/structure/aidants'

/** The team of a structure, for its référents; and the link by which one comes into it. */
export function equipeRoutes({ db, config }: { db: Db; config: Config }): Hono<Env> {
  const { publicUrl, secretsKey } = config
  const perReferent = limitRate(db, 'invitation', (c) => c.var.aidant!.id)
  const frame = (c: AidantContext) => frameOf(c, 'aidants')
  const routes = new Hono<Env>()

  routes.get(EQUIPE, requireReferent, async (c) => {
    const shown = await db.tx(asReferent(c.var.aidant), async (tx) => ({
      membres: await listMembres(tx),
      invitations: await listInvitations(tx),
      now: tx.now,
    }))
    return c.html(equipePage({ frame: frame(c), ...shown, fuseau: c.var.aidant.fuseau, fait: c.req.query('fait') ?? '' }))
  })

  routes.get('/structure/inviter', requireReferent, (c) => c.html(inviterPage({ frame: frame(c) })))
  routes.post('/structure/inviter', requireReferent, perReferent, async (c) => {
    const form = await parseForm(c, inviteForm)
    const invited = form.ok ? await inviteAidant(db, asReferent(c.var.aidant), form.data, publicUrl) : undefined
    if (invited?.ok) return c.redirect(`${EQUIPE}?fait=invitation`, 303)
    const { values } = form
    return c.html(
      inviterPage({ frame: frame(c), values, errors: form.ok ? {} : form.errors, refusal: invited?.refusal }),
      form.ok ? 409 : 422,
    )
  })

  const invitation = async (c: AidantContext, id: string, errors = {}) => {
    const found = await db.tx(asReferent(c.var.aidant), (tx) => findInvitation(tx, id))
    return found
      ? c.html(
          invitationPage({ frame: frame(c), invitation: found, fuseau: c.var.aidant.fuseau, errors }),
          Object.keys(errors).length > 0 ? 422 : 200,
        )
      : c.notFound()
  }
  routes.get('/structure/invitations/:invitationId', requireReferent, (c) => invitation(c, c.req.param('invitationId')))
  routes.post('/structure/invitations/:invitationId', requireReferent, perReferent, async (c) => {
    const id = c.req.param('invitationId')
    const form = await parseForm(c, invitationForm)
    if (!form.ok) return invitation(c, id, form.errors)
    const by = asReferent(c.var.aidant)
    const { geste } = form.data
    const done = geste === 'renvoyer' ? await resendInvitation(db, by, id, publicUrl) : await cancelInvitation(db, by, id)
    return done.ok ? c.redirect(`${EQUIPE}?fait=${geste}`, 303) : c.notFound()
  })

  const membre = async (
    c: AidantContext,
    id: string,
    status: 200 | 409 | 422,
    more: Partial<Parameters<typeof membrePage>[0]> = {},
  ) => {
    const { aidant } = c.var
    const found = await db.tx(asReferent(aidant), async (tx) => ({ membre: await findMembre(tx, id), now: tx.now }))
    if (!found.membre) return c.notFound()
    const { membre: shown, now } = found
    return c.html(
      membrePage({ frame: frame(c), membre: shown, now, fuseau: aidant.fuseau, soi: aidant.id === id, ...more }),
      status,
    )
  }
  routes.get(`${EQUIPE}/:aidantId`, requireReferent, async (c) => {
    const { aidant } = c.var
    const id = c.req.param('aidantId')
    const shown = await db.tx(asReferent(aidant), (tx) => findMembre(tx, id))
    const geste = shown && gestesDe(shown).find((one) => one === c.req.query('geste'))
    return geste
      ? c.html(gestePage({ frame: frame(c), membre: shown, geste, soi: aidant.id === id }))
      : membre(c, id, 200, { fait: c.req.query('fait') ?? '' })
  })
  routes.post(`${EQUIPE}/:aidantId`, requireReferent, async (c) => {
    const aidantId = c.req.param('aidantId')
    const form = await parseForm(c, gesteForm)
    if (!form.ok) return membre(c, aidantId, 422, { errors: form.errors })
    const set = await setMembre(db, asReferent(c.var.aidant), { aidantId, ...form.data })
    // Who stops directing no longer has this page.
    if (set.ok) return c.redirect(aidantId === c.var.aidant.id ? '/' : `${EQUIPE}/${aidantId}?fait=${form.data.geste}`, 303)
    return set.refusal === 'introuvable' ? c.notFound() : membre(c, aidantId, 409, { refusal: set.refusal })
  })

  routes.get(`${EQUIPE}/:aidantId/facteur`, requireReferent, async (c) => {
    const id = c.req.param('aidantId')
    const found = await db.tx(asReferent(c.var.aidant), (tx) => findMembre(tx, id))
    if (!found || found.endedAt || id === c.var.aidant.id) return c.notFound()
    return c.html(facteurPage({ frame: frame(c), membre: found }))
  })
  routes.post(`${EQUIPE}/:aidantId/facteur`, requireReferent, perReferent, withFactor('reinitialiser'), async (c) => {
    const { aidant } = c.var
    const aidantId = c.req.param('aidantId')
    const reset = await confirmed(c, { db, door: config }, (spend) =>
      resetFactor(db, asReferent(aidant), aidantId, { publicUrl }, spend),
    )
    if (reset instanceof Response) return reset
    return reset.ok ? c.redirect(`${EQUIPE}/${aidantId}?fait=facteur`, 303) : c.notFound()
  })

  // Of the one who is invited. A mail scanner follows every address it reads: asking shows a button, and looks at nothing.
  routes.get('/invitation/:jeton', publicPage, (c) => c.html(commencerPage({ frame: openFrame(c) })))
  const selOf = async (c: Context<Env>) => (await parseForm(c, associerForm)).values.sel as string | undefined
  const waiting = async (c: Context<Env>, wait: Throttled) => commencerPage({ frame: openFrame(c), wait, sel: await selOf(c) })
  const perAddress = limitAddress(db, config, 'connexion_adresse', waiting)
  routes.post('/invitation/:jeton', publicPage, perAddress, async (c) => {
    const jeton = c.req.param('jeton')
    const invited = await readInvitation(db, jeton)
    if (!invited) return c.html(fermeePage({ frame: openFrame(c) }), 409)
    const kept = await selOf(c)
    const show = (status: 200 | 409 | 422, more: { errors?: Errors; refusal?: 'code_faux' } = {}) => {
      const sel = kept ?? invited.sel
      const cle = invited.aAssocier ? { sel, ...pairingOf(secretDe(secretsKey, jeton, sel), invited.email) } : undefined
      return c.html(rejoindrePage({ frame: openFrame(c), invitation: invited, cle, ...more }), status)
    }
    const accepted = await parseForm(c, rejoindreForm)
    if (!accepted.ok || !accepted.data.geste) return show(200)
    const form = invited.aAssocier ? await parseForm(c, associerForm) : undefined
    if (form && !form.ok) return show(422, { errors: form.errors })

    const given = { jeton, paired: form?.data, previousSession: c.var.sessionId }
    const joined = await acceptInvitation(db, given, config)
    if (!joined.ok)
      return joined.refusal === 'code_faux'
        ? show(409, { refusal: joined.refusal })
        : c.html(fermeePage({ frame: openFrame(c) }), 409)
    if (!joined.opened)
      return c.html(
        rejointPage({ frame: openFrame(c), structure: invited.structureNom, connexionLocale: config.connexionLocale }),
      )
    await signIn(c, db, config, joined.opened.token)
    return c.html(codesPage({ frame: openFrame(c), codes: joined.opened.codes, suite: '/personnes' }))
  })
  return routes
}
