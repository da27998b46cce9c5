import { Hono } from 'hono'
import { contestationPage, contestationRecuePage, contestationsPage } from '../../views/demarche/contestation.ts'
import { correctionPage } from '../../views/demarche/corriger.ts'
import { actePage } from '../../views/usager/acte.ts'
import type { Db } from '../db.ts'
import { parseForm } from '../form.ts'
import { as, asReferent, asUsager } from '../http/as.ts'
import type { AidantContext, Env, UsagerContext } from '../http/env.ts'
import { frameOf } from '../http/frame.ts'
import { reopenFirst } from '../http/kept-form.ts'
import { requireAidant, requireReferent, requireUsagerParCode, requireUsagerProuve, withDossier } from '../http/rules.ts'
import { findMandat, findMandatEnCours } from '../mandat/queries.ts'
import { dossierDeDirection, dossierOuvert, lire, recordAcces } from '../usager/access.ts'
import { findContactProuve } from '../usager/code-queries.ts'
import { findUsager, listStructuresDe } from '../usager/queries.ts'
import { answerContestation } from './answer.ts'
import { contestDemarche, recordContestation } from './contest.ts'
import { findContestation, listAContester, listContestations } from './contestation-queries.ts'
import { correctDemarche } from './correct.ts'
import { peutCorriger } from './demarche.ts'
import { contestationForm, contestationRecueForm, correctionForm, faitsCorriges, reponseForm } from './forms.ts'
import { type DemarcheRow, findDemarche, findMoment } from './queries.ts'

