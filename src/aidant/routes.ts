import { setTimeout as sleep } from 'node:timers/promises'
import { type Context, Hono } from 'hono'
import { createMiddleware } from 'hono/factory'
import { cguPage } from '../../views/aidant/cgu.ts'
import { codePage } from '../../views/aidant/code.ts'
import { connexionClePage } from '../../views/aidant/connexion-cle.ts'
import { lienPage } from '../../views/aidant/lien.ts'
import { signInPage } from '../../views/aidant/sign-in.ts'
import type { Config } from '../config.ts'
import type { Db } from '../db.ts'
import { parseForm, readFields } from '../form.ts'
import { addressOf } from '../http/address.ts'
import type { Env } from '../http/env.ts'
import { frameOf, openFrame } from '../http/frame.ts'
import { limitAddress, tooOften } from '../http/limit-rate.ts'
import { localPath } from '../http/local-path.ts'
import type { Throttled } from '../http/rates.ts'
import { publicPage, requireAidant } from '../http/rules.ts'
import { cookies, signIn, signOut } from '../http/session.ts'
import type { Provider } from '../oidc/oidc.ts'
import { PROCONNECT_FIN } from '../oidc/proconnect.ts'
import { isProviderDown } from '../oidc/provider.ts'
import { acceptCgu, findCguAccepted } from './accept-cgu.ts'
import { signatureOptions } from './cle-acces.ts'
import { cguForm, codeForm, signatureForm, signInForm } from './forms.ts'
import { openSignature, type Redeemed, redeemCode, redeemSignature, requestCode } from './sign-in.ts'

type Deps = { db: Db; config: Config; proconnect: Provider | undefined }

export const CGU_PATH = '/conditions-d-utilisation'

/** How long the answer to an e-mail and a code takes at least, in milliseconds: more than the work of a right one, whose end would tell it. */
export const ANSWER_MS = 25

