import { setTimeout as sleep } from 'node:timers/promises'
import { type Context, Hono } from 'hono'
import { acceptationPage } from '../../views/mandat/acceptation.ts'
import { accordPage } from '../../views/mandat/accord.ts'
import { accordDonnePage } from '../../views/mandat/donne.ts'
import { explainPage } from '../../views/mandat/explain.ts'
import { identificationPage } from '../../views/mandat/identification.ts'
import { mandatPage } from '../../views/mandat/mandat.ts'
import { newMandatPage, protegeePage } from '../../views/mandat/new.ts'
import { isRefusal } from '../../views/mandat/refusals.ts'
import { refusedPage, retourPage, tooLatePage } from '../../views/mandat/retour.ts'
import type { Config } from '../config.ts'
import type { Db } from '../db.ts'
import { isUuid, parseForm } from '../form.ts'
import { addressOf } from '../http/address.ts'
import { as } from '../http/as.ts'
import type { Env, SessionAidant } from '../http/env.ts'
import { calm } from '../http/errors.ts'
import { frameOf } from '../http/frame.ts'
import { limitRate } from '../http/limit-rate.ts'
import { returnToken, takeToken } from '../http/rates.ts'
import { publicPage, requireAidant } from '../http/rules.ts'
import { cookies, signIn } from '../http/session.ts'
import type { Provider } from '../oidc/oidc.ts'
import { isProviderDown } from '../oidc/provider.ts'
import { dossierDeDirection, lire, recordAcces } from '../usager/access.ts'
import { findUsager } from '../usager/queries.ts'
import { accordTenu, giveAccord, refuseAccord } from './agree.ts'
import { findActing, findBrouillon, findConnue, listBrouillons, lockBrouillon } from './brouillon-queries.ts'
import { contactPret } from './contact.ts'
import { contactRoutes } from './contact-routes.ts'
import { discardBrouillon } from './discard.ts'
import { listArretsRecus, listPauses } from './fin-queries.ts'
import { finRoutes } from './fin-routes.ts'
import { acceptationForm, accordForm, choixForm, reponseForm } from './forms.ts'
import { openIdentification } from './identify.ts'
import { lectureDe, lecturesOffertes } from './langues.ts'
import { perimetreDe } from './mandat.ts'
import { papierDuRoutes } from './papier-du-routes.ts'
import { findMandat, findMandatContenu, listAutorisations } from './queries.ts'
import { receiveIdentity } from './receive.ts'
import { sendCode } from './send-code.ts'
import { type Signer, signMandat } from './sign.ts'
import { chooseAgain, startBrouillon } from './start.ts'
import { CODE_SUR_TELEPHONE, telephoneRoutes } from './telephone-routes.ts'
import { thematiquesRoutes } from './thematiques-routes.ts'

const RETOUR = '/connexion/franceconnect/retour'
const FIN = '/connexion/franceconnect/deconnecte'
/** A mandat whose page says that it has just been signed. */
const justSigned = (id: string) => `/mandats/${id}?signe=1`
/** Between two clicks sent at once, what the first needs to come from its try to its draft: measured, some milliseconds. */
const FIRST_CLICK_MS = 250

type Deps = { db: Db; config: Config; franceconnect: Provider; signer: Signer }

/** Large type, for the screen turned to the person. */
const grande = (c: Pick<Context, 'req'>) => c.req.query('ecriture') === 'grande'

