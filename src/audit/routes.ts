import { Hono } from 'hono'
import { dossierPage } from '../../views/audit/dossier.ts'
import { journalCsv, journalImprimePage, journalPage } from '../../views/audit/journal.ts'
import { openPage } from '../../views/audit/open.ts'
import { back } from '../../views/kit/card.ts'
import type { Spend } from '../aidant/spend-factor.ts'
import type { Config } from '../config.ts'
import type { Db } from '../db.ts'
import { curseurDe, findDemarche, findFaits, listDemarches, texteDuCurseur } from '../demarche/queries.ts'
import { isUuid, type Parsed, parseForm, parseSearch } from '../form.ts'
import { asReferent as as } from '../http/as.ts'
import { confirmed } from '../http/confirm.ts'
import type { AidantContext, Env, SessionAidant } from '../http/env.ts'
import { frameOf } from '../http/frame.ts'
import { limitCaller } from '../http/limit-rate.ts'
import { localPath } from '../http/local-path.ts'
import { requireReferent, withDossier, withFactor } from '../http/rules.ts'
import { proveLine } from '../journal/prove.ts'
import { preuveFile } from '../journal/routes.ts'
import { listSignalees } from '../mandat/fin-queries.ts'
import { jourLocal } from '../mandat/mandat.ts'
import { listMandats } from '../mandat/queries.ts'
import { recordAcces } from '../usager/access.ts'
import { findUsager } from '../usager/queries.ts'
import { newUuid } from '../uuid.ts'
import { type ExportRefusal, exportJournal } from './export.ts'
import { exportForm, filtreForm, OUVERTURE_DEJA_SERVIE, ouvertureForm } from './forms.ts'
import { openDossier } from './open.ts'
import { countMandats, findLigne, findOuverture, listAidants, listLignes } from './queries.ts'

const JOURNAL = '/structure/journal'
const CONTESTATIONS = '/structure/contestations'

