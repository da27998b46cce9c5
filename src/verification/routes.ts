import { type Context, Hono } from 'hono'
import { ASSETS } from '../../views/kit/assets.ts'
import { vPage } from '../../views/verification/v.ts'
import { papierPage, verifierPage } from '../../views/verification/verifier.ts'
import type { Config } from '../config.ts'
import type { Db } from '../db.ts'
import { parseForm } from '../form.ts'
import type { Env } from '../http/env.ts'
import { openFrame } from '../http/frame.ts'
import { limitAddress } from '../http/limit-rate.ts'
import type { Throttled } from '../http/rates.ts'
import { publicPage } from '../http/rules.ts'
import type { SealKeys } from '../mandat/sceau.ts'
import { encodeList, placeDe, signStatusList, slotDe } from '../mandat/statut.ts'
import { checkCode } from './check-code.ts'
import { jwksOf } from './coupure.ts'
import { verifierForm } from './forms.ts'
import { proveSceau } from './prove-sceau.ts'
import { listKeys, listStatuts } from './queries.ts'

const FRESH_MS = 5_000
/** The number of a mandat and the SHA-256 of its seal. */
const SCEAU = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.([\w-]{43})$/

/**
 * What a third party needs to check a mandat, without a session: keys and status lists, readable from any page (CORS) so that nobody has to
 * ask us about one mandat; the page of a QR, which asks us nothing either; and the form where a code is typed.
 */
export function verificationRoutes({ db, config, seal }: { db: Db; config: Config; seal: SealKeys }): Hono<Env> {
  const routes = new Hono<Env>()

  routes.get('/.well-known/jwks.json', publicPage, async (c) => {
    c.header('Access-Control-Allow-Origin', '*')
    c.header('Cache-Control', 'public, max-age=300')
    return c.json(jwksOf(await db.tx({ kind: 'verifier' }, listKeys), config.journal?.signer.vkey.text))
  })

  const sign = async (liste: number) => {
    const { statuts, now } = await db.tx({ kind: 'verifier' }, async (tx) => ({
      statuts: await listStatuts(tx, liste),
      now: tx.now,
    }))
    if (!statuts) return undefined
    const lst = encodeList(
      statuts.map(({ bloc, thematique, etat }) => ({ slot: slotDe(placeDe(bloc).idx, thematique), statut: etat })),
    )
    return signStatusList({ sub: `${config.publicUrl}/statuts/${liste}`, lst, now }, seal.current)
  }
  // A list is long to read and to sign, and anyone may ask: the same one serves all who ask within its five seconds.
  const signed = new Map<number, Promise<string | undefined>>()
  const signOnce = (liste: number) => {
    const kept = signed.get(liste)
    if (kept) return kept
    const fresh = sign(liste)
    signed.set(liste, fresh)
    setTimeout(() => signed.delete(liste), FRESH_MS).unref()
    fresh.catch(() => signed.delete(liste))
    return fresh
  }

  // IETF Token Status List: the whole list is fetched, so asking tells nothing of which mandat is looked at.
  const perAddress = limitAddress(db, config, 'verification_adresse')
  routes.get('/statuts/:liste{[0-9]{1,4}}', publicPage, perAddress, async (c) => {
    const list = await signOnce(Number(c.req.param('liste')))
    if (!list) return c.notFound()
    c.header('Access-Control-Allow-Origin', '*')
    // Kept elsewhere as well, it could be twice as old as ours.
    c.header('Cache-Control', 'no-cache')
    c.header('Content-Type', 'application/statuslist+jwt')
    return c.body(list)
  })

  // The line of a seal whose key was stolen, for whoever holds the seal and has an older file than the theft.
  routes.get('/sceaux/:sceau', publicPage, perAddress, async (c) => {
    const [, mandatId, empreinte] = SCEAU.exec(c.req.param('sceau')) ?? []
    if (!mandatId || !empreinte) return c.notFound()
    const ligne = await db.tx({ kind: 'verifier' }, (tx) => proveSceau(tx, mandatId, empreinte, config.journal))
    if (!ligne) return c.notFound()
    c.header('Access-Control-Allow-Origin', '*')
    c.header('Cache-Control', 'no-store')
    return c.json(ligne)
  })

  // Its own address, not one of /assets: a service worker governs what begins as its own does.
  const worker = new TextDecoder().decode(ASSETS.get('v-sw.js')!.bytes)
  routes.get('/v-sw.js', publicPage, (c) => {
    c.header('Content-Type', 'text/javascript; charset=utf-8')
    c.header('Cache-Control', 'no-cache')
    return c.body(worker)
  })
  routes.get('/v', publicPage, (c) => {
    c.header('Cache-Control', 'no-cache')
    return c.html(vPage({ demo: c.var.demo }))
  })

  const waiting = async (c: Context<Env>, wait: Throttled) =>
    verifierPage({ frame: openFrame(c), values: (await parseForm(c, verifierForm)).values, wait })
  const perTyping = limitAddress(db, config, 'verifier_adresse', waiting)
  routes.get('/verifier', publicPage, (c) => c.html(verifierPage({ frame: openFrame(c) })))
  // 200 and not a redirect: what a paper says must not be an address, in a history or a log.
  routes.post('/verifier', publicPage, perTyping, async (c) => {
    const form = await parseForm(c, verifierForm)
    if (!form.ok) return c.html(verifierPage({ frame: openFrame(c), values: form.values, errors: form.errors }), 422)
    const checked = await checkCode(db, form.data)
    // Nothing of what was typed is shown again: the answer is the same to the byte.
    if (!checked.ok) return c.html(verifierPage({ frame: openFrame(c), refusal: checked.refusal }), 409)
    return c.html(papierPage({ frame: openFrame(c), ...checked }))
  })
  return routes
}
