import { expect, it } from 'vitest'
import { faultsOf, readSources } from '../support/floors.ts'

it('le code tient ses étages', () => {
  const sources = readSources()
  expect(Object.keys(sources).length).toBeGreaterThan(20)
  expect(faultsOf(sources)).toEqual([])
})

/** One file that breaks one rule of the house each, beside the same written well. */
const TWINS: [rule: string, bad: Record<string, string>, fault: RegExp, good: Record<string, string>][] = [
  [
    'une règle ne lit pas la base',
    { 'src/mandat/mandat.ts': `import { listMandats } from './queries.ts'` },
    /may not import/,
    { 'src/mandat/mandat.ts': `import { jcs } from '../journal/jcs.ts'` },
  ],
  [
    'une règle est pure',
    { 'src/mandat/mandat.ts': `import { openDb } from '../db.ts'` },
    /pure/,
    { 'src/mandat/mandat.ts': `import type { Who } from '../db.ts'` },
  ],
  [
    'une requête ne connaît pas les cas d’usage',
    { 'src/mandat/queries.ts': `import { sign } from './sign.ts'`, 'src/mandat/sign.ts': `import type { Tx } from '../db.ts'` },
    /may not import/,
    { 'src/mandat/queries.ts': `import type { Tx } from '../db.ts'` },
  ],
  [
    'un cas d’usage ne dessine pas de page',
    { 'src/mandat/sign.ts': `import { page } from '../../views/mandat/sign.ts'` },
    /may not import/,
    { 'src/mandat/routes.ts': `import { page } from '../../views/mandat/sign.ts'` },
  ],
  [
    'un cas d’usage ignore ses routes',
    { 'src/mandat/sign.ts': `import { routes } from './routes.ts'` },
    /may not import/,
    { 'src/app.ts': `import { routes } from './mandat/routes.ts'` },
  ],
  [
    'la structure ignore le mandat',
    {
      'src/structure/add.ts': `import { sign } from '../mandat/sign.ts'`,
      'src/mandat/sign.ts': `import type { Tx } from '../db.ts'`,
    },
    /structure comes before mandat/,
    {
      'src/mandat/sign.ts': `import { add } from '../structure/add.ts'`,
      'src/structure/add.ts': `import type { Tx } from '../db.ts'`,
    },
  ],
  [
    'une vue ne lit pas la base',
    { 'views/mandat/page.ts': `import { listMandats } from '../../src/mandat/queries.ts'` },
    /runs rules and kit only/,
    { 'views/mandat/page.ts': `import { page } from '../kit/page.ts'` },
  ],
  [
    'une vue ne connaît d’un cas d’usage que la forme de ses refus',
    {
      'views/mandat/page.ts': `import { stop } from '../../src/mandat/stop.ts'`,
      'src/mandat/stop.ts': `import type { Db } from '../db.ts'`,
    },
    /runs rules and kit only/,
    {
      'views/mandat/page.ts': `import type { StopRefusal } from '../../src/mandat/stop.ts'`,
      'src/mandat/stop.ts': `import type { Db } from '../db.ts'`,
    },
  ],
  [
    'une vue n’emprunte pas à une autre',
    { 'views/mandat/page.ts': `import { x } from '../demarche/page.ts'` },
    /runs rules and kit only/,
    { 'views/mandat/page.ts': `import { etatOf } from '../../src/mandat/mandat.ts'` },
  ],
  [
    'la démonstration n’est chargée que par main.ts, et les commandes qui la sauvegardent',
    { 'src/app.ts': `import('./demo/people.ts')` },
    /main\.ts and the two commands alone/,
    { 'src/main.ts': `await import('./demo/people.ts')`, 'src/backup-command.ts': `await import('./demo/people.ts')` },
  ],
  [
    '… et jamais d’avance',
    { 'src/main.ts': `import { people } from './demo/people.ts'` },
    /main\.ts and the two commands alone/,
    { 'src/demo/start.ts': `import { people } from './people.ts'` },
  ],
  [
    'pas d’annexe',
    { 'src/mandat/sign.ts': `export { x } from './mandat.ts'` },
    /barrel/,
    { 'src/mandat/sign.ts': `export const x = 1` },
  ],
  [
    'pas d’alias',
    { 'src/mandat/sign.ts': `import { x } from '#mandat'` },
    /alias/,
    { 'src/mandat/sign.ts': `import { SignJWT } from 'jose'` },
  ],
  [
    'pas d’outil de test en production',
    { 'src/mandat/sign.ts': `import fc from 'fast-check'` },
    /not a dependency/,
    { 'src/demo/provider.ts': `import Provider from 'oidc-provider'` },
  ],
  ['pas de fourre-tout', { 'src/mandat/helpers.ts': '' }, /says nothing/, { 'src/mandat/renew.ts': '' }],
  ['pas de nom sans place', { 'src/facture/facture.ts': '' }, /no place/, { 'src/mandat/mandat.ts': '' }],
  [
    'le pilote n’a qu’une porte',
    { 'src/mandat/queries.ts': `import postgres from 'postgres'` },
    /driver/,
    { 'src/db.ts': `import postgres from 'postgres'` },
  ],
  [
    'pas de configuration cachée',
    { 'src/mandat/sign.ts': 'const a = process.env.PORT' },
    /process\.env/,
    { 'src/config.ts': 'const a = process.env.PORT' },
  ],
  [
    'pas d’heure à soi',
    { 'src/mandat/sign.ts': 'const a = new Date()' },
    /new Date/,
    { 'src/mandat/sign.ts': 'const a = new Date(tx.now)' },
  ],
  [
    'pas d’heure à soi, autrement dit',
    { 'src/http/session.ts': 'const a = Date.now()' },
    /Date\.now/,
    { 'src/http/session.ts': '// Date.now() would lie' },
  ],
  [
    'pas de hasard à soi',
    { 'src/mandat/sign.ts': `import { randomBytes } from 'node:crypto'` },
    /randomBytes/,
    { 'src/mandat/sign.ts': 'const a = tx.random(16)' },
  ],
]

it.each(TWINS)('%s', (_rule, bad, fault, good) => {
  expect(faultsOf(bad)).toEqual([expect.stringMatching(fault)])
  expect(faultsOf(good)).toEqual([])
})
