import { type Context, Hono } from 'hono'
import { connexionPage, fermePage } from '../../views/usager/connexion.ts'
import { reunirPage } from '../../views/usager/reunir.ts'
import type { Config } from '../config.ts'
import type { Db } from '../db.ts'
import { parseForm } from '../form.ts'
import { asUsager } from '../http/as.ts'
import type { Env } from '../http/env.ts'
import { openFrame } from '../http/frame.ts'
import { limitAddress } from '../http/limit-rate.ts'
import { publicPage, requireUsager } from '../http/rules.ts'
import { cookies, findOpened, signIn, signOut } from '../http/session.ts'
import { separateIdentite } from '../mandat/separate.ts'
import { openConnexion } from '../oidc/connexion.ts'
import { FRANCECONNECT_RETOUR } from '../oidc/franceconnect.ts'
import { leaveFor } from '../oidc/leave.ts'
import type { Provider } from '../oidc/oidc.ts'
import { codePriveForm } from './forms.ts'
import { openByCode } from './open-by-code.ts'

type Deps = { db: Db; config: Config; franceconnect: Provider }

/** Into the person's space with FranceConnect, out of it, and with her paper besides, to find there what she did under another sub. */
export function porteRoutes({ db, config, franceconnect }: Deps): Hono<Env> {
  const jar = cookies(config)
  const redirectUri = config.publicUrl + FRANCECONNECT_RETOUR
  const routes = new Hono<Env>()

  const perAddress = limitAddress(db, config, 'fournisseur_adresse')
  const perCode = limitAddress(db, config, 'code_prive_adresse')

  /** `opened`: the token of the session that her paper has just opened, to be united with. */
  const depart = async (c: Context<Env>, opened: string | undefined, down: () => string) => {
    const connexion = await db.tx({ kind: 'portier' }, async (tx) => {
      const but = opened ? ({ but: 'reunion', sessionId: await findOpened(tx, opened) } as const) : ({ but: 'espace' } as const)
      return openConnexion(tx, { ...but, navigateur: jar.read(c, 'navigateur') })
    })
    return leaveFor(c, connexion, { provider: franceconnect, config, redirectUri }, () => c.html(down(), 503))
  }
  routes.get('/mon-espace/connexion', publicPage, (c) =>
    c.var.usager ? c.redirect('/mon-espace', 303) : c.html(connexionPage({ frame: openFrame(c) })),
  )
  routes.post('/connexion/franceconnect', publicPage, perAddress, (c) =>
    depart(c, undefined, () => connexionPage({ frame: openFrame(c), down: true })),
  )

  routes.get('/mon-espace/reunir', publicPage, (c) => c.html(reunirPage({ frame: openFrame(c) })))
  routes.post('/mon-espace/reunir', publicPage, perCode, async (c) => {
    const frame = openFrame(c)
    const form = await parseForm(c, codePriveForm)
    if (!form.ok) return c.html(reunirPage({ frame, values: form.values, errors: form.errors }), 422)
    // Her paper opens what it opens, with its line; FranceConnect comes back to that session, and to no other.
    const opened = await openByCode(db, { ...form.data, previousSession: c.var.sessionId }, config.secretsKey)
    if (!opened.ok) return c.html(reunirPage({ frame, refusal: opened.refusal }), 409)
    await signIn(c, db, config, opened.token)
    return depart(c, opened.token, () => reunirPage({ frame, down: true }))
  })
  routes.post('/mon-espace/separer', requireUsager, async (c) => {
    await separateIdentite(db, asUsager(c.var.usager))
    return c.redirect('/mon-espace/donnees?fait=separees', 303)
  })

  routes.get('/mon-espace/deconnexion', publicPage, (c) =>
    c.var.usager ? c.redirect('/mon-espace', 303) : c.html(fermePage({ frame: openFrame(c) })),
  )
  routes.post('/mon-espace/deconnexion', publicPage, async (c) => {
    await signOut(c, db, config)
    return c.redirect('/mon-espace/deconnexion', 303)
  })
  return routes
}
