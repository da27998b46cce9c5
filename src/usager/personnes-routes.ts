import { Hono } from 'hono'
import { dossierPage } from '../../views/usager/dossier.ts'
import { personnesPage } from '../../views/usager/personnes.ts'
import { joursInactif } from '../aidant/equipe.ts'
import { listMembres } from '../aidant/equipe-queries.ts'
import type { Db } from '../db.ts'
import { countAContester } from '../demarche/contestation-queries.ts'
import { curseurDe, findDemarche, listDemarches, listRecents, texteDuCurseur } from '../demarche/queries.ts'
import { isUuid } from '../form.ts'
import { as, asReferent } from '../http/as.ts'
import type { Env } from '../http/env.ts'
import { frameOf } from '../http/frame.ts'
import { limitCaller } from '../http/limit-rate.ts'
import { requireAidant, withDossier } from '../http/rules.ts'
import { listMandats } from '../mandat/queries.ts'
import { dossierDeDirection, litCommeAidant, recordAcces } from './access.ts'
import { lireRecherche, RECHERCHE_MAX } from './forms.ts'
import { findUsager, listAutresFiches, listPersonnes } from './queries.ts'

/** The persons of a structure, and the dossier of each, for its aidants. */
export function personnesRoutes({ db }: { db: Db }): Hono<Env> {
  const routes = new Hono<Env>()
  routes.get('/personnes', requireAidant, limitCaller(db, 'recherche'), async (c) => {
    const { aidant } = c.var
    const saisie = (c.req.query('q') ?? '').trim().slice(0, RECHERCHE_MAX)
    const recherche = lireRecherche(saisie)
    const asked = c.req.query('apres')
    const apres = asked && isUuid(asked) ? asked : undefined
    const found = await db.tx(as(aidant), async (tx) => ({ ...(await listPersonnes(tx, recherche, apres)), now: tx.now }))
    const aFaire =
      aidant.referent && !saisie && !apres
        ? await db.tx(asReferent(aidant), async (tx) => ({
            contestations: await countAContester(tx),
            inactifs: (await listMembres(tx)).filter((membre) => joursInactif(membre, tx.now)).length,
          }))
        : undefined
    return c.html(
      personnesPage({ frame: frameOf(c, 'personnes'), saisie, recherche, apres, fuseau: aidant.fuseau, aFaire, ...found }),
    )
  })

  routes.get('/personnes/:usagerId', requireAidant, withDossier, async (c) => {
    const { aidant } = c.var
    const usagerId = c.req.param('usagerId')
    const notee = c.req.query('notee')
    const apres = curseurDe(c.req.query('apres'))
    const shown = await db.tx(as(aidant), async (tx) => {
      const usager = await findUsager(tx, usagerId)
      if (!usager) return undefined
      if (!(await litCommeAidant(tx, usagerId))) return c.redirect(dossierDeDirection(usagerId), 303)
      const mandats = await listMandats(tx, [usagerId])
      const { demarches, suivant } = await listDemarches(tx, { usagerIds: [usagerId] }, apres)
      const noted = notee && isUuid(notee) ? await findDemarche(tx, notee) : undefined
      await recordAcces(tx, { genre: 'dossier_consulte', usagerId })
      return {
        usager,
        mandats,
        demarches,
        recents: await listRecents(tx, usagerId),
        fiches: await listAutresFiches(tx, usagerId),
        suivant,
        notee: noted?.usagerId === usagerId ? noted : undefined,
        now: tx.now,
      }
    })
    if (!shown) return c.notFound()
    if (shown instanceof Response) return shown
    const suivant = shown.suivant && texteDuCurseur(shown.suivant)
    return c.html(
      dossierPage({
        frame: frameOf(c, 'personnes'),
        ...shown,
        suivant,
        apres: apres !== undefined,
        moi: aidant.id,
        fuseau: aidant.fuseau,
      }),
    )
  })
  return routes
}