export function auditRoutes({ db, config }: { db: Db; config: Pick<Config, 'journal' | 'secretsKey' | 'publicUrl'> }): Hono<Env> {
  const routes = new Hono<Env>()

  routes.get(JOURNAL, requireReferent, limitCaller(db, 'recherche'), (c) => journal(c, parseSearch(c, filtreForm)))

  async function journal(c: AidantContext, filtre: Parsed<typeof filtreForm>, refusal?: ExportRefusal) {
    const { aidant } = c.var
    const [avant] = /^\d{1,15}$/.exec(c.req.query('avant') ?? '') ?? []

    const shown = await db.tx(as(aidant), async (tx) => ({
      aidants: await listAidants(tx),
      comptes: avant === undefined && Object.keys(filtre.values).length === 0 ? await countMandats(tx) : undefined,
      ...(filtre.ok
        ? await listLignes(tx, filtre.data, aidant.fuseau, avant === undefined ? undefined : Number(avant))
        : { lignes: [], suivant: undefined, compte: 0 }),
    }))
    const address = (more: Record<string, string>) => {
      const search = new URLSearchParams({ ...(filtre.values as Record<string, string>), ...more }).toString()
      return search ? `${JOURNAL}?${search}` : JOURNAL
    }
    return c.html(
      journalPage({
        frame: frameOf(c, 'journal'),
        ...shown,
        fuseau: aidant.fuseau,
        values: filtre.values,
        filtre: filtre.ok ? filtre.data : undefined,
        errors: filtre.ok ? {} : filtre.errors,
        refusal,
        suivante: shown.suivant === undefined ? undefined : address({ avant: String(shown.suivant) }),
        premiere: avant === undefined ? undefined : address({}),
      }),
      refusal ? 409 : filtre.ok ? 200 : 422,
    )
  }

  routes.post(`${JOURNAL}/export`, requireReferent, limitCaller(db, 'export'), withFactor('exporter'), async (c) => {
    const { aidant } = c.var
    const filtre = await parseForm(c, filtreForm)
    if (!filtre.ok) return journal(c, filtre)
    const how = await parseForm(c, exportForm)
    const exported = await confirmed(c, { db, door: config }, (spend) =>
      exportJournal(db, as(aidant), filtre.data, aidant.fuseau, spend),
    )
    if (exported instanceof Response) return exported
    if (!exported.ok) return journal(c, filtre, exported.refusal)
    const { lignes, now } = exported
    if (how.ok && how.data.forme === 'csv')
      return c.body(journalCsv(lignes, aidant.fuseau), 200, {
        'Content-Type': 'text/csv; charset=utf-8',
        'Content-Disposition': `attachment; filename="journal-${jourLocal(now, aidant.fuseau)}.csv"`,
      })
    const aidants = await db.tx(as(aidant), listAidants)
    const frame = frameOf(c, 'journal')
    return c.html(journalImprimePage({ frame, lignes, aidants, fuseau: aidant.fuseau, filtre: filtre.data, now }))
  })

  routes.get('/structure/journal/:ligne/preuve.tlog-proof', requireReferent, limitCaller(db, 'preuve'), async (c) => {
    const [numero] = /^[1-9]\d{0,14}$/.exec(c.req.param('ligne')) ?? []
    if (numero === undefined) return c.notFound()
    const id = Number(numero)
    const proven = await db.tx(as(c.var.aidant), async (tx) => {
      const ligne = await findLigne(tx, id)
      if (!ligne) return undefined
      const { usagerId, demarche, lisible } = ligne
      const faits = lisible ? await findFaits(tx, id) : 'non_lu'
      const proven = await proveLine(tx, id, config.journal, faits)
      if (proven.ok && demarche && usagerId && faits !== 'non_lu')
        await recordAcces(tx, { genre: 'demarche_consultee', usagerId })
      return proven
    })
    return proven ? preuveFile(c, id, proven, JOURNAL) : c.notFound()
  })

  /** She comes to a dossier from the journal, or from a contestation that she goes on to (`vers`), and the address says so; or else from the persons. */
  const cameFrom = (c: AidantContext) => {
    const vers = localPath(c.req.query('suite'))
    if (vers?.startsWith(`${CONTESTATIONS}/`))
      return {
        frame: frameOf(c, 'contestations'),
        retour: back('Contestations', CONTESTATIONS),
        suite: `?suite=${encodeURIComponent(vers)}`,
        vers,
      }
    return c.req.query('de') === 'journal'
      ? { frame: frameOf(c, 'journal'), retour: back('Journal de la structure', JOURNAL), suite: '?de=journal' }
      : { frame: frameOf(c, 'personnes'), retour: back('Personnes', '/personnes'), suite: '' }
  }

  const reason = (aidant: SessionAidant, usagerId: string) =>
    db.tx(as(aidant), async (tx) => {
      const usager = await findUsager(tx, usagerId)
      return usager && { usager, envoi: newUuid(tx) }
    })
  routes.get('/structure/personnes/:usagerId/ouvrir', requireReferent, async (c) => {
    const shown = await reason(c.var.aidant, c.req.param('usagerId'))
    return shown ? c.html(openPage({ ...cameFrom(c), ...shown })) : c.notFound()
  })
  routes.post('/structure/personnes/:usagerId/ouvrir', requireReferent, withFactor('ouvrir'), (c) =>
    open(c, c.req.param('usagerId')),
  )

  async function open(c: AidantContext, usagerId: string) {
    const { aidant } = c.var
    const form = await parseForm(c, ouvertureForm)
    const act = form.ok && ((spend?: Spend) => openDossier(db, as(aidant), { usagerId, ...form.data }, spend))
    const opened = act ? await (aidant.confirmee ? act() : confirmed(c, { db, door: config }, act)) : undefined
    if (opened instanceof Response) return opened
    const { suite, vers } = cameFrom(c)
    if (opened?.ok) return c.redirect(vers ?? `/structure/personnes/${usagerId}${suite}`, 303)
    const shown = await reason(aidant, usagerId)
    if (!shown) return c.notFound()
    const typed = form.values.envoi
    const envoi = typeof typed === 'string' && isUuid(typed) && !opened ? typed : shown.envoi
    const errors = form.ok ? { formulaire: OUVERTURE_DEJA_SERVIE } : form.errors
    return c.html(openPage({ ...cameFrom(c), ...shown, envoi, values: form.values, errors }), form.ok ? 409 : 422)
  }

  routes.get('/structure/personnes/:usagerId', requireReferent, withDossier, async (c) => {
    const usagerId = c.req.param('usagerId')
    const shown = await db.tx(as(c.var.aidant), async (tx) => {
      const usager = await findUsager(tx, usagerId)
      if (!usager) return undefined
      const ouverture = await findOuverture(tx, usagerId)
      if (!ouverture) return { usager, ouverture }
      await recordAcces(tx, { genre: 'dossier_consulte', usagerId })
      const { demarches, suivant } = await listDemarches(tx, { usagerIds: [usagerId] }, curseurDe(c.req.query('apres')))
      const asked = c.req.query('notee')
      const noted = asked && isUuid(asked) ? await findDemarche(tx, asked) : undefined
      const notee = noted?.usagerId === usagerId && noted.aidantId === c.var.aidant.id ? noted : undefined
      const signalees = await listSignalees(tx, { usagerIds: [usagerId] })
      return { usager, ouverture, mandats: await listMandats(tx, [usagerId]), demarches, signalees, suivant, notee }
    })
    if (!shown) return c.notFound()
    const { usager, ouverture, mandats = [], demarches = [], signalees = new Set(), suivant, notee } = shown
    const { suite, frame, retour } = cameFrom(c)
    const address = `/structure/personnes/${usagerId}`
    if (!ouverture) return c.redirect(`${address}/ouvrir${suite}`, 303)
    return c.html(
      dossierPage({
        frame,
        retour,
        usager,
        ouverture,
        mandats,
        demarches,
        signalees,
        suivante: suivant && `${address}${suite || '?'}${suite && '&'}apres=${texteDuCurseur(suivant)}`,
        notee,
      }),
    )
  })
  return routes
}