/** What the person does not agree with, on the page of one act; what the direction answers; what is corrected. */
export function contestationRoutes({ db }: { db: Db }): Hono<Env> {
  const routes = new Hono<Env>()

  // The person, on the page of one act

  const acte = async (
    c: UsagerContext,
    demarcheId: string,
    status: 200 | 409 | 422 = 200,
    more: Partial<Parameters<typeof actePage>[0]> = {},
  ) => {
    const { usager } = c.var
    const shown = await db.tx(asUsager(usager), async (tx) => {
      const demarche = await findDemarche(tx, demarcheId)
      // Whoever holds her paper reads nothing of what is confidential.
      if (!demarche?.thematique) return undefined
      const mandat = (await findMandat(tx, demarche.mandatId))!
      const enCours = await findMandatEnCours(tx, demarche)
      const contestations = await listContestations(tx, demarcheId)
      const structure = (await listStructuresDe(tx)).find(({ id }) => id === demarche.structureId)!
      return { demarche, mandat, enCours, contestations, structure, now: tx.now }
    })
    if (!shown) return c.notFound()
    // Said meanwhile: nothing is left to mend.
    if (status === 422 && shown.contestations.some(({ answeredAt, maniere }) => !answeredAt && !maniere))
      return c.redirect(`/mon-espace/demarches/${demarcheId}#desaccord`, 303)
    const par =
      usager.niveau !== 'code_prive'
        ? 'ici'
        : (await db.tx({ kind: 'portier' }, (tx) => findContactProuve(tx, usager.ids[0]!)))
          ? 'code'
          : 'autrement'
    return c.html(actePage({ frame: frameOf(c, 'mandats'), ...shown, par, ...more }), status)
  }
  const ACTE = '/mon-espace/demarches/:demarcheId'
  routes.get(ACTE, requireUsagerParCode, (c) => acte(c, c.req.param('demarcheId')))
  routes.post(ACTE, requireUsagerProuve, async (c) => {
    const demarcheId = c.req.param('demarcheId')
    const form = await parseForm(c, contestationForm)
    if (!form.ok) return acte(c, demarcheId, 422, { values: form.values, errors: form.errors })
    const { motif, note, pause } = form.data
    const by = asUsager(c.var.usager)
    const contested = await contestDemarche(db, by, { demarcheId, motif, note, pause: pause !== null })
    if (!contested.ok) return c.notFound()
    // Pressed twice, it is said; something else said from another tab is not what is kept, and she is told so.
    const same = async () => {
      const hers = (await db.tx(by, (tx) => listContestations(tx, demarcheId))).find((one) => !one.answeredAt && !one.maniere)
      return hers?.motif === motif && hers.note === note && (hers.enPause !== null) === (pause !== null)
    }
    if (contested.deja && !(await same())) return acte(c, demarcheId, 409, { perdu: form.data })
    return c.redirect(`/mon-espace/demarches/${demarcheId}#desaccord`, 303)
  })

  // The structure: what it hears of her, and what it corrects

  /** One act as an aidant, or the direction with the dossier open, reads it. */
  const read = (c: AidantContext, demarcheId: string, may: (demarche: DemarcheRow) => boolean = () => true) =>
    lire(db, c, {
      find: async (tx) => {
        const demarche = await findDemarche(tx, demarcheId)
        return demarche && may(demarche) ? demarche : undefined
      },
      read: async (tx, demarche) => {
        await recordAcces(tx, { genre: 'demarche_consultee', usagerId: demarche.usagerId })
        return { demarche, usager: (await findUsager(tx, demarche.usagerId))!, now: tx.now }
      },
      closed: (usagerId) => reopenFirst(c, dossierDeDirection(usagerId)),
    })

  const recue = async (
    c: AidantContext,
    demarcheId: string,
    status: 200 | 409 | 422 = 200,
    more: Partial<Parameters<typeof contestationRecuePage>[0]> = {},
  ) => {
    const shown = await read(c, demarcheId)
    if (shown instanceof Response) return shown
    const auteur = shown.demarche.aidantId === c.var.aidant.id
    // The page says why she records nothing here.
    if (status === 422 && auteur) return c.redirect(`/demarches/${demarcheId}/contestation`, 303)
    return c.html(contestationRecuePage({ frame: frameOf(c, 'personnes'), ...shown, auteur, ...more }), status)
  }
  const RECUE = '/demarches/:demarcheId/contestation'
  routes.get(RECUE, requireAidant, withDossier, (c) => recue(c, c.req.param('demarcheId')))
  routes.post(RECUE, requireAidant, withDossier, async (c) => {
    const by = as(c.var.aidant)
    const demarcheId = c.req.param('demarcheId')
    const form = await parseForm(c, contestationRecueForm)
    if (!form.ok) return recue(c, demarcheId, 422, { values: form.values, errors: form.errors })
    const shown = await read(c, demarcheId)
    if (shown instanceof Response) return shown
    const recuLe = (await db.tx(by, (tx) => findMoment(tx, shown.demarche.mandatId, form.data.recuLe)))!
    const recorded = await recordContestation(db, by, { ...form.data, demarcheId, recuLe })
    if (recorded.ok) return c.redirect(`/demarches/${demarcheId}?fait=1`, 303)
    return recue(c, demarcheId, 409, { values: form.values, refusal: recorded.refusal })
  })

  const correcting = async (
    c: AidantContext,
    demarcheId: string,
    status: 200 | 409 | 422 = 200,
    more: Partial<Parameters<typeof correctionPage>[0]> = {},
  ) => {
    const shown = await read(c, demarcheId, correctedBy(c))
    if (shown instanceof Response) return shown
    // A complaint to its author only.
    return shown.demarche.titre != null
      ? c.html(correctionPage({ frame: frameOf(c, 'personnes'), ...shown, ...more }), status)
      : c.notFound()
  }
  const correctedBy =
    ({ var: { aidant } }: AidantContext) =>
    (demarche: DemarcheRow) =>
      peutCorriger(demarche, aidant)
  const CORRIGER = '/demarches/:demarcheId/corriger'
  routes.get(CORRIGER, requireAidant, withDossier, (c) => correcting(c, c.req.param('demarcheId')))
  routes.post(CORRIGER, requireAidant, withDossier, async (c) => {
    const { aidant } = c.var
    const demarcheId = c.req.param('demarcheId')
    const form = await parseForm(c, correctionForm)
    if (!form.ok) return correcting(c, demarcheId, 422, { values: form.values, errors: form.errors })
    const shown = await read(c, demarcheId, correctedBy(c))
    if (shown instanceof Response) return shown
    const by = shown.demarche.aidantId === aidant.id ? as(aidant) : asReferent(aidant)
    const corrected = await correctDemarche(db, by, { demarcheId, faits: faitsCorriges(form.data), raison: form.data.raison })
    if (corrected.ok) return c.redirect(`/demarches/${demarcheId}`, 303)
    return correcting(c, demarcheId, 409, { values: form.values, refusal: corrected.refusal })
  })

  // The direction answers

  const CONTESTATIONS = '/structure/contestations'
  routes.get(CONTESTATIONS, requireReferent, async (c) => {
    const shown = await db.tx(asReferent(c.var.aidant), async (tx) => ({ contestations: await listAContester(tx), now: tx.now }))
    return c.html(contestationsPage({ frame: frameOf(c, 'contestations'), fuseau: c.var.aidant.fuseau, ...shown }))
  })

  const answering = async (
    c: AidantContext,
    id: string,
    status: 200 | 409 | 422 = 200,
    more: Partial<Parameters<typeof contestationPage>[0]> = {},
  ) => {
    const shown = await db.tx(asReferent(c.var.aidant), async (tx) => {
      const contestation = await findContestation(tx, id)
      const usager = contestation && (await findUsager(tx, contestation.usagerId))
      if (!usager) return undefined
      if (!(await dossierOuvert(tx, usager.id)))
        return c.var.kept
          ? reopenFirst(c, dossierDeDirection(usager.id))
          : c.redirect(`${dossierDeDirection(usager.id)}/ouvrir?suite=${encodeURIComponent(`${CONTESTATIONS}/${id}`)}`, 303)
      await recordAcces(tx, { genre: 'demarche_consultee', usagerId: usager.id })
      return { contestation, usager, demarche: await findDemarche(tx, contestation.demarcheId), now: tx.now }
    })
    if (shown instanceof Response) return shown
    if (status === 422 && shown?.contestation.answeredAt) return c.redirect(`${CONTESTATIONS}/${id}`, 303)
    const frame = frameOf(c, 'contestations')
    return shown ? c.html(contestationPage({ frame, fuseau: c.var.aidant.fuseau, ...shown, ...more }), status) : c.notFound()
  }
  const UNE = `${CONTESTATIONS}/:contestationId` as const
  routes.get(UNE, requireReferent, withDossier, (c) => answering(c, c.req.param('contestationId')))
  routes.post(UNE, requireReferent, withDossier, async (c) => {
    const contestationId = c.req.param('contestationId')
    const form = await parseForm(c, reponseForm)
    if (!form.ok) return answering(c, contestationId, 422, { values: form.values, errors: form.errors })
    const said = { reponse: form.data.reponseDonnee, note: form.data.note }
    const answered = await answerContestation(db, asReferent(c.var.aidant), { contestationId, ...said })
    // Pressed twice, she is answered; another answer, given meanwhile in another tab or by another, is not this one.
    const same = async () => {
      const given = await db.tx(asReferent(c.var.aidant), (tx) => findContestation(tx, contestationId))
      return given?.reponse === said.reponse && given.noteReponse === said.note
    }
    if (answered.ok || (answered.refusal === 'deja_repondue' && (await same())))
      return c.redirect(`${CONTESTATIONS}/${contestationId}`, 303)
    const perdue = answered.refusal === 'deja_repondue' ? said : undefined
    return answering(c, contestationId, 409, { values: form.values, refusal: answered.refusal, perdue })
  })
  return routes
}
