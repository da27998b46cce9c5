import { Hono } from 'hono'
import { demarchePage } from '../../views/demarche/demarche.ts'
import { newDemarchePage } from '../../views/demarche/new.ts'
import { mentionOf, PROVE_REFUSAL } from '../../views/journal/words.ts'
import type { Config } from '../config.ts'
import type { Db, Tx } from '../db.ts'
import { isUuid, parseForm } from '../form.ts'
import { as } from '../http/as.ts'
import type { AidantContext, Env } from '../http/env.ts'
import { frameOf } from '../http/frame.ts'
import { reopenFirst } from '../http/kept-form.ts'
import { requireAidant, withDossier } from '../http/rules.ts'
import { findProtection } from '../journal/prove.ts'
import { THEMATIQUES } from '../mandat/mandat.ts'
import { findMandat, listAutorisations } from '../mandat/queries.ts'
import { dossierDeDirection, lire, recordAcces } from '../usager/access.ts'
import { findUsager } from '../usager/queries.ts'
import { newUuid } from '../uuid.ts'
import { peutCorriger, proposees, suggestions } from './demarche.ts'
import { demarcheDe, demarcheForm, horsMandatForm } from './forms.ts'
import { findDemarche, findMoment, listRecents } from './queries.ts'
import { recordActeHorsMandat, recordDemarche } from './record.ts'

export function demarcheRoutes({ db, config }: { db: Db; config: Pick<Config, 'journal'> }): Hono<Env> {
  const routes = new Hono<Env>()

  /** What the form shows of this mandat. */
  const shownOf = (c: AidantContext, mandatId: string) =>
    lire(db, c, {
      find: (tx) => findMandat(tx, mandatId),
      read: async (tx, mandat) => {
        const [usager, autorisations, recents] = [
          await findUsager(tx, mandat.usagerId),
          await listAutorisations(tx, mandat.id),
          await listRecents(tx, mandat.usagerId),
        ]
        await recordAcces(tx, { genre: 'dossier_consulte', usagerId: mandat.usagerId })
        const offered = proposees(mandat)
        const elsewhere = THEMATIQUES.filter((one) => !offered.includes(one))
        return {
          mandat,
          usager: usager!,
          autorisations,
          suggestions: suggestions(offered, recents),
          ailleurs: suggestions(elsewhere, recents),
          envoi: newUuid(tx),
          now: tx.now,
        }
      },
    })

  routes.get('/mandats/:mandatId/demarches/nouvelle', requireAidant, withDossier, async (c) => {
    const shown = await shownOf(c, c.req.param('mandatId'))
    if (shown instanceof Response) return shown
    // Chosen on the page before.
    const demarche = shown.suggestions.find(({ code }) => code === c.req.query('demarche'))?.code
    return c.html(newDemarchePage({ frame: frameOf(c, 'personnes'), ...shown, values: { demarche } }))
  })
  routes.get('/mandats/:mandatId/demarches/hors-mandat', requireAidant, withDossier, async (c) => {
    const shown = await shownOf(c, c.req.param('mandatId'))
    if (shown instanceof Response) return shown
    return c.html(newDemarchePage({ frame: frameOf(c, 'personnes'), ...shown, horsMandat: {} }))
  })
  routes.post('/mandats/:mandatId/demarches/nouvelle', requireAidant, withDossier, (c) => note(c, c.req.param('mandatId'), false))
  routes.post('/mandats/:mandatId/demarches/hors-mandat', requireAidant, withDossier, (c) =>
    note(c, c.req.param('mandatId'), true),
  )

  /**
   * As what a référent notes: an aidant, or the direction with the dossier open. Else the answer that keeps what she wrote and leads to opening it:
   * fifteen minutes may end while she writes.
   */
  const entryOf = (c: AidantContext, mandatId: string) =>
    lire(db, c, {
      find: (tx) => findMandat(tx, mandatId),
      read: async (tx) => tx.who.kind,
      closed: (usagerId) => reopenFirst(c, dossierDeDirection(usagerId)),
    })

  async function note(c: AidantContext, mandatId: string, horsMandat: boolean) {
    const { aidant } = c.var
    const by = as(aidant)
    const entry = aidant.referent ? await entryOf(c, mandatId) : 'aidant'
    if (entry instanceof Response) return entry
    const form = horsMandat ? await parseForm(c, horsMandatForm) : await parseForm(c, demarcheForm)
    const faiteLe = form.ok && form.data.faiteLe
    const doneAt = faiteLe ? await db.tx(by, (tx) => findMoment(tx, mandatId, faiteLe)) : undefined
    const demarche = form.ok ? demarcheDe(mandatId, form.data, doneAt) : undefined
    const motif = horsMandat && form.ok ? form.data.motif : null
    const encore = form.ok && form.data.encore !== null
    const recorded =
      demarche &&
      (motif ? await recordActeHorsMandat(db, by, demarche, motif, encore) : await recordDemarche(db, by, demarche, encore))
    if (recorded?.ok) {
      const dossier = entry === 'aidant' ? `/personnes/${recorded.usagerId}` : dossierDeDirection(recorded.usagerId)
      return c.redirect(`${dossier}?notee=${recorded.id}`, 303)
    }

    if (recorded?.refusal === 'dossier_referme') {
      const again = await entryOf(c, mandatId)
      if (again instanceof Response) return again
    }
    if (recorded?.refusal === 'introuvable') return c.notFound()
    const shown = await shownOf(c, mandatId)
    if (shown instanceof Response) return shown
    const refusal = recorded?.refusal
    const outside =
      refusal === 'hors_mandat' ? { thematique: demarche!.thematique, at: demarche!.doneAt ?? shown.now } : undefined
    // The same form sent again is the same démarche, unless it turned out to be another's.
    const typed = form.values.envoi
    const envoi = typeof typed === 'string' && isUuid(typed) && refusal !== 'envoi_deja_utilise' ? typed : shown.envoi
    return c.html(
      newDemarchePage({
        frame: frameOf(c, 'personnes'),
        ...shown,
        envoi,
        values: form.values,
        errors: form.ok ? {} : form.errors,
        refusal,
        deja: recorded && !recorded.ok ? recorded.deja : undefined,
        // From the page of an act outside the mandat, « Enregistrer dans le mandat » comes back to it, its reason kept.
        horsMandat: horsMandat || outside || form.values.motif || (!form.ok && form.errors.motif) ? { done: outside } : undefined,
      }),
      form.ok ? 409 : 422,
    )
  }

  const preuveOf = async (tx: Tx, journalId: number) => {
    const found = await findProtection(tx, journalId, config.journal)
    const mention = found ? mentionOf(found.depuis, found.temoigne) : PROVE_REFUSAL.pas_encore_rangee
    return { mention, prete: found !== undefined }
  }
  routes.get('/demarches/:demarcheId', requireAidant, withDossier, async (c) => {
    const shown = await lire(db, c, {
      find: (tx) => findDemarche(tx, c.req.param('demarcheId')),
      read: async (tx, demarche) => {
        const usager = await findUsager(tx, demarche.usagerId)
        await recordAcces(tx, { genre: 'demarche_consultee', usagerId: demarche.usagerId })
        const preuve = demarche.aidantId === c.var.aidant.id ? await preuveOf(tx, demarche.journalId) : undefined
        const corrige = peutCorriger(demarche, c.var.aidant)
        return { demarche, usager: usager!, preuve, corrige, fait: c.req.query('fait') === '1' }
      },
    })
    if (shown instanceof Response) return shown
    return c.html(demarchePage({ frame: frameOf(c, 'personnes'), ...shown }))
  })
  return routes
}
