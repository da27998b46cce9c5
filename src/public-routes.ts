import { Hono } from 'hono'
import { accessibilitePage } from '../views/public/accessibilite.ts'
import { homePage } from '../views/public/home.ts'
import { mentionsPage } from '../views/public/mentions.ts'
import type { Config } from './config.ts'
import type { Env } from './http/env.ts'
import { publicPage } from './http/rules.ts'

/** Pages that belong to no noun. */
export function publicRoutes({ editeur, contact }: Pick<Config, 'editeur' | 'contact'>): Hono<Env> {
  const routes = new Hono<Env>()
  routes.get('/', publicPage, (c) => {
    if (c.var.aidant) return c.redirect('/personnes', 303)
    if (c.var.usager) return c.redirect('/mon-espace', 303)
    return c.html(homePage({ demo: c.var.demo }))
  })
  routes.get('/accessibilite', publicPage, (c) => c.html(accessibilitePage({ contact, demo: c.var.demo })))
  routes.get('/mentions-legales', publicPage, (c) => c.html(mentionsPage({ editeur, contact, demo: c.var.demo })))
  return routes
}
