import { type Context, Hono } from 'hono'
import { reconnuePage } from '../../views/aidant/confirmer.ts'
import { isProConnectRefusal, refusPage } from '../../views/mandat/proconnect.ts'
import { openDefi } from '../aidant/defi.ts'
import { CONFIRMATION, objetReconnu } from '../aidant/moyens.ts'
import { encryptSecret } from '../aidant/secret.ts'
import type { Config } from '../config.ts'
import type { Db } from '../db.ts'
import { parseForm } from '../form.ts'
import { as } from '../http/as.ts'
import type { AidantContext, Env } from '../http/env.ts'
import { frameOf } from '../http/frame.ts'
import { limitAddress } from '../http/limit-rate.ts'
import { localPath } from '../http/local-path.ts'
import { publicPage, requireAidant } from '../http/rules.ts'
import { cookies, signIn } from '../http/session.ts'
import { type Opened, openConnexion } from '../oidc/connexion.ts'
import { leaveFor } from '../oidc/leave.ts'
import type { Provider } from '../oidc/oidc.ts'
import { codeVerifierOf, PROCONNECT_FIN } from '../oidc/proconnect.ts'
import { openConfirmation } from './confirm.ts'
import { confirmationForm, envoiForm } from './forms.ts'
import { receiveAidant } from './receive-aidant.ts'
import { type Signer, signMandat } from './sign.ts'

const RETOUR = '/connexion/proconnect/retour'

type Caller = Context<Env> | AidantContext
type Deps = { db: Db; config: Config; proconnect: Provider; signer: Signer }

/** Aidants and référents by ProConnect: they sign in, confirm a signature, and come back. */
export function proconnectRoutes({ db, config, proconnect, signer }: Deps): Hono<Env> {
  const { secretsKey, publicUrl, connexionLocale } = config
  const jar = cookies(config)
  const redirectUri = publicUrl + RETOUR
  const perAddress = limitAddress(db, config, 'fournisseur_adresse')
  const routes = new Hono<Env>()

  type Attend = Pick<Parameters<typeof refusPage>[0], 'brouillonId' | 'envoi'>
  const refuse = (c: Caller, refusal: Parameters<typeof refusPage>[0]['refusal'], attend: Attend = {}) =>
    c.html(
      refusPage({ frame: { ...frameOf(c), bare: true }, refusal, ...attend, connexionLocale }),
      refusal === 'indisponible' ? 503 : 409,
    )

  const depart = (c: Caller, opened: Opened, attend?: Attend) => {
    const codeVerifier = codeVerifierOf(secretsKey, opened.state)
    return leaveFor(c, opened, { provider: proconnect, config, redirectUri, codeVerifier }, () =>
      refuse(c, 'indisponible', attend),
    )
  }

  routes.post('/connexion/proconnect', publicPage, perAddress, async (c) => {
    const suite = localPath(c.req.query('suite'))
    const navigateur = jar.read(c, 'navigateur')
    return depart(c, await db.tx({ kind: 'portier' }, (tx) => openConnexion(tx, { but: 'aidant', navigateur, suite })))
  })

  routes.post('/mandats/brouillons/:brouillonId/confirmation', requireAidant, perAddress, async (c) => {
    const { aidant, sessionId } = c.var
    const brouillonId = c.req.param('brouillonId')
    if (!aidant.parProconnect) return c.notFound()
    const form = await parseForm(c, confirmationForm)
    const mesureFinie = form.ok && form.data.mesureFinie === 'oui'
    const asked = { brouillonId, sessionId: sessionId!, navigateur: jar.read(c, 'navigateur'), mesureFinie }
    const opened = await openConfirmation(db, as(aidant), asked)
    // Signed since, no longer there, or not agreed to: that page knows which.
    return opened.ok ? depart(c, opened, { brouillonId }) : c.redirect(`/mandats/brouillons/${brouillonId}/acceptation`, 303)
  })

  routes.post(CONFIRMATION, requireAidant, perAddress, async (c) => {
    const form = await parseForm(c, envoiForm)
    if (!c.var.aidant.parProconnect || !form.ok) return c.notFound()
    const sessionId = c.var.sessionId!
    const navigateur = jar.read(c, 'navigateur')
    const opened = await db.tx({ kind: 'portier' }, (tx) => {
      const objet = encryptSecret(secretsKey, tx.random(12), Buffer.from(JSON.stringify(form.data)))
      return openConnexion(tx, { but: 'confirmation', navigateur, sessionId, objet })
    })
    return depart(c, opened, { envoi: form.data })
  })

  routes.get(RETOUR, publicPage, async (c) => {
    const { aidant, sessionId } = c.var
    const state = c.req.query('state') ?? ''
    const url = new URL(new URL(c.req.url).search, redirectUri)
    const back = { url, state, navigateur: jar.read(c, 'navigateur'), redirectUri, sessionId }
    const received = await receiveAidant(db, proconnect, back, secretsKey)
    if (!received.ok) {
      const { refusal, but, brouillonId, envoi, idToken } = received
      // Nobody entered here: nothing stays open there either, on a computer that is often shared.
      if (but !== 'aidant' || !idToken) return refuse(c, refusal, { brouillonId, envoi })
      const logout = { idToken, state: `${refusal}.${state}`, postLogoutRedirectUri: publicUrl + PROCONNECT_FIN }
      return c.redirect((await proconnect.logoutUrl(logout)).href, 303)
    }
    if (received.but === 'aidant') {
      await signIn(c, db, config, received.token)
      return c.redirect(localPath(received.suite ?? undefined) ?? '/personnes', 303)
    }
    jar.set(c, 'session', received.token)
    const brouillonId = received.but === 'signature' ? received.brouillonId : undefined
    // Meanwhile perhaps she acts for this structure no more.
    if (!aidant || c.var.detour) return refuse(c, 'session_fermee', { brouillonId })
    if (received.but === 'confirmation') {
      const { envoi } = received
      const objet = objetReconnu({ chemin: new URL(envoi.vers, publicUrl).pathname, fields: envoi.fields })
      await db.tx(as(aidant), (tx) => openDefi(tx, { aidantId: aidant.id, sessionId: sessionId!, objet }))
      return c.html(reconnuePage({ frame: frameOf(c), ...envoi }))
    }
    const signed = await signMandat(db, as(aidant), received, signer)
    return signed.ok ? c.redirect(`/mandats/${signed.id}?signe=1`, 303) : refuse(c, signed.refusal, { brouillonId })
  })
  routes.get(PROCONNECT_FIN, publicPage, (c) => {
    const [word = ''] = (c.req.query('state') ?? '').split('.')
    return isProConnectRefusal(word) ? refuse(c, word) : c.redirect('/', 303)
  })
  return routes
}
