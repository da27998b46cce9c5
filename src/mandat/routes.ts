import { type Context, Hono } from 'hono'
import { acceptationPage } from '../../views/mandat/acceptation.ts'
import { accordPage } from '../../views/mandat/accord.ts'
import { explainPage } from '../../views/mandat/explain.ts'
import { identificationPage } from '../../views/mandat/identification.ts'
import { mandatPage } from '../../views/mandat/mandat.ts'
import { newMandatPage, protegeePage } from '../../views/mandat/new.ts'
import { isRefusal } from '../../views/mandat/refusals.ts'
import { refusedPage, retourPage, tooLatePage } from '../../views/mandat/retour.ts'
import type { Config } from '../config.ts'
import type { Db } from '../db.ts'
import { isUuid, parseForm } from '../form.ts'
import { as } from '../http/as.ts'
import type { Env, SessionAidant } from '../http/env.ts'
import { calm } from '../http/errors.ts'
import { frameOf } from '../http/frame.ts'
import { addressOf, limitRate } from '../http/limit-rate.ts'
import { returnToken, takeToken } from '../http/rates.ts'
import { publicPage, requireAidant } from '../http/rules.ts'
import { cookies } from '../http/session.ts'
import type { Provider } from '../oidc/oidc.ts'
import { isProviderDown } from '../oidc/provider.ts'
import { dossierDeDirection, litCommeAidant, recordAcces } from '../usager/access.ts'
import { findUsager } from '../usager/queries.ts'
import { giveAccord, refuseAccord } from './agree.ts'
import { findActing, findBrouillon, listBrouillons } from './brouillon-queries.ts'
import { acceptationForm, accordForm, choixForm, reponseForm } from './forms.ts'
import { openIdentification } from './identify.ts'
import { findMandat, findMandatContenu, listAutorisations } from './queries.ts'
import { receiveIdentity } from './receive.ts'
import { type Signer, signMandat } from './sign.ts'
import { chooseAgain, startBrouillon } from './start.ts'

const RETOUR = '/connexion/franceconnect/retour'
const FIN = '/connexion/franceconnect/deconnecte'

type Deps = { db: Db; config: Config; franceconnect: Provider; signer: Signer }

