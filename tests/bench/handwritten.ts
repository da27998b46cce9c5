import { Hono } from 'hono'
import type { Db, Who } from '../../src/db.ts'
import { listPersonnes } from '../../src/usager/queries.ts'

const escaped = (text: string) => text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`)

/** The list of persons as the shortest template that shows the same data: what our kit, session and edge are measured against. */
export const handwrittenPersonnes = (db: Db, by: Who) =>
  new Hono().get('/', async (c) => {
    const { personnes } = await db.tx(by, (tx) => listPersonnes(tx, { par: 'tout' }, undefined))
    const rows = personnes
      .map(
        ({ id, prenoms, nomNaissance, nomUsage, birthdate, etat, fin }) =>
          `<tr><th><a href="/personnes/${id}">${escaped(prenoms.join(' '))} ${escaped(nomUsage ?? nomNaissance)}</a></th><td>${birthdate}</td><td>${etat ?? ''}</td><td>${fin?.toISOString() ?? ''}</td></tr>`,
      )
      .join('')
    return c.html(
      `<!doctype html><html lang="fr"><head><meta charset="utf-8"><title>Personnes</title></head><body><main><h1>Personnes</h1><table>${rows}</table></main></body></html>`,
    )
  })
