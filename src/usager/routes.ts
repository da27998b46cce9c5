import { Hono } from 'hono'
import { accesPage } from '../../views/usager/acces.ts'
import { arreterPage, arretPage } from '../../views/usager/arreter.ts'
import { donneesPage } from '../../views/usager/donnees.ts'
import { espacePage } from '../../views/usager/espace.ts'
import { monMandatPage } from '../../views/usager/mandat.ts'
import { listOuvertures } from '../audit/queries.ts'
import type { Config } from '../config.ts'
import type { Db, Tx } from '../db.ts'
import { curseurDe, listDemarches, TOUTES, texteDuCurseur } from '../demarche/queries.ts'
import { parseForm } from '../form.ts'
import { asUsager } from '../http/as.ts'
import type { Env, UsagerContext } from '../http/env.ts'
import { frameOf } from '../http/frame.ts'
import { requireUsager, requireUsagerParCode, requireUsagerProuve } from '../http/rules.ts'
import { listArretsRecus, listPauses, listSignalees } from '../mandat/fin-queries.ts'
import { arretForm } from '../mandat/forms.ts'
import { isInForce } from '../mandat/mandat.ts'
import { findMandat, findMandatContenu, listAutorisations, listMandats, type MandatEtat } from '../mandat/queries.ts'
import { type StopRefusal, stopMandat } from '../mandat/stop.ts'
import type { Provider } from '../oidc/oidc.ts'
import { findContactProuve, listUsagesDuCode } from './code-queries.ts'
import { pauseRoutes } from './pause-routes.ts'
import { porteRoutes } from './porte-routes.ts'
import { findAutreEtatCivil, listAcces, listDonnees, listStructuresDe } from './queries.ts'

/** Her other mandats in force with the same structure, whichever identity she gave them under. */
const listAutres = async (tx: Tx, { id, structureId }: MandatEtat, usagerIds: readonly string[]) =>
  (await listMandats(tx, usagerIds)).filter(
    (one) => one.id !== id && one.structureId === structureId && ['actif', 'suspendu'].includes(one.etat),
  )

/** Acts shown to her: in her space, on a page of a mandat; of a mandat that stops, all of them. */
const LATEST = 5
const PAGE = 10

type Deps = { db: Db; config: Config; franceconnect: Provider }