export function mandatRoutes({ db, config, franceconnect, signer }: Deps): Hono<Env> {
  const jar = cookies(config)
  const redirectUri = config.publicUrl + RETOUR
  const perAddress = limitRate(db, 'fournisseur_adresse', (c) => addressOf(c, config.proxies))
  const routes = new Hono<Env>()

  /** What both forms of choices show: the structure's thématiques and the drafts that may be resumed. */
  const choices = (aidant: SessionAidant, brouillonId?: string) =>
    db.tx(as(aidant), async (tx) => ({
      acting: (await findActing(tx))!,
      brouillon: brouillonId ? await findBrouillon(tx, brouillonId) : undefined,
      brouillons: brouillonId ? [] : await listBrouillons(tx),
      now: tx.now,
    }))

  /** A draft that is no longer there: signed since, it is a mandat. */
  const gone = async (c: Context<Env & { Variables: { aidant: SessionAidant } }>, id: string) =>
    (await db.tx(as(c.var.aidant), (tx) => findMandat(tx, id))) ? c.redirect(`/mandats/${id}`, 303) : c.notFound()

  routes.get('/mandats/expliquer', requireAidant, (c) =>
    c.html(explainPage({ frame: frameOf(c, 'mandat'), structure: c.var.aidant.structureNom })),
  )
  routes.get('/mandats/nouveau', requireAidant, async (c) =>
    c.html(newMandatPage({ frame: frameOf(c, 'mandat'), ...(await choices(c.var.aidant)) })),
  )
  routes.post('/mandats/nouveau', requireAidant, (c) => choose(c, undefined))
  routes.get('/mandats/brouillons/:brouillonId/choix', requireAidant, async (c) => {
    const shown = await choices(c.var.aidant, c.req.param('brouillonId'))
    return shown.brouillon ? c.html(newMandatPage({ frame: frameOf(c, 'mandat'), ...shown })) : c.notFound()
  })
  routes.post('/mandats/brouillons/:brouillonId/choix', requireAidant, (c) => choose(c, c.req.param('brouillonId')))

  async function choose(c: Context<Env & { Variables: { aidant: SessionAidant } }>, brouillonId: string | undefined) {
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
    const shown = await choices(aidant, brouillonId)
    if (brouillonId && !shown.brouillon) return c.notFound()
    const errors = form.ok ? {} : form.errors
    return c.html(newMandatPage({ frame, ...shown, values: form.values, errors, refusal: result?.refusal }), form.ok ? 409 : 422)
  }

  routes.get('/mandats/brouillons/:brouillonId/identification', requireAidant, async (c) => {
    const { brouillon, acting } = await choices(c.var.aidant, c.req.param('brouillonId'))
    return brouillon ? c.html(identificationPage({ frame: frameOf(c, 'mandat'), brouillon, acting })) : c.notFound()
  })
  routes.post('/mandats/brouillons/:brouillonId/identification', requireAidant, perAddress, async (c) => {
    const { aidant } = c.var
    const brouillonId = c.req.param('brouillonId')
    const opened = await openIdentification(db, as(aidant), { brouillonId, navigateur: jar.read(c, 'navigateur') })
    if (!opened.ok && opened.refusal === 'introuvable') return c.notFound()
    if (!opened.ok) return c.html(retourPage({ frame: frameOf(c, 'mandat'), refusal: opened.refusal, brouillonId }), 409)
    jar.set(c, 'navigateur', opened.navigateur)
    const { state, nonce } = opened
    try {
      return c.redirect((await franceconnect.authorizationUrl({ state, nonce, redirectUri, prompt: 'login' })).href, 303)
    } catch (error) {
      if (!isProviderDown(error)) throw error
      return c.html(retourPage({ frame: frameOf(c, 'mandat'), refusal: 'indisponible', brouillonId }), 503)
    }
  })

  routes.get(RETOUR, publicPage, async (c) => {
    const { aidant } = c.var
    const received = await receiveIdentity(db, franceconnect, {
      url: new URL(new URL(c.req.url).search, redirectUri),
      state: c.req.query('state') ?? '',
      navigateur: jar.read(c, 'navigateur'),
      redirectUri,
      by: aidant && !c.var.detour ? as(aidant) : undefined,
      previousSession: c.var.sessionId,
    })
    if (received.ok && received.but === 'espace') jar.set(c, 'session', received.token)
    const { idToken } = received
    if (!received.ok && !idToken) return c.html(retourPage({ frame: frameOf(c), ...received }), 409)
    // FranceConnect's own session must not stay open on a shared computer: it is closed before anything is shown, a refusal too (case 19).
    const brouillonId = ('brouillonId' in received && received.brouillonId) || ''
    const logout = await franceconnect.logoutUrl({
      idToken: idToken!,
      state: `${received.ok ? received.but : received.refusal}.${brouillonId}`,
      postLogoutRedirectUri: config.publicUrl + FIN,
    })
    return c.redirect(logout.href, 303)
  })
  routes.get(FIN, publicPage, (c) => {
    const [word = '', id = ''] = (c.req.query('state') ?? '').split('.')
    const brouillonId = isUuid(id) ? id : undefined
    if (isRefusal(word))
      return c.html(retourPage({ frame: frameOf(c), refusal: word, but: brouillonId ? 'mandat' : 'espace', brouillonId }), 409)
    return c.redirect(brouillonId ? `/mandats/brouillons/${brouillonId}/accord` : '/mon-espace', 303)
  })

  routes.get('/mandats/brouillons/:brouillonId/accord', requireAidant, async (c) => {
    const { brouillon, acting, now } = await choices(c.var.aidant, c.req.param('brouillonId'))
    if (!brouillon) return gone(c, c.req.param('brouillonId'))
    if (!brouillon.identite) return c.redirect(`/mandats/brouillons/${brouillon.id}/identification`, 303)
    return c.html(accordPage({ frame: frameOf(c), brouillon, acting, now }))
  })
  routes.post('/mandats/brouillons/:brouillonId/accord', requireAidant, async (c) => {
    const { aidant } = c.var
    const brouillonId = c.req.param('brouillonId')
    const reponse = await parseForm(c, reponseForm)
    if (reponse.ok && reponse.data.reponse === 'non') {
      const refused = await refuseAccord(db, as(aidant), brouillonId)
      return refused.ok
        ? c.html(refusedPage({ frame: frameOf(c) }))
        : c.html(tooLatePage({ frame: frameOf(c), mandatId: brouillonId }), 409)
    }
    const form = await parseForm(c, accordForm)
    const ok = reponse.ok && form.ok
    const given = ok
      ? await giveAccord(db, as(aidant), brouillonId, {
          redit: true,
          thematiques: form.data.thematiques,
          lues: form.data.lues.split(' '),
          dernierJour: form.data.dernierJour,
          suivi: form.data.suivi,
          contact: form.data.suivi === 'papier' ? undefined : form.data.suivi === 'sms' ? form.data.mobile : form.data.email,
        })
      : undefined
    if (given?.ok) return c.redirect(`/mandats/brouillons/${brouillonId}/acceptation`, 303)
    const { brouillon, acting, now } = await choices(aidant, brouillonId)
    if (!brouillon) return gone(c, brouillonId)
    if (!brouillon.identite) return c.redirect(`/mandats/brouillons/${brouillonId}/identification`, 303)
    const errors = { ...(form.ok ? {} : form.errors), ...(reponse.ok ? {} : reponse.errors) }
    return c.html(
      accordPage({ frame: frameOf(c), brouillon, acting, now, values: form.values, errors, refusal: given?.refusal }),
      ok ? 409 : 422,
    )
  })

  routes.get('/mandats/brouillons/:brouillonId/acceptation', requireAidant, async (c) => {
    const { brouillon, acting } = await choices(c.var.aidant, c.req.param('brouillonId'))
    if (!brouillon) return gone(c, c.req.param('brouillonId'))
    if (!brouillon.accordAt) return c.redirect(`/mandats/brouillons/${brouillon.id}/accord`, 303)
    return c.html(acceptationPage({ frame: frameOf(c, 'mandat'), brouillon, acting }))
  })
  routes.post('/mandats/brouillons/:brouillonId/acceptation', requireAidant, async (c) => {
    const { aidant } = c.var
    const brouillonId = c.req.param('brouillonId')
    const form = await parseForm(c, acceptationForm)
    // Three wrong codes, then even the right one waits (case 4): the try is taken before looking, given back when it was right.
    const token = form.ok ? await db.tx({ kind: 'portier' }, (tx) => takeToken(tx, 'code', aidant.id)) : undefined
    if (token && !token.ok) return calm(c, 429, token.retryAfter)
    const signed = form.ok ? await signMandat(db, as(aidant), { brouillonId, code: form.data.code }, signer) : undefined
    if (signed && (signed.ok || signed.refusal !== 'second_facteur_refuse'))
      await db.tx({ kind: 'portier' }, (tx) => returnToken(tx, 'code', aidant.id))
    if (signed?.ok) return c.redirect(`/mandats/${signed.id}`, 303)
    const { brouillon, acting } = await choices(aidant, brouillonId)
    if (!brouillon) return gone(c, brouillonId)
    const errors = form.ok ? {} : form.errors
    return c.html(
      acceptationPage({ frame: frameOf(c, 'mandat'), brouillon, acting, errors, refusal: signed?.refusal }),
      form.ok ? 409 : 422,
    )
  })

  routes.get('/mandats/:mandatId', requireAidant, async (c) => {
    const shown = await db.tx(as(c.var.aidant), async (tx) => {
      const mandat = await findMandat(tx, c.req.param('mandatId'))
      if (!mandat) return undefined
      if (!(await litCommeAidant(tx, mandat.usagerId))) return c.redirect(dossierDeDirection(mandat.usagerId), 303)
      const [usager, autorisations, contenu] = [
        await findUsager(tx, mandat.usagerId),
        await listAutorisations(tx, mandat.id),
        await findMandatContenu(tx, mandat.id),
      ]
      await recordAcces(tx, { genre: 'mandat_consulte', usagerId: mandat.usagerId })
      return { mandat, usager: usager!, autorisations, contenu, now: tx.now }
    })
    if (shown instanceof Response) return shown
    return shown ? c.html(mandatPage({ frame: frameOf(c, 'personnes'), ...shown })) : c.notFound()
  })
  return routes
}
