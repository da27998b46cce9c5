import { type Context, Hono } from 'hono'
import { createMiddleware } from 'hono/factory'
import { papierOccupePage, papierPage, papierRefusePage } from '../../views/papier/page.ts'
import { papierDe, papierDuBrouillon } from '../../views/papier/papier.ts'
import type { Config } from '../config.ts'
import type { Db, Who } from '../db.ts'
import { parseForm } from '../form.ts'
import { as, asUsager } from '../http/as.ts'
import type { Env, Variables } from '../http/env.ts'
import { frameOf } from '../http/frame.ts'
import { limitCaller, limitRate } from '../http/limit-rate.ts'
import type { Log } from '../http/log.ts'
import { requireAidant, requireUsager, withDossier } from '../http/rules.ts'
import { dossierDeDirection } from '../usager/access.ts'
import { guichetForm } from './forms.ts'
import type { Papier } from './papier.ts'
import { openPlaces } from './places.ts'
import { previewMandat } from './preview.ts'
import { type Demande, type Printer, printPapier } from './print.ts'
import type { Renderer } from './render.ts'

/** A request, whatever its route promises of the caller. */
type Asking = Pick<Context<Env>, 'req' | 'header' | 'body' | 'html' | 'redirect' | 'notFound'> & { var: Readonly<Variables> }
/** What a full place takes to be free again: a paper is made in less. */
const RETRY_SECONDS = 3

type Deps = { db: Db; config: Config; printer: Printer; renderer: Renderer; log: Log }

/** Papers of a mandat: asked for by POST, since an aidant who prints writes a line of the journal. */
export function papierRoutes({ db, config, printer, renderer, log }: Deps): Hono<Env> {
  const routes = new Hono<Env>()
  const places = openPlaces()
  const perCaller = limitCaller(db, 'papier')
  // Each is told to her by SMS, and replaces the one before.
  const perSheet = limitRate(db, 'feuille', (c) => `${c.var.aidant!.structureId} ${c.req.param('mandatId')}`)
  const asOften = createMiddleware<Env>((_, next) => next())
  const service = { publicUrl: config.publicUrl, editeur: config.editeur, demo: config.mode === 'demo' }

  /** The paper as a PDF, else as a page to print. In line: a file saved would stay on a computer that others use. */
  async function answer(c: Asking, papier: Papier, retour: string) {
    const rendered = await renderer.pdf(papier)
    if (rendered.ok)
      return c.body(rendered.pdf, 200, {
        'Content-Type': 'application/pdf',
        'Content-Disposition': `inline; filename="${papier.nom}.pdf"`,
        'Cache-Control': 'no-store',
      })
    if (rendered.refusal !== 'absent')
      log('warn', { event: 'papier_sans_pdf', requestId: c.var.requestId, reason: rendered.refusal })
    return c.html(papierPage({ frame: frameOf(c), papier, retour }))
  }

  /** Nothing is begun for who has enough in the making: her form is on the page that says so, to send again. */
  async function inTurn(c: Asking, who: string, retour: string, make: () => Promise<Response>, thematique?: string) {
    const made = await places(who, make)
    if (made) return made
    c.header('Retry-After', String(RETRY_SECONDS))
    return c.html(papierOccupePage({ frame: frameOf(c), retour, address: c.req.path, thematique }), 429)
  }

  const print = (c: Asking, by: Who & { kind: 'aidant' | 'usager' }, demande: Demande, retour: string) =>
    inTurn(
      c,
      by.kind === 'aidant' ? by.aidantId : by.usagerIds.join(),
      retour,
      () => printNow(c, by, demande, retour),
      demande.thematique,
    )

  async function printNow(c: Asking, by: Who & { kind: 'aidant' | 'usager' }, demande: Demande, retour: string) {
    const first = await printPapier(db, by, demande, printer)
    // As the direction, while she has the dossier open with a reason.
    const direction = !first.ok && first.refusal === 'direction' && by.kind === 'aidant' && c.var.aidant?.referent
    const printed = direction ? await printPapier(db, { ...by, kind: 'referent' }, demande, printer) : first
    if (printed.ok) return answer(c, papierDe(printed.imprime, service), retour)
    if (printed.refusal === 'direction') return c.redirect(dossierDeDirection(printed.usagerId), 303)
    if (printed.refusal === 'introuvable') return c.notFound()
    return c.html(papierRefusePage({ frame: frameOf(c), refusal: printed.refusal, retour }), 409)
  }

  for (const papier of ['mandat', 'guichet', 'arret', 'releve', 'pour-vous'] as const)
    routes.post(
      `/mandats/:mandatId/papiers/${papier}`,
      requireAidant,
      withDossier,
      perCaller,
      papier === 'pour-vous' ? perSheet : asOften,
      async (c) => {
        const mandatId = c.req.param('mandatId')
        const form = papier === 'guichet' ? await parseForm(c, guichetForm) : undefined
        const thematique = (form?.ok && form.data.thematique) || undefined
        return print(c, as(c.var.aidant), { mandatId, papier, thematique }, `/mandats/${mandatId}`)
      },
    )

  for (const papier of ['mandat', 'arret', 'releve', 'pour-vous'] as const)
    routes.post(`/mon-espace/mandats/:mandatId/papiers/${papier}`, requireUsager, perCaller, (c) => {
      const mandatId = c.req.param('mandatId')
      return print(c, asUsager(c.var.usager), { mandatId, papier }, `/mon-espace/mandats/${mandatId}`)
    })

  routes.post('/mandats/brouillons/:brouillonId/apercu', requireAidant, perCaller, async (c) => {
    const brouillonId = c.req.param('brouillonId')
    const retour = `/mandats/brouillons/${brouillonId}/identification`
    return inTurn(c, c.var.aidant.id, retour, async () => {
      const apercu = await previewMandat(db, as(c.var.aidant), brouillonId)
      return apercu ? answer(c, papierDuBrouillon(apercu, service), retour) : c.notFound()
    })
  })
  return routes
}