/** The door of the person's space, and what she reads and does there. */
export function usagerRoutes({ db, config, franceconnect }: Deps): Hono<Env> {
  const routes = new Hono<Env>()

  routes.route('/', porteRoutes({ db, config, franceconnect }))
  /** Her paper's code opened it, and no code may be sent to her: what stops or pauses is elsewhere. */
  const sansPreuve = async ({ var: { usager } }: UsagerContext) =>
    usager.niveau === 'code_prive' &&
    (await db.tx({ kind: 'portier' }, (tx) => findContactProuve(tx, usager.ids[0]!))) === undefined
  routes.get('/mon-espace', requireUsagerParCode, async (c) => {
    const { usager } = c.var
    const shown = await db.tx(asUsager(usager), async (tx) => ({
      mandats: await listMandats(tx, usager.ids),
      signalees: await listSignalees(tx, { usagerIds: usager.ids }),
      ...(await listDemarches(tx, { usagerIds: usager.ids }, undefined, LATEST)),
      autre: await findAutreEtatCivil(tx),
    }))
    return c.html(espacePage({ frame: frameOf(c, 'mandats'), ...shown, sansPreuve: await sansPreuve(c) }))
  })

  routes.get('/mon-espace/mandats/:mandatId', requireUsagerParCode, async (c) => {
    const mandatId = c.req.param('mandatId')
    const apres = curseurDe(c.req.query('apres'))
    const shown = await db.tx(asUsager(c.var.usager), async (tx) => {
      const mandat = await findMandat(tx, mandatId)
      if (!mandat) return undefined
      const autorisations = await listAutorisations(tx, mandatId)
      const contenu = await findMandatContenu(tx, mandatId)
      const recus = await listArretsRecus(tx, mandatId)
      const pauses = await listPauses(tx, mandatId)
      const { demarches, suivant } = await listDemarches(tx, { mandatId }, apres, PAGE)
      const signalees = await listSignalees(tx, { mandatId })
      // The words of the accord are not for whoever holds the paper: what everyone may know of the structure stands in their place.
      const structure = (await listStructuresDe(tx)).find(({ id }) => id === mandat.structureId)!
      return { mandat, autorisations, contenu, recus, pauses, structure, demarches, signalees, suivant, now: tx.now }
    })
    if (!shown) return c.notFound()
    const suivant = shown.suivant && texteDuCurseur(shown.suivant)
    const more = { suivant, apres: apres !== undefined, sansPreuve: await sansPreuve(c) }
    return c.html(monMandatPage({ frame: frameOf(c, 'mandats'), ...shown, ...more }))
  })

  routes.route('/', pauseRoutes({ db }))
  const standing = (c: UsagerContext, mandatId: string) =>
    db.tx(asUsager(c.var.usager), async (tx) => {
      const mandat = await findMandat(tx, mandatId)
      return (
        mandat && {
          mandat,
          autorisations: await listAutorisations(tx, mandatId),
          autres: await listAutres(tx, mandat, c.var.usager.ids),
          now: tx.now,
        }
      )
    })
  const asking = async (c: UsagerContext, mandatId: string, refusal?: StopRefusal) => {
    const shown = await standing(c, mandatId)
    if (!shown) return c.notFound()
    if (!isInForce(shown.mandat) && !refusal) return c.redirect(`/mon-espace/mandats/${mandatId}/arret`, 303)
    return c.html(arreterPage({ frame: frameOf(c, 'mandats'), ...shown, refusal }), refusal ? 409 : 200)
  }
  routes.get('/mon-espace/mandats/:mandatId/arreter', requireUsagerProuve, (c) => asking(c, c.req.param('mandatId')))
  routes.post('/mon-espace/mandats/:mandatId/arreter', requireUsagerProuve, async (c) => {
    const mandatId = c.req.param('mandatId')
    const form = await parseForm(c, arretForm)
    const quoi = form.ok ? form.data.quoi : null
    // A button always says what it stops: a form without it was not ours.
    if (!quoi) return asking(c, mandatId, 'thematique_absente')
    const stopped = await stopMandat(db, asUsager(c.var.usager), { mandatId, thematique: quoi === 'tout' ? undefined : quoi })
    // Pressed twice: what she wanted is so, and the second answer says it as the first did.
    if (stopped.ok || stopped.refusal === 'deja_termine') return c.redirect(`/mon-espace/mandats/${mandatId}/arret`, 303)
    return asking(c, mandatId, stopped.refusal)
  })
  routes.get('/mon-espace/mandats/:mandatId/arret', requireUsagerParCode, async (c) => {
    const mandatId = c.req.param('mandatId')
    const shown = await db.tx(asUsager(c.var.usager), async (tx) => {
      const mandat = await findMandat(tx, mandatId)
      if (!mandat) return undefined
      const autorisations = await listAutorisations(tx, mandatId)
      const [recus, signalees] = [await listArretsRecus(tx, mandatId), await listSignalees(tx, { mandatId })]
      return {
        mandat,
        autorisations,
        recus,
        signalees,
        autres: await listAutres(tx, mandat, c.var.usager.ids),
        ...(await listDemarches(tx, { mandatId }, undefined, TOUTES)),
        now: tx.now,
      }
    })
    if (!shown) return c.notFound()
    const stopped =
      shown.mandat.etat === 'expire' ||
      shown.autorisations.some(({ revokedHow }) => revokedHow === 'revoque') ||
      shown.mandat.endedAt
    return stopped
      ? c.html(arretPage({ frame: frameOf(c, 'mandats'), ...shown }))
      : c.redirect(`/mon-espace/mandats/${mandatId}`, 303)
  })

  routes.get('/mon-espace/acces', requireUsagerParCode, async (c) => {
    const { usager } = c.var
    const asked = c.req.query('avant')
    const avant = asked && /^[1-9]\d{0,14}$/.test(asked) ? Number(asked) : undefined
    const shown = await db.tx(asUsager(usager), async (tx) => ({
      ...(await listAcces(tx, avant)),
      ouvertures: avant === undefined ? await listOuvertures(tx, usager.ids) : [],
      usages: avant === undefined ? await listUsagesDuCode(tx) : [],
      structures: await listStructuresDe(tx),
    }))
    return c.html(accesPage({ frame: frameOf(c, 'acces'), ...shown, avant: avant !== undefined }))
  })

  routes.get('/mon-espace/donnees', requireUsager, async (c) => {
    const shown = await db.tx(asUsager(c.var.usager), async (tx) => ({
      donnees: await listDonnees(tx),
      structures: await listStructuresDe(tx),
    }))
    return c.html(donneesPage({ frame: frameOf(c, 'donnees'), ...shown, fait: c.req.query('fait') }))
  })
  return routes
}
