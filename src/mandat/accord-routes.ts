import { setTimeout as sleep } from 'node:timers/promises'
import { Hono } from 'hono'
import { acceptationPage } from '../../views/mandat/acceptation.ts'
import { accordPage } from '../../views/mandat/accord.ts'
import { accordDonnePage } from '../../views/mandat/donne.ts'
import { refusedPage, tooLatePage } from '../../views/mandat/retour.ts'
import { readFactors } from '../aidant/factor.ts'
import type { Spend } from '../aidant/spend-factor.ts'
import type { Config } from '../config.ts'
import type { Db } from '../db.ts'
import { parseForm } from '../form.ts'
import { as } from '../http/as.ts'
import { confirmed } from '../http/confirm.ts'
import type { AidantContext, Env } from '../http/env.ts'
import { calm } from '../http/errors.ts'
import { frameOf, grandeFrameOf } from '../http/frame.ts'
import { returnToken, takeToken } from '../http/rates.ts'
import { requireAidant, withFactor } from '../http/rules.ts'
import type { SmsDoor } from '../notification/budget.ts'
import { accordTenu, giveAccord, refuseAccord } from './agree.ts'
import { findBrouillon, findChoices, lockBrouillon } from './brouillon-queries.ts'
import { contactPret } from './contact.ts'
import { acceptationForm, acceptationParCleForm, accordForm, reponseForm } from './forms.ts'
import { perimetreDe } from './mandat.ts'
import { findMandat } from './queries.ts'
import { sendCode } from './send-code.ts'
import { type Signer, signMandat } from './sign.ts'

/** Between two clicks sent at once, what the first needs to come from its try to its draft: measured, some milliseconds. */
const FIRST_CLICK_MS = 250

type Deps = { db: Db; config: Config; door: SmsDoor; signer: Signer }

