import { createMiddleware } from 'hono/factory'
import { isFormType } from '../form.ts'
import type { Env } from './env.ts'
import { calm } from './errors.ts'

/**
 * Refuses whatever would change something and does not come from one of our own pages. Origin and Sec-Fetch-Site must agree when both
 * are there, and one must be (Hono's `csrf()` is content with either, and does not look at other content types than forms').
 */
export const crossSite = (publicUrl: string) => {
  const ours = new URL(publicUrl).origin
  return createMiddleware<Env>(async (c, next) => {
    if (SAFE.includes(c.req.method)) return next()
    const origin = c.req.header('origin')
    const site = c.req.header('sec-fetch-site')
    const foreign = (origin !== undefined && origin !== ours) || (site !== undefined && site !== 'same-origin')
    if (foreign || (origin === undefined && site === undefined)) return calm(c, 403)
    return isFormType(c.req.header('content-type')) ? next() : calm(c, 415)
  })
}

const SAFE = ['GET', 'HEAD', 'OPTIONS']