/** `proconnect`: aidants may also come in by it; `connexionLocale` says whether they may still come in by the service itself. */
export function aidantRoutes({ db, config, proconnect }: Deps): Hono<Env> {
  const jar = cookies(config)
  const ways = { proconnect: proconnect !== undefined, local: config.connexionLocale }
  const locale = createMiddleware<Env>(async (c, next) => (config.connexionLocale ? next() : c.notFound()))
  const perAddress = (page?: Parameters<typeof limitAddress>[3]) => limitAddress(db, config, 'connexion_adresse', page)
  const routes = new Hono<Env>()

  routes.get('/connexion', publicPage, (c) =>
    c.var.aidant
      ? c.redirect('/personnes', 303)
      : c.html(signInPage({ frame: openFrame(c), suite: localPath(c.req.query('suite')), ways })),
  )
  const waiting = async (c: Context<Env>, wait: Throttled) => {
    const { values } = await parseForm(c, signInForm)
    return signInPage({ frame: openFrame(c), suite: localPath(c.req.query('suite')), ways, values, wait })
  }
  routes.post('/connexion', publicPage, locale, perAddress(waiting), async (c) => {
    const suite = localPath(c.req.query('suite'))
    const form = await parseForm(c, signInForm)
    if (!form.ok) return c.html(signInPage({ frame: openFrame(c), suite, ways, values: form.values, errors: form.errors }), 422)
    const browser = { navigateur: jar.read(c, 'navigateur'), connu: jar.read(c, 'connu'), reseau: addressOf(c, config.proxies) }
    const [asked] = await Promise.all([requestCode(db, { ...form.data, suite, ...browser }, config), sleep(ANSWER_MS)])
    if (!asked.ok) return tooOften(c, asked, await waiting(c, asked))
    jar.set(c, 'navigateur', asked.navigateur)
    return c.redirect('/connexion/code', 303)
  })

  const browserOf = (c: Context<Env>) => ({
    navigateur: jar.read(c, 'navigateur') ?? '',
    previousSession: c.var.sessionId,
    connu: jar.read(c, 'connu'),
  })
  routes.get('/connexion/code', publicPage, locale, (c) => c.html(codePage({ frame: openFrame(c) })))
  const waitingForCode = perAddress((c, wait) => codePage({ frame: openFrame(c), wait }))
  routes.post('/connexion/code', publicPage, locale, waitingForCode, async (c) => {
    const form = await parseForm(c, codeForm)
    if (!form.ok) return c.html(codePage({ frame: openFrame(c), errors: form.errors }), 422)
    return entered(c, await redeemCode(db, { ...browserOf(c), code: form.data.code }, config))
  })

  // Typed, reloaded or kept as a bookmark: the passkey is asked for by the button of the page it leads to.
  routes.get('/connexion/cle', publicPage, (c) => c.redirect(`/connexion${new URL(c.req.url).search}`, 303))
  routes.post('/connexion/cle', publicPage, locale, perAddress(), async (c) => {
    const form = await parseForm(c, signatureForm)
    const redeemed = form.ok ? await redeemSignature(db, { ...browserOf(c), ...form.data }, config) : undefined
    if (redeemed?.ok) return entered(c, { ...redeemed, suite: c.req.query('suite') ?? null })
    const asked = await openSignature(db, jar.read(c, 'navigateur'))
    jar.set(c, 'navigateur', asked.navigateur)
    const options = await signatureOptions(config.publicUrl, asked.defi, [])
    const sent = (await readFields(c)).has('signature')
    return c.html(connexionClePage({ frame: openFrame(c), options, refusal: sent ? 'cle_refusee' : undefined }), sent ? 409 : 200)
  })

  // A mail scanner follows every address it reads: asking shows a page, only its button opens the session.
  routes.get('/connexion/lien/:jeton', publicPage, locale, (c) => c.html(lienPage({ frame: openFrame(c) })))
  const waitingForLien = perAddress((c, wait) => lienPage({ frame: openFrame(c), wait }))
  routes.post('/connexion/lien/:jeton', publicPage, locale, waitingForLien, async (c) => {
    return entered(c, await redeemCode(db, { ...browserOf(c), lien: c.req.param('jeton') }, config))
  })

  const entered = async (c: Context<Env>, redeemed: Redeemed) => {
    if (!redeemed.ok) return c.html(codePage({ frame: openFrame(c), refusal: redeemed.refusal }), 409)
    await signIn(c, db, config, redeemed.token)
    jar.set(c, 'connu', redeemed.connu)
    return c.redirect(localPath(redeemed.suite ?? undefined) ?? '/personnes', 303)
  }

  routes.get(CGU_PATH, requireAidant, async (c) => {
    const { id, fuseau } = c.var.aidant
    return c.html(cguPage({ frame: frameOf(c), accepted: await findCguAccepted(db, id), fuseau }))
  })
  routes.post(CGU_PATH, requireAidant, async (c) => {
    const form = await parseForm(c, cguForm)
    if (!form.ok) return c.html(cguPage({ frame: frameOf(c), fuseau: c.var.aidant.fuseau, errors: form.errors }), 422)
    await acceptCgu(db, c.var.aidant.id)
    return c.redirect(localPath(c.req.query('suite')) ?? '/personnes', 303)
  })

  routes.post('/deconnexion', publicPage, async (c) => {
    const idToken = await signOut(c, db, config)
    if (!idToken || !proconnect) return c.redirect('/', 303)
    // ProConnect has no say in whether she leaves: its own session is closed when it can be.
    const asked = { idToken, state: c.var.requestId.padEnd(32, '0'), postLogoutRedirectUri: config.publicUrl + PROCONNECT_FIN }
    const logout = await proconnect.logoutUrl(asked).catch((error: unknown) => {
      if (!isProviderDown(error)) throw error
    })
    return c.redirect(logout?.href ?? '/', 303)
  })
  return routes
}
