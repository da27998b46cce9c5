import { Hono } from 'hono'
import { apresFinPage, arretRecuPage, finPage, nonRenouvelablePage, pauseRecuePage } from '../../views/mandat/fin.ts'
import { impossiblePage, newMandatPage } from '../../views/mandat/new.ts'
import type { Refusal } from '../../views/mandat/refusals.ts'
import type { Db } from '../db.ts'
import { findMoment, listDemarches, TOUTES } from '../demarche/queries.ts'
import { parseForm } from '../form.ts'
import { as } from '../http/as.ts'
import type { AidantContext, Env } from '../http/env.ts'
import { frameOf } from '../http/frame.ts'
import { requireAidant, withDossier } from '../http/rules.ts'
import { lire, litCommeAidant, recordAcces } from '../usager/access.ts'
import { findUsager, listAutresFiches } from '../usager/queries.ts'
import { findActing } from './brouillon-queries.ts'
import { aRenouveler, type FinParLaStructure, nonRepris, refusalOfRenewal } from './fin.ts'
import { listArretsRecus, listSignalees } from './fin-queries.ts'
import { arretRecuForm, choixForm, finForm, pauseRecueForm } from './forms.ts'
import { isInForce } from './mandat.ts'
import { findMandat, findMandatContenu, listAutorisations, listMandats } from './queries.ts'
import { recordPause } from './record-pause.ts'
import { recordStop } from './record-stop.ts'
import { renewMandat } from './renew.ts'
import { terminateMandat } from './terminate.ts'

/** Where each end without a request of the person is recorded. */
const CHEMINS = { renonce: 'renoncer', deces: 'deces', protection: 'protection' } as const satisfies Record<
  FinParLaStructure,
  string
>