export function mandatRoutes({ db, config, franceconnect, signer }: Deps): Hono<Env> {
  const jar = cookies(config)
  const redirectUri = config.publicUrl + RETOUR
  const perAddress = limitRate(db, 'fournisseur_adresse', (c) => addressOf(c, config.proxies))
  const routes = new Hono<Env>()
  routes.route('/', thematiquesRoutes({ db }))
  routes.route('/', papierDuRoutes({ db }))
  routes.route('/', contactRoutes({ db, secretsKey: config.secretsKey }))
  routes.route('/', telephoneRoutes({ db, config, franceconnect, redirectUri }))

  /** What both forms of choices show: the structure's thématiques and the drafts that may be resumed. */
  const choices = (aidant: SessionAidant, brouillonId?: string) =>
    db.tx(as(aidant), async (tx) => {
      const brouillon = brouillonId ? await findBrouillon(tx, brouillonId) : undefined
      return {
        acting: (await findActing(tx))!,
        brouillon,
        brouillons: brouillonId ? [] : await listBrouillons(tx),
        connue: brouillon?.identite ? await findConnue(tx, brouillon.identite.sub) : undefined,
        now: tx.now,
      }
    })

  /** A draft that is no longer there: signed since, it is a mandat. */
  const gone = async (c: Context<Env & { Variables: { aidant: SessionAidant } }>, id: string, address = `/mandats/${id}`) =>
    (await db.tx(as(c.var.aidant), (tx) => findMandat(tx, id))) ? c.redirect(address, 303) : c.notFound()

  routes.get('/mandats/expliquer', requireAidant, (c) => {
    const { demo, aidant } = c.var
    const lecture = lectureDe(c.req.query('langue'), demo)
    if (!lecture) return c.notFound()
    const frame = { ...frameOf(c, 'mandat'), grande: grande(c) }
    return c.html(explainPage({ frame, structure: aidant.structureNom, lecture, offertes: lecturesOffertes(demo) }))
  })
  routes.get('/mandats/nouveau', requireAidant, async (c) =>
    c.html(newMandatPage({ frame: frameOf(c, 'mandat'), ...(await choices(c.var.aidant)) })),
  )
  routes.post('/mandats/nouveau', requireAidant, (c) => choose(c, undefined))
  routes.get('/mandats/brouillons/:brouillonId/choix', requireAidant, async (c) => {
    const shown = await choices(c.var.aidant, c.req.param('brouillonId'))
    return shown.brouillon ? c.html(newMandatPage({ frame: frameOf(c, 'mandat'), ...shown })) : c.notFound()
  })
  routes.post('/mandats/brouillons/:brouillonId/choix', requireAidant, (c) => choose(c, c.req.param('brouillonId')))

  async function choose(c: Context<Env & { Variables: { aidant: SessionAidant } }>, brouillonId: string | undefined) {
    const { aidant } = c.var
    const form = await parseForm(c, choixForm)
    const frame = frameOf(c, 'mandat')
    const by = as(aidant)
    if (form.ok && form.data.protegee === 'oui') {
      const refused = brouillonId ? await refuseAccord(db, by, brouillonId) : undefined
      if (refused && !refused.ok) return c.html(tooLatePage({ frame: frameOf(c), mandatId: brouillonId! }), 409)
      return c.html(protegeePage({ frame }))
    }
    const result = form.ok
      ? brouillonId
        ? await chooseAgain(db, by, brouillonId, form.data)
        : await startBrouillon(db, by, form.data)
      : undefined
    if (result?.ok) return c.redirect(`/mandats/brouillons/${result.id}/identification`, 303)
    const shown = await choices(aidant, brouillonId)
    if (brouillonId && !shown.brouillon) return c.notFound()
    const errors = form.ok ? {} : form.errors
    return c.html(newMandatPage({ frame, ...shown, values: form.values, errors, refusal: result?.refusal }), form.ok ? 409 : 422)
  }

  routes.get('/mandats/brouillons/:brouillonId/identification', requireAidant, async (c) => {
    const { brouillon, acting, now } = await choices(c.var.aidant, c.req.param('brouillonId'))
    if (!brouillon) return c.notFound()
    const again = c.req.query('relire') === 'oui'
    if (!again && accordTenu(brouillon, acting.fuseau, now))
      return c.html(accordDonnePage({ frame: frameOf(c), brouillon, fuseau: acting.fuseau }))
    return c.html(identificationPage({ frame: frameOf(c, 'mandat'), brouillon, acting }))
  })
  routes.post('/mandats/brouillons/:brouillonId/identification', requireAidant, perAddress, async (c) => {
    const { aidant } = c.var
    const brouillonId = c.req.param('brouillonId')
    const opened = await openIdentification(db, as(aidant), { brouillonId, navigateur: jar.read(c, 'navigateur') })
    if (!opened.ok && opened.refusal === 'introuvable') return c.notFound()
    if (!opened.ok) return c.html(retourPage({ frame: frameOf(c, 'mandat'), refusal: opened.refusal, brouillonId }), 409)
    jar.set(c, 'navigateur', opened.navigateur)
    const { state, nonce } = opened
    try {
      return c.redirect((await franceconnect.authorizationUrl({ state, nonce, redirectUri, prompt: 'login' })).href, 303)
    } catch (error) {
      if (!isProviderDown(error)) throw error
      return c.html(retourPage({ frame: frameOf(c, 'mandat'), refusal: 'indisponible', brouillonId }), 503)
    }
  })

  routes.get(RETOUR, publicPage, async (c) => {
    const { aidant } = c.var
    const received = await receiveIdentity(db, franceconnect, {
      url: new URL(new URL(c.req.url).search, redirectUri),
      state: c.req.query('state') ?? '',
      navigateur: jar.read(c, 'navigateur'),
      redirectUri,
      by: aidant && !c.var.detour ? as(aidant) : undefined,
      previousSession: c.var.sessionId,
    })
    if (received.ok && received.but === 'espace') await signIn(c, db, config, received.token)
    const { idToken } = received
    if (!received.ok && !idToken) return c.html(retourPage({ frame: frameOf(c), ...received }), 409)
    // FranceConnect's own session must not stay open on a shared computer: it is closed before anything is shown, a refusal too (case 19).
    const where = received.but === 'telephone' ? 'telephone' : ('brouillonId' in received && received.brouillonId) || ''
    const logout = await franceconnect.logoutUrl({
      idToken: idToken!,
      state: `${received.ok ? received.but : received.refusal}.${where}`,
      postLogoutRedirectUri: config.publicUrl + FIN,
    })
    return c.redirect(logout.href, 303)
  })
  routes.get(FIN, publicPage, (c) => {
    const [word = '', id = ''] = (c.req.query('state') ?? '').split('.')
    const brouillonId = isUuid(id) ? id : undefined
    if (isRefusal(word))
      return c.html(
        retourPage({
          frame: frameOf(c),
          refusal: word,
          but: id === 'telephone' ? 'telephone' : brouillonId ? 'mandat' : 'espace',
          brouillonId,
        }),
        409,
      )
    if (word === 'telephone') return c.redirect(CODE_SUR_TELEPHONE, 303)
    return c.redirect(brouillonId ? `/mandats/brouillons/${brouillonId}/accord` : '/mon-espace', 303)
  })

  routes.get('/mandats/brouillons/:brouillonId/accord', requireAidant, async (c) => {
    const { brouillon, acting, connue, now } = await choices(c.var.aidant, c.req.param('brouillonId'))
    if (!brouillon) return gone(c, c.req.param('brouillonId'))
    if (!brouillon.identite) return c.redirect(`/mandats/brouillons/${brouillon.id}/identification`, 303)
    const relire = c.req.query('relire')
    if (relire === undefined && accordTenu(brouillon, acting.fuseau, now))
      return c.html(accordDonnePage({ frame: frameOf(c), brouillon, fuseau: acting.fuseau }))
    const ticked = c.req.queries('thematiques') ?? []
    const chosen = relire === 'phrase' ? brouillon.perimetre.filter((thematique) => ticked.includes(thematique)) : undefined
    const frame = { ...frameOf(c), grande: grande(c) }
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
      const sent = given.code ? await sendCode(db, as(aidant), brouillonId, config.secretsKey) : undefined
      // Too many codes already: the page says how to go on without one.
      return c.redirect(`/mandats/brouillons/${brouillonId}/contact${sent && !sent.ok ? '?envoye=non' : ''}`, 303)
    }
    const { brouillon, acting, connue, now } = await choices(aidant, brouillonId)
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
        frame: { ...frameOf(c), grande: grande(c) },
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

  routes.get('/mandats/brouillons/:brouillonId/acceptation', requireAidant, async (c) => {
    const { brouillon, acting, connue } = await choices(c.var.aidant, c.req.param('brouillonId'))
    if (!brouillon) return gone(c, c.req.param('brouillonId'))
    if (!brouillon.accordAt) return c.redirect(`/mandats/brouillons/${brouillon.id}/accord`, 303)
    if (!contactPret(brouillon)) return c.redirect(`/mandats/brouillons/${brouillon.id}/contact`, 303)
    return c.html(
      acceptationPage({ frame: frameOf(c, 'mandat'), parProconnect: c.var.aidant.parProconnect, brouillon, acting, connue }),
    )
  })
  routes.post('/mandats/brouillons/:brouillonId/acceptation', requireAidant, async (c) => {
    const { aidant } = c.var
    const brouillonId = c.req.param('brouillonId')
    const here = justSigned(brouillonId)
    const form = await parseForm(c, acceptationForm)
    // Clicked once more when it is signed: no code is looked at, so no try is taken.
    if (!(await db.tx(as(aidant), (tx) => findBrouillon(tx, brouillonId)))) return gone(c, brouillonId, here)
    // Three wrong codes, then even the right one waits (case 4): the try is taken before looking, given back when it was right.
    const token = form.ok ? await db.tx({ kind: 'portier' }, (tx) => takeToken(tx, 'code', aidant.id)) : undefined
    if (token && !token.ok) {
      // The last try may be the first click's of two, which is signing: once it has had time to hold the draft, this waits for it.
      await sleep(FIRST_CLICK_MS)
      const still = await db.tx(as(aidant), (tx) => lockBrouillon(tx, brouillonId))
      return still ? calm(c, 429, token.retryAfter) : gone(c, brouillonId, here)
    }
    const signed = form.ok
      ? await signMandat(
          db,
          as(aidant),
          { brouillonId, code: form.data.code, mesureFinie: form.data.mesureFinie === 'oui' },
          signer,
        )
      : undefined
    if (signed && (signed.ok || signed.refusal !== 'second_facteur_refuse'))
      await db.tx({ kind: 'portier' }, (tx) => returnToken(tx, 'code', aidant.id))
    if (signed?.ok) return c.redirect(here, 303)
    const { brouillon, acting, connue } = await choices(aidant, brouillonId)
    if (!brouillon) return gone(c, brouillonId, here)
    const errors = form.ok ? {} : form.errors
    return c.html(
      acceptationPage({
        frame: frameOf(c, 'mandat'),
        parProconnect: c.var.aidant.parProconnect,
        brouillon,
        acting,
        connue,
        errors,
        refusal: signed?.refusal,
      }),
      form.ok ? 409 : 422,
    )
  })

  routes.route('/', finRoutes({ db }))
  routes.post('/mandats/brouillons/:brouillonId/effacer', requireAidant, async (c) => {
    const discarded = await discardBrouillon(db, as(c.var.aidant), c.req.param('brouillonId'))
    return discarded.ok ? c.redirect('/mandats/nouveau', 303) : c.notFound()
  })

  routes.get('/mandats/:mandatId', requireAidant, async (c) => {
    const shown = await lire(db, c.var.aidant, {
      find: (tx) => findMandat(tx, c.req.param('mandatId')),
      read: async (tx, mandat) => {
        const [usager, autorisations, recus, pauses, contenu] = [
          await findUsager(tx, mandat.usagerId),
          await listAutorisations(tx, mandat.id),
          await listArretsRecus(tx, mandat.id),
          await listPauses(tx, mandat.id),
          await findMandatContenu(tx, mandat.id),
        ]
        await recordAcces(tx, { genre: 'mandat_consulte', usagerId: mandat.usagerId })
        return {
          mandat,
          usager: usager!,
          autorisations,
          recus,
          pauses,
          contenu,
          direction: tx.who.kind === 'referent',
          now: tx.now,
        }
      },
      closed: (usagerId) => c.redirect(dossierDeDirection(usagerId), 303),
    })
    if (shown instanceof Response) return shown
    const [signe, fait] = [c.req.query('signe') === '1', c.req.query('fait') === '1']
    return shown ? c.html(mandatPage({ frame: frameOf(c, 'personnes'), ...shown, signe, fait })) : c.notFound()
  })
  return routes
}