/** She reads and says yes or no; then the aidant accepts, which signs. */
export function accordRoutes({ db, config, door, signer }: Deps): Hono<Env> {
  const routes = new Hono<Env>()
  const choices = (c: AidantContext, brouillonId: string) => db.tx(as(c.var.aidant), (tx) => findChoices(tx, brouillonId))

  /** A draft that is no longer there: signed since, it is a mandat. */
  const gone = async (c: AidantContext, id: string, address = `/mandats/${id}`) =>
    (await db.tx(as(c.var.aidant), (tx) => findMandat(tx, id))) ? c.redirect(address, 303) : c.notFound()

  routes.get('/mandats/brouillons/:brouillonId/accord', requireAidant, async (c) => {
    const { brouillon, acting, connue, now } = await choices(c, c.req.param('brouillonId'))
    if (!brouillon) return gone(c, c.req.param('brouillonId'))
    if (!brouillon.identite) return c.redirect(`/mandats/brouillons/${brouillon.id}/identification`, 303)
    const relire = c.req.query('relire')
    if (relire === undefined && accordTenu(brouillon, acting.fuseau, now))
      return c.html(accordDonnePage({ frame: frameOf(c), brouillon, fuseau: acting.fuseau }))
    const ticked = c.req.queries('thematiques') ?? []
    const chosen = relire === 'phrase' ? brouillon.perimetre.filter((thematique) => ticked.includes(thematique)) : undefined
    const frame = grandeFrameOf(c)
    return c.html(accordPage({ frame, brouillon, acting, connue, publicUrl: config.publicUrl, now, chosen }))
  })
  routes.post('/mandats/brouillons/:brouillonId/accord', requireAidant, async (c) => {
    const { aidant } = c.var
    const brouillonId = c.req.param('brouillonId')
    const reponse = await parseForm(c, reponseForm)
    if (reponse.ok && reponse.data.reponse === 'non') {
      const refused = await refuseAccord(db, as(aidant), brouillonId)
      return refused.ok
        ? c.html(refusedPage({ frame: frameOf(c), continuent: refused.continuent }))
        : c.html(tooLatePage({ frame: frameOf(c), mandatId: brouillonId }), 409)
    }
    // Only to be read in other letters: nothing is answered yet, nothing is to be mended.
    const relire = reponse.ok && reponse.data.reponse === 'relire'
    const form = await parseForm(c, accordForm)
    const ok = reponse.ok && form.ok && !relire
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
    if (given?.ok) {
      if (given.prouve) return c.redirect(`/mandats/brouillons/${brouillonId}/acceptation`, 303)
      const sent = given.code ? await sendCode(db, as(aidant), brouillonId, door) : undefined
      // None left: the page says why, and how to go on without one.
      const unsent = sent && !sent.ok ? `?envoye=${sent.refusal === 'plus_de_sms' ? 'sms' : 'non'}` : ''
      return c.redirect(`/mandats/brouillons/${brouillonId}/contact${unsent}`, 303)
    }
    const { brouillon, acting, connue, now } = await choices(c, brouillonId)
    if (!brouillon) return gone(c, brouillonId)
    if (!brouillon.identite) return c.redirect(`/mandats/brouillons/${brouillonId}/identification`, 303)
    const chosen = brouillon.perimetre.filter((thematique) => form.values.thematiques?.includes(thematique))
    // Whatever else is to be mended, a sentence that is no longer the one she read is said to have changed.
    const changed =
      chosen.length > 0 && perimetreDe((form.values.lues as string | undefined)?.split(' ') ?? []).join() !== chosen.join()
    const refusal = given?.refusal ?? (changed && !relire ? 'phrase_a_relire' : undefined)
    const errors = relire ? {} : { ...(form.ok ? {} : form.errors), ...(reponse.ok ? {} : reponse.errors) }
    return c.html(
      accordPage({
        frame: grandeFrameOf(c),
        brouillon,
        acting,
        connue,
        publicUrl: config.publicUrl,
        now,
        chosen,
        values: form.values,
        errors,
        refusal,
      }),
      relire ? 200 : ok ? 409 : 422,
    )
  })

  type Acceptation = Omit<Parameters<typeof acceptationPage>[0], 'frame' | 'parProconnect' | 'parCle'>
  const acceptation = async (c: AidantContext, shown: Acceptation, status: 200 | 409 | 422 = 200) => {
    const { id, parProconnect } = c.var.aidant
    const factors = await db.tx(as(c.var.aidant), (tx) => readFactors(tx, id))
    const parCle = factors.some(({ genre }) => genre === 'cle_acces')
    return c.html(acceptationPage({ frame: frameOf(c, 'mandat'), parProconnect, parCle, ...shown }), status)
  }
  routes.get('/mandats/brouillons/:brouillonId/acceptation', requireAidant, async (c) => {
    const { brouillon, acting, connue } = await choices(c, c.req.param('brouillonId'))
    if (!brouillon) return gone(c, c.req.param('brouillonId'))
    if (!brouillon.accordAt) return c.redirect(`/mandats/brouillons/${brouillon.id}/accord`, 303)
    if (!contactPret(brouillon)) return c.redirect(`/mandats/brouillons/${brouillon.id}/contact`, 303)
    return acceptation(c, { brouillon, acting, connue })
  })
  routes.post('/mandats/brouillons/:brouillonId/acceptation', requireAidant, withFactor('signer'), async (c) => {
    const { aidant } = c.var
    const brouillonId = c.req.param('brouillonId')
    // Its page says that it has just been signed.
    const here = `/mandats/${brouillonId}?signe=1`
    const form = await parseForm(c, acceptationForm)
    // Clicked once more when it is signed: no code is looked at, so no try is taken.
    if (!(await db.tx(as(aidant), (tx) => findBrouillon(tx, brouillonId)))) return gone(c, brouillonId, here)
    // Three wrong codes, then even the right one waits (case 4): the try is taken before looking, given back when it was right.
    const parCle = await parseForm(c, acceptationParCleForm)
    const token = form.ok && !parCle.ok ? await db.tx({ kind: 'portier' }, (tx) => takeToken(tx, 'code', aidant.id)) : undefined
    if (token && !token.ok) {
      // The last try may be the first click's of two, which is signing: once it has had time to hold the draft, this waits for it.
      await sleep(FIRST_CLICK_MS)
      const still = await db.tx(as(aidant), (tx) => lockBrouillon(tx, brouillonId))
      return still ? calm(c, 429, token.retryAfter) : gone(c, brouillonId, here)
    }
    const sign = (said: { mesureFinie?: 'oui' | undefined }, by: { code: string } | { spend: Spend; vue: string }) =>
      signMandat(db, as(aidant), { brouillonId, ...by, mesureFinie: said.mesureFinie === 'oui' }, signer)
    const signed = parCle.ok
      ? await confirmed(c, { db, door: signer }, (spend) => sign(parCle.data, { spend, vue: parCle.data.vue }))
      : form.ok
        ? await sign(form.data, { code: form.data.code })
        : undefined
    if (signed instanceof Response) return signed
    if (token && signed && (signed.ok || signed.refusal !== 'second_facteur_refuse'))
      await db.tx({ kind: 'portier' }, (tx) => returnToken(tx, 'code', aidant.id))
    if (signed?.ok) return c.redirect(here, 303)
    const { brouillon, acting, connue } = await choices(c, brouillonId)
    if (!brouillon) return gone(c, brouillonId, here)
    const errors = form.ok || parCle.ok ? {} : form.errors
    return acceptation(c, { brouillon, acting, connue, errors, refusal: signed?.refusal }, signed ? 409 : 422)
  })
  return routes
}
