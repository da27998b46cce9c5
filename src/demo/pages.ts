import { Hono } from 'hono'
import { demoPage } from '../../views/demo/demo.ts'
import type { Db } from '../db.ts'
import type { Env } from '../http/env.ts'
import { frameOf } from '../http/frame.ts'
import { publicPage } from '../http/rules.ts'
import { AIDANTS, type AidantKey, codeOf, STRUCTURES } from './people.ts'

type DemoMessage = {
  id: string
  canal: 'email' | 'sms'
  destinataire: string
  sujet: string | null
  corps: string
  chemin: string | null
  sentAt: Date
}

/** The clock its text speaks by: that of the structure it names, or of the aidant it is sent to. */
const fuseauDe = ({ destinataire, corps }: DemoMessage) => {
  const aidant = Object.values(AIDANTS).find(({ email }) => email === destinataire)
  const named = Object.values(STRUCTURES).find(({ nom, telephone }) => corps.includes(nom) || corps.includes(telephone))
  return (named ?? STRUCTURES[aidant?.structures[0] ?? 'figeac']).fuseau
}

/** The pages that only the demo has: whom to be, with which code, and what the service has sent. */
export function demoPages(db: Db): Hono<Env> {
  const routes = new Hono<Env>()
  const show = async () =>
    db.tx({ kind: 'worker' }, async (tx) => ({
      now: tx.now,
      messages: await tx.sql<DemoMessage[]>`
        select id, canal, destinataire, sujet, corps, chemin, sent_at
        from message
        where sent_at is not null
        order by created_at desc
        limit 30`,
    }))
  routes.get('/demo', publicPage, async (c) => {
    const { now, ...found } = await show()
    const messages = found.messages.map((message) => ({ ...message, fuseau: fuseauDe(message) }))
    const aidants = (Object.keys(AIDANTS) as AidantKey[]).map((key) => ({
      ...AIDANTS[key],
      structures: AIDANTS[key].structures.map((structure) => STRUCTURES[structure].nom),
      code: codeOf(key, now),
      next: codeOf(key, new Date(now.getTime() + 30_000)),
    }))
    return c.html(demoPage({ frame: frameOf(c), aidants, messages, seconds: 30 - (Math.floor(now.getTime() / 1000) % 30) }))
  })
  routes.get('/demo/messages', publicPage, (c) => c.redirect('/demo#messages', 303))
  return routes
}
