import { Hono } from 'hono'
import { impossiblePage, isImpossible } from '../../views/mandat/new.ts'
import { retourPage } from '../../views/mandat/retour.ts'
import { codePage, lienPage, sansCodePage, telephonePage } from '../../views/mandat/telephone.ts'
import type { Config } from '../config.ts'
import type { Db } from '../db.ts'
import { parseForm } from '../form.ts'
import { as } from '../http/as.ts'
import type { AidantContext, Env } from '../http/env.ts'
import { frameOf, openFrame } from '../http/frame.ts'
import { limitAddress } from '../http/limit-rate.ts'
import { publicPage, requireAidant } from '../http/rules.ts'
import { cookies } from '../http/session.ts'
import { leaveFor } from '../oidc/leave.ts'
import type { Provider } from '../oidc/oidc.ts'
import { isProviderDown } from '../oidc/provider.ts'
import { findBrouillon } from './brouillon-queries.ts'
import { codeTelephoneForm, gesteTelephoneForm } from './forms.ts'
import { joinTelephone } from './join-telephone.ts'
import { offerLink } from './offer-link.ts'
import { openLink } from './open-link.ts'
import { findCode, findLink } from './telephone-queries.ts'

type Deps = { db: Db; config: Config; franceconnect: Provider; redirectUri: string }

/** Where her telephone shows the code, once FranceConnect is closed. */
export const CODE_SUR_TELEPHONE = '/telephone/code'

/** The person identifies herself on her own telephone. */
export function telephoneRoutes({ db, config, franceconnect, redirectUri }: Deps): Hono<Env> {
  const { secretsKey, publicUrl } = config
  const jar = cookies(config)
  const perAddress = limitAddress(db, config, 'fournisseur_adresse')
  const routes = new Hono<Env>()

  // On the aidant's screen

  const show = async (
    c: AidantContext,
    brouillonId: string,
    status: 200 | 409 | 422,
    more: Partial<Parameters<typeof telephonePage>[0]> = {},
  ) => {
    const brouillon = await db.tx(as(c.var.aidant), (tx) => findBrouillon(tx, brouillonId))
    if (!brouillon) return c.notFound()
    const lien = await db.tx({ kind: 'portier' }, (tx) => findLink(tx, brouillonId, secretsKey))
    if (!lien && !more.refusal) return c.redirect(`/mandats/brouillons/${brouillonId}/identification`, 303)
    const shown = lien ?? { jeton: '', ouvert: false, fini: true }
    return c.html(telephonePage({ frame: frameOf(c, 'mandat'), brouillonId, lien: shown, publicUrl, ...more }), status)
  }
  routes.get('/mandats/brouillons/:brouillonId/telephone', requireAidant, (c) => show(c, c.req.param('brouillonId'), 200))
  routes.post('/mandats/brouillons/:brouillonId/telephone', requireAidant, async (c) => {
    const by = as(c.var.aidant)
    const brouillonId = c.req.param('brouillonId')
    const geste = await parseForm(c, gesteTelephoneForm)
    if (!geste.ok) return show(c, brouillonId, 422)
    if (geste.data.geste === 'ouvrir') {
      const offered = await offerLink(db, by, brouillonId, secretsKey)
      if (offered.ok) return c.redirect(`/mandats/brouillons/${brouillonId}/telephone`, 303)
      if (offered.refusal === 'introuvable') return c.notFound()
      return c.html(retourPage({ frame: frameOf(c, 'mandat'), refusal: offered.refusal, brouillonId }), 409)
    }
    const form = await parseForm(c, codeTelephoneForm)
    if (!form.ok) return show(c, brouillonId, 422, { errors: form.errors })
    const joined = await joinTelephone(db, by, { brouillonId, code: form.data.code }, secretsKey)
    if (joined.ok) return c.redirect(`/mandats/brouillons/${brouillonId}/accord`, 303)
    const { refusal } = joined
    return isImpossible(refusal)
      ? c.html(impossiblePage({ frame: frameOf(c, 'mandat'), refusal }), 409)
      : show(c, brouillonId, 409, { refusal })
  })

  // On her telephone

  routes.get('/t/:jeton', publicPage, (c) => c.html(lienPage({ demo: c.var.demo })))
  routes.post('/t/:jeton', publicPage, perAddress, async (c) => {
    const refuse = (refusal: 'lien_inconnu' | 'indisponible', status: 409 | 503) =>
      c.html(retourPage({ frame: openFrame(c), refusal, but: 'telephone' }), status)
    const down = () => refuse('indisponible', 503)
    try {
      // The link serves once: nothing is spent before we know that FranceConnect is there to lead to.
      await franceconnect.authorizationUrl({ state: '', nonce: '', redirectUri })
    } catch (error) {
      if (!isProviderDown(error)) throw error
      return down()
    }
    const opened = await openLink(db, { jeton: c.req.param('jeton'), navigateur: jar.read(c, 'navigateur') })
    if (!opened.ok) return refuse(opened.refusal, 409)
    return leaveFor(c, opened, { provider: franceconnect, config, redirectUri }, down)
  })
  routes.get(CODE_SUR_TELEPHONE, publicPage, async (c) => {
    const navigateur = jar.read(c, 'navigateur')
    const code = navigateur && (await db.tx({ kind: 'portier' }, (tx) => findCode(tx, navigateur, secretsKey)))
    const { demo } = c.var
    return code ? c.html(codePage({ demo, code })) : c.html(sansCodePage({ demo }), 404)
  })
  return routes
}