/** Ends and renewals on the structure's side. Any aidant of it may: an end never waits for the one who signed. */
export function finRoutes({ db }: { db: Db }): Hono<Env> {
  const routes = new Hono<Env>()
  /** What these pages show of the mandat, read as the mandat itself is: with a reason for a référent, and a line of access (ADR 0018). */
  const standing = (c: AidantContext, mandatId: string, { over }: { over: 'shown' | 'redirected' }) =>
    lire(db, c, {
      find: (tx) => findMandat(tx, mandatId),
      read: async (tx, mandat) => {
        if (over === 'redirected' && !isInForce(mandat)) return c.redirect(`/mandats/${mandatId}`, 303)
        await recordAcces(tx, { genre: 'mandat_consulte', usagerId: mandat.usagerId })
        const reunies = (await listAutresFiches(tx, mandat.usagerId)).filter(({ reunie }) => reunie)
        return {
          mandat,
          usager: (await findUsager(tx, mandat.usagerId))!,
          autorisations: await listAutorisations(tx, mandatId),
          mandats: await listMandats(tx, [mandat.usagerId, ...reunies.map(({ id }) => id)]),
          now: tx.now,
        }
      },
    })

  // A stop that the person asked for, recorded in her name

  const asking = async (
    c: AidantContext,
    mandatId: string,
    status: 200 | 409 | 422,
    more: Partial<Parameters<typeof arretRecuPage>[0]> = {},
  ) => {
    // A letter found late is noted, too, on a mandat that is over.
    const shown = await standing(c, mandatId, { over: 'shown' })
    if (shown instanceof Response) return shown
    return c.html(arretRecuPage({ frame: frameOf(c, 'personnes'), ...shown, ...more }), status)
  }
  routes.get('/mandats/:mandatId/arreter', requireAidant, withDossier, (c) => asking(c, c.req.param('mandatId'), 200))
  routes.post('/mandats/:mandatId/arreter', requireAidant, withDossier, async (c) => {
    const by = as(c.var.aidant)
    const mandatId = c.req.param('mandatId')
    const form = await parseForm(c, arretRecuForm)
    if (!form.ok) return asking(c, mandatId, 422, { values: form.values, errors: form.errors })
    const { quoi, maniere } = form.data
    const recuLe = await db.tx(by, (tx) => findMoment(tx, mandatId, form.data.recuLe))
    if (!recuLe) return c.notFound()
    const thematique = quoi === 'tout' ? undefined : quoi
    const recorded = await recordStop(db, by, { mandatId, thematique, maniere, recuLe })
    // Sent twice, or stopped by her meanwhile: what she wanted is so.
    if (recorded.ok || recorded.refusal === 'deja_termine') return c.redirect(`/mandats/${mandatId}/arret?fait=1`, 303)
    return asking(c, mandatId, 409, { values: form.values, refusal: recorded.refusal })
  })

  // A pause that she asked for, likewise

  const pausing = async (
    c: AidantContext,
    mandatId: string,
    status: 200 | 409 | 422,
    more: Partial<Parameters<typeof pauseRecuePage>[0]> = {},
  ) => {
    // Over meanwhile, there is nothing left to mend in what was typed.
    const shown = await standing(c, mandatId, { over: status === 409 ? 'shown' : 'redirected' })
    if (shown instanceof Response) return shown
    return c.html(pauseRecuePage({ frame: frameOf(c, 'personnes'), ...shown, ...more }), status)
  }
  routes.get('/mandats/:mandatId/pause', requireAidant, withDossier, (c) => pausing(c, c.req.param('mandatId'), 200))
  routes.post('/mandats/:mandatId/pause', requireAidant, withDossier, async (c) => {
    const mandatId = c.req.param('mandatId')
    const form = await parseForm(c, pauseRecueForm)
    if (!form.ok) return pausing(c, mandatId, 422, { values: form.values, errors: form.errors })
    const { quoi, maniere } = form.data
    const thematique = quoi === 'tout' ? undefined : quoi
    const recorded = await recordPause(db, as(c.var.aidant), { mandatId, thematique, maniere })
    // Sent twice, or paused by her meanwhile: what she wanted is so.
    if (recorded.ok || recorded.refusal === 'deja_en_pause') return c.redirect(`/mandats/${mandatId}?fait=1`, 303)
    return pausing(c, mandatId, 409, { values: form.values, refusal: recorded.refusal })
  })

  // Ends that the structure records

  for (const how of Object.keys(CHEMINS) as FinParLaStructure[]) {
    const path = `/mandats/:mandatId/${CHEMINS[how]}` as const
    const confirming = async (
      c: AidantContext,
      mandatId: string,
      status: 200 | 409 | 422,
      more: { refusal?: Refusal; error?: string | undefined } = {},
    ) => {
      const shown = await standing(c, mandatId, { over: status === 200 ? 'redirected' : 'shown' })
      if (shown instanceof Response) return shown
      return c.html(finPage({ frame: frameOf(c, 'personnes'), how, ...shown, ...more }), status)
    }
    routes.get(path, requireAidant, withDossier, (c) => confirming(c, c.req.param('mandatId')!, 200))
    routes.post(path, requireAidant, withDossier, async (c) => {
      const mandatId = c.req.param('mandatId')!
      const form = await parseForm(c, finForm)
      if (!form.ok) return confirming(c, mandatId, 422, { error: form.errors.confirme })
      const ended = await terminateMandat(db, as(c.var.aidant), { mandatId, how })
      if (ended.ok || ended.refusal === 'deja_termine') return c.redirect(`/mandats/${mandatId}/arret?fait=1`, 303)
      return confirming(c, mandatId, 409, { refusal: ended.refusal })
    })
  }

  routes.get('/mandats/:mandatId/arret', requireAidant, async (c) => {
    const mandatId = c.req.param('mandatId')
    const shown = await db.tx(as(c.var.aidant), async (tx) => {
      const mandat = await findMandat(tx, mandatId)
      if (!mandat) return undefined
      const autorisations = await listAutorisations(tx, mandatId)
      if (!autorisations.some(({ revokedAt }) => revokedAt)) return c.redirect(`/mandats/${mandatId}`, 303)
      await recordAcces(tx, { genre: 'mandat_consulte', usagerId: mandat.usagerId })
      return {
        mandat,
        usager: (await findUsager(tx, mandat.usagerId))!,
        autorisations,
        recus: await listArretsRecus(tx, mandatId),
        signalees: await listSignalees(tx, { mandatId }),
        lit: await litCommeAidant(tx, mandat.usagerId),
        imprime: (await findMandatContenu(tx, mandatId)) !== undefined,
        ...(await listDemarches(tx, { mandatId }, undefined, TOUTES)),
        now: tx.now,
      }
    })
    if (shown instanceof Response) return shown
    const fait = c.req.query('fait') === '1'
    return shown ? c.html(apresFinPage({ frame: frameOf(c, 'personnes'), ...shown, fait })) : c.notFound()
  })

  // Renewal: the choices of before, to be agreed to again

  const renewing = async (
    c: AidantContext,
    mandatId: string,
    status: 200 | 409 | 422,
    more: Partial<Parameters<typeof newMandatPage>[0]> = {},
  ) => {
    const shown = await standing(c, mandatId, { over: 'shown' })
    if (shown instanceof Response) return shown
    const { mandat, autorisations, now } = shown
    const acting = (await db.tx(as(c.var.aidant), (tx) => findActing(tx)))!
    const refusal = refusalOfRenewal(mandat, autorisations, acting.desactivees, undefined, now)
    if (refusal && status !== 409) return c.html(nonRenouvelablePage({ frame: frameOf(c, 'mandat'), mandatId, refusal }), status)
    const renouvelle = {
      perimetre: aRenouveler(autorisations, acting.desactivees),
      nonRepris: nonRepris(autorisations, acting.desactivees),
      duree: mandat.duree,
    }
    return c.html(newMandatPage({ frame: frameOf(c, 'mandat'), acting, renouvelle, now, ...more }), status)
  }
  routes.get('/mandats/:mandatId/renouveler', requireAidant, withDossier, (c) => renewing(c, c.req.param('mandatId'), 200))
  routes.post('/mandats/:mandatId/renouveler', requireAidant, withDossier, async (c) => {
    const mandatId = c.req.param('mandatId')
    const form = await parseForm(c, choixForm)
    if (!form.ok) return renewing(c, mandatId, 422, { values: form.values, errors: form.errors })
    if (form.data.protegee === 'oui') {
      const known = await db.tx(as(c.var.aidant), (tx) => findMandat(tx, mandatId))
      return known ? c.html(impossiblePage({ frame: frameOf(c, 'mandat'), refusal: 'protegee' })) : c.notFound()
    }
    const renewed = await renewMandat(db, as(c.var.aidant), mandatId, form.data)
    if (renewed.ok) return c.redirect(`/mandats/brouillons/${renewed.id}/identification`, 303)
    return renewing(c, mandatId, 409, { values: form.values, refusal: renewed.refusal })
  })
  return routes
}
