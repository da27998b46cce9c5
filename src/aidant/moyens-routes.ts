import { Hono } from 'hono'
import { ajoutPage, codesPage, moyensPage } from '../../views/aidant/moyens.ts'
import type { Config } from '../config.ts'
import type { Db } from '../db.ts'
import { parseForm, readFields } from '../form.ts'
import { as } from '../http/as.ts'
import { confirmed } from '../http/confirm.ts'
import type { AidantContext, Env } from '../http/env.ts'
import { frameOf } from '../http/frame.ts'
import { requireAidant, withFactor } from '../http/rules.ts'
import { addFactor, askAjout, findAjout, removeFactor, renewSecours, secretDAjout } from './change-factors.ts'
import { creationOptions } from './cle-acces.ts'
import { isTied } from './enter.ts'
import { pairingOf, readFactors } from './factor.ts'
import { ajoutForm, codeForm, creationForm } from './forms.ts'
import { MOYENS } from './moyens.ts'
import { countSecours } from './secours.ts'

/** « Mes moyens de connexion »: an aidant's applications, passkeys and recovery codes. */
export function moyensRoutes({ db, config }: { db: Db; config: Config }): Hono<Env> {
  const routes = new Hono<Env>()

  const show = async (c: AidantContext, status: 200 | 409 | 422, more: Partial<Parameters<typeof moyensPage>[0]> = {}) => {
    const { aidant } = c.var
    const shown = await db.tx(as(aidant), async (tx) => ({
      factors: await readFactors(tx, aidant.id),
      restent: await countSecours(tx, aidant.id),
      lie: config.proconnect !== undefined && (await isTied(tx, aidant.id)),
    }))
    return c.html(moyensPage({ frame: frameOf(c), ...shown, fuseau: aidant.fuseau, ...more }), status)
  }
  const showCodes = (c: AidantContext, codes: readonly string[]) =>
    c.html(codesPage({ frame: frameOf(c), codes, suite: `${MOYENS}?fait=ajout` }))

  routes.get(MOYENS, requireAidant, (c) => show(c, 200, { fait: c.req.query('fait') ?? '' }))

  routes.post(`${MOYENS}/ajouter`, requireAidant, withFactor('ajouter'), async (c) => {
    const form = await parseForm(c, ajoutForm)
    if (!form.ok) return show(c, 422, { values: form.values, errors: form.errors })
    const sessionId = c.var.sessionId!
    const asked = await confirmed(c, { db, door: config }, (spend) =>
      askAjout(db, as(c.var.aidant), { sessionId, ...form.data }, spend),
    )
    if (asked instanceof Response) return asked
    return asked.ok ? c.redirect(`${MOYENS}/ajouts/${asked.id}`, 303) : show(c, 409)
  })

  routes.post(`${MOYENS}/codes`, requireAidant, withFactor('codes'), async (c) => {
    const renewed = await confirmed(c, { db, door: config }, (spend) => renewSecours(db, as(c.var.aidant), config, spend))
    if (renewed instanceof Response) return renewed
    return renewed.ok ? c.html(codesPage({ frame: frameOf(c), codes: renewed.codes, suite: MOYENS })) : show(c, 409)
  })

  routes.post(`${MOYENS}/:facteurId/retirer`, requireAidant, withFactor('retirer'), async (c) => {
    const removed = await confirmed(c, { db, door: config }, (spend) =>
      removeFactor(db, as(c.var.aidant), c.req.param('facteurId'), spend),
    )
    if (removed instanceof Response) return removed
    return removed.ok ? c.redirect(`${MOYENS}?fait=retrait`, 303) : show(c, 409, { refusal: removed.refusal })
  })

  const ajout = async (
    c: AidantContext,
    status: 200 | 409 | 422,
    more: Pick<Parameters<typeof ajoutPage>[0], 'errors' | 'refusal'> = {},
  ) => {
    const { aidant, sessionId } = c.var
    const asked = { id: c.req.param('ajoutId')!, sessionId: sessionId! }
    const found = await db.tx(as(aidant), (tx) => findAjout(tx, as(aidant), asked))
    if (!found) return c.notFound()
    const { id, genre, nom, email, defi, connues } = found
    const shown = { frame: frameOf(c), nom, ...more }
    if (genre === 'totp')
      return c.html(ajoutPage({ ...shown, genre, pairing: pairingOf(secretDAjout(config, id), email) }), status)
    const holder = { id: aidant.id, email, nom: `${aidant.prenom} ${aidant.nom}` }
    return c.html(ajoutPage({ ...shown, genre, options: await creationOptions(config.publicUrl, defi, holder, connues) }), status)
  }
  routes.get(`${MOYENS}/ajouts/:ajoutId`, requireAidant, (c) => ajout(c, 200))
  routes.post(`${MOYENS}/ajouts/:ajoutId`, requireAidant, async (c) => {
    const form = await parseForm(c, (await readFields(c)).has('signature') ? creationForm : codeForm)
    if (!form.ok) return ajout(c, 422, { errors: form.errors })
    const paired = 'code' in form.data ? form.data : { creation: form.data.signature }
    const given = { id: c.req.param('ajoutId'), sessionId: c.var.sessionId!, paired }
    const added = await addFactor(db, as(c.var.aidant), given, config)
    if (added.ok) return added.codes.length > 0 ? showCodes(c, added.codes) : c.redirect(`${MOYENS}?fait=ajout`, 303)
    return added.refusal === 'ajout_ferme' ? c.notFound() : ajout(c, 409, { refusal: added.refusal })
  })
  return routes
}
