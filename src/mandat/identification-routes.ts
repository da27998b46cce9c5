import { Hono } from 'hono'
import { accordDonnePage } from '../../views/mandat/donne.ts'
import { identificationPage } from '../../views/mandat/identification.ts'
import { isRefusal, type Refusal } from '../../views/mandat/refusals.ts'
import { retourPage } from '../../views/mandat/retour.ts'
import type { Config } from '../config.ts'
import type { Db } from '../db.ts'
import { isUuid } from '../form.ts'
import { as } from '../http/as.ts'
import type { Env } from '../http/env.ts'
import { frameOf } from '../http/frame.ts'
import { limitAddress } from '../http/limit-rate.ts'
import { publicPage, requireAidant } from '../http/rules.ts'
import { cookies, signIn } from '../http/session.ts'
import { FRANCECONNECT_RETOUR } from '../oidc/franceconnect.ts'
import { leaveFor } from '../oidc/leave.ts'
import type { Provider } from '../oidc/oidc.ts'
import { accordTenu } from './agree.ts'
import { findChoices } from './brouillon-queries.ts'
import { openIdentification } from './identify.ts'
import { receiveIdentity } from './receive.ts'
import { CODE_SUR_TELEPHONE, telephoneRoutes } from './telephone-routes.ts'

const FIN = '/connexion/franceconnect/deconnecte'

/** 503: nothing of hers is refused, FranceConnect did not answer. */
const statusOf = (refusal: Refusal) => (refusal === 'indisponible' ? 503 : 409)

/** The person identifies herself by FranceConnect, here or on her telephone, and comes back: for a mandat, or to her space. */
export function identificationRoutes({
  db,
  config,
  franceconnect,
}: {
  db: Db
  config: Config
  franceconnect: Provider
}): Hono<Env> {
  const jar = cookies(config)
  const redirectUri = config.publicUrl + FRANCECONNECT_RETOUR
  const perAddress = limitAddress(db, config, 'fournisseur_adresse')
  const routes = new Hono<Env>()
  routes.route('/', telephoneRoutes({ db, config, franceconnect, redirectUri }))

  routes.get('/mandats/brouillons/:brouillonId/identification', requireAidant, async (c) => {
    const { brouillon, acting, now } = await db.tx(as(c.var.aidant), (tx) => findChoices(tx, c.req.param('brouillonId')))
    if (!brouillon) return c.notFound()
    const again = c.req.query('relire') === 'oui'
    if (!again && accordTenu(brouillon, acting.fuseau, now))
      return c.html(accordDonnePage({ frame: frameOf(c), brouillon, fuseau: acting.fuseau }))
    return c.html(identificationPage({ frame: frameOf(c, 'mandat'), brouillon, acting }))
  })
  routes.post('/mandats/brouillons/:brouillonId/identification', requireAidant, perAddress, async (c) => {
    const { aidant } = c.var
    const brouillonId = c.req.param('brouillonId')
    const opened = await openIdentification(db, as(aidant), { brouillonId, navigateur: jar.read(c, 'navigateur') })
    if (!opened.ok && opened.refusal === 'introuvable') return c.notFound()
    if (!opened.ok) return c.html(retourPage({ frame: frameOf(c, 'mandat'), refusal: opened.refusal, brouillonId }), 409)
    return leaveFor(c, opened, { provider: franceconnect, config, redirectUri }, () =>
      c.html(retourPage({ frame: frameOf(c, 'mandat'), refusal: 'indisponible', brouillonId }), 503),
    )
  })

  routes.get(FRANCECONNECT_RETOUR, publicPage, async (c) => {
    const { aidant } = c.var
    const received = await receiveIdentity(db, franceconnect, {
      url: new URL(new URL(c.req.url).search, redirectUri),
      state: c.req.query('state') ?? '',
      navigateur: jar.read(c, 'navigateur'),
      redirectUri,
      by: aidant && !c.var.detour ? as(aidant) : undefined,
      previousSession: c.var.sessionId,
    })
    if (received.ok && 'token' in received) await signIn(c, db, config, received.token)
    const { idToken } = received
    if (!received.ok && !idToken) return c.html(retourPage({ frame: frameOf(c), ...received }), statusOf(received.refusal))
    // FranceConnect's own session must not stay open on a shared computer: it is closed before anything is shown, a refusal too (case 19).
    const { but } = received
    const where = but === 'telephone' || but === 'reunion' ? but : ('brouillonId' in received && received.brouillonId) || ''
    const logout = await franceconnect.logoutUrl({
      idToken: idToken!,
      state: `${received.ok ? received.but : received.refusal}.${where}`,
      postLogoutRedirectUri: config.publicUrl + FIN,
    })
    return c.redirect(logout.href, 303)
  })
  routes.get(FIN, publicPage, (c) => {
    const [word = '', id = ''] = (c.req.query('state') ?? '').split('.')
    const brouillonId = isUuid(id) ? id : undefined
    if (isRefusal(word))
      return c.html(
        retourPage({
          frame: frameOf(c),
          refusal: word,
          but: id === 'telephone' || id === 'reunion' ? id : brouillonId ? 'mandat' : 'espace',
          brouillonId,
        }),
        statusOf(word),
      )
    if (word === 'telephone') return c.redirect(CODE_SUR_TELEPHONE, 303)
    // Where she reads which identities are hers, and takes it back.
    if (word === 'reunion') return c.redirect('/mon-espace/donnees?fait=reunies', 303)
    return c.redirect(brouillonId ? `/mandats/brouillons/${brouillonId}/accord` : '/mon-espace', 303)
  })
  return routes
}
