import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import postgres from 'postgres'
import { createApp } from '../../src/app.ts'
import { parseConfig } from '../../src/config.ts'
import { openDb } from '../../src/db.ts'
import { startPostgres } from '../../src/demo/postgres.ts'
import { rulesOf } from '../../src/http/rules.ts'
import { bootstrap, migrate, onDatabase } from '../../src/migrate.ts'
import { franceconnect } from '../../src/oidc/franceconnect.ts'
import { proconnect } from '../../src/oidc/proconnect.ts'
import { openProvider } from '../../src/oidc/provider.ts'
import { droitsPage } from './droits.ts'
import { environmentOf } from './environment.ts'

/**
 * `npm run generate` writes sql/schema.md and src/rows.ts from the catalogue of a freshly migrated database, docs/droits.md from the router of the
 * whole service; with `--check`, writes nothing and fails when they differ from what it would write.
 */
const ROOT = path.resolve(import.meta.dirname, '../..')

type Relation = {
  oid: number
  name: string
  kind: 'r' | 'v'
  comment: string | null
  owner: string
  rls: boolean
  forced: boolean
  options: string[] | null
}
type Column = {
  relation: number
  number: number
  name: string
  type: string
  array: boolean
  base: string
  notNull: boolean
  default: string | null
  identity: string
  comment: string | null
}
type Constraint = {
  relation: number
  name: string
  type: string
  def: string
  columns: number[]
  target: number
  targetColumns: number[]
}
type Catalogue = Awaited<ReturnType<typeof readCatalogue>>

const OURS = `n.nspname = 'public' and not exists (select 1 from pg_depend x where x.objid = c.oid and x.deptype = 'e')`

async function readCatalogue(sql: postgres.Sql) {
  const relations = await sql<Relation[]>`
    select c.oid::int, c.relname as name, c.relkind as kind, obj_description(c.oid, 'pg_class') as comment,
      pg_get_userbyid(c.relowner) as owner, c.relrowsecurity as rls, c.relforcerowsecurity as forced, c.reloptions as options
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'v') and ${sql.unsafe(OURS)}
    order by c.relname`
  const columns = await sql<Column[]>`
    select a.attrelid::int as relation, a.attnum::int as number, a.attname as name, format_type(a.atttypid, a.atttypmod) as type,
      t.typelem <> 0 and t.typcategory = 'A' as array, coalesce(e.typname, t.typname) as base, a.attnotnull as "notNull",
      pg_get_expr(d.adbin, d.adrelid) as default, a.attidentity::text as identity, col_description(a.attrelid, a.attnum) as comment
    from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
    join pg_type t on t.oid = a.atttypid left join pg_type e on e.oid = t.typelem and t.typcategory = 'A'
    left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
    where c.relkind in ('r', 'v') and a.attnum > 0 and not a.attisdropped and ${sql.unsafe(OURS)}
    order by a.attrelid, a.attnum`
  const constraints = await sql<Constraint[]>`
    select o.conrelid::int as relation, o.conname as name, o.contype as type, pg_get_constraintdef(o.oid) as def, o.conkey::int[] as columns,
      o.confrelid::int as target, o.confkey::int[] as "targetColumns"
    from pg_constraint o join pg_class c on c.oid = o.conrelid join pg_namespace n on n.oid = c.relnamespace
    where o.contype in ('p', 'u', 'f', 'c', 'x') and ${sql.unsafe(OURS)}
    order by array_position('{p,u,f,c,x}'::"char"[], o.contype), o.conname`
  const indexes = await sql<{ relation: number; def: string }[]>`
    select i.indrelid::int as relation, pg_get_indexdef(i.indexrelid) as def
    from pg_index i join pg_class c on c.oid = i.indrelid join pg_namespace n on n.oid = c.relnamespace
    where not exists (select 1 from pg_constraint o where o.conindid = i.indexrelid) and ${sql.unsafe(OURS)}
    order by 2`
  const policies = await sql<
    { relation: number; name: string; command: string; roles: string; using: string | null; check: string | null }[]
  >`
    select p.polrelid::int as relation, p.polname as name, p.polcmd::text as command,
      (select string_agg(coalesce(pg_get_userbyid(nullif(r, 0)), 'tous'), ', ' order by r) from unnest(p.polroles) r) as roles,
      pg_get_expr(p.polqual, p.polrelid) as using, pg_get_expr(p.polwithcheck, p.polrelid) as check
    from pg_policy p join pg_class c on c.oid = p.polrelid join pg_namespace n on n.oid = c.relnamespace
    where ${sql.unsafe(OURS)}
    order by p.polname`
  const triggers = await sql<{ relation: number; name: string; enabled: string; def: string }[]>`
    select t.tgrelid::int as relation, t.tgname as name, t.tgenabled::text as enabled, pg_get_triggerdef(t.oid) as def
    from pg_trigger t join pg_class c on c.oid = t.tgrelid join pg_namespace n on n.oid = c.relnamespace
    where not t.tgisinternal and ${sql.unsafe(OURS)}
    order by t.tgname`
  const grants = await sql<{ relation: number; role: string; rights: string }[]>`
    select g.relation, g.role, string_agg(g.granted, ', ' order by g.granted) as rights
    from (
      select c.oid::int as relation, coalesce(pg_get_userbyid(nullif(x.grantee, 0)), 'tous') as role, lower(x.privilege_type) as granted
      from pg_class c join pg_namespace n on n.oid = c.relnamespace, aclexplode(c.relacl) x
      where c.relkind in ('r', 'v') and x.grantee <> c.relowner and ${sql.unsafe(OURS)}
      union all
      select c.oid::int, coalesce(pg_get_userbyid(nullif(x.grantee, 0)), 'tous'),
        lower(x.privilege_type) || ' (' || string_agg(a.attname, ', ' order by a.attnum) || ')'
      from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_attribute a on a.attrelid = c.oid, aclexplode(a.attacl) x
      where c.relkind in ('r', 'v') and ${sql.unsafe(OURS)}
      group by 1, 2, x.privilege_type
    ) g
    group by g.relation, g.role
    order by g.role`
  const functions = await sql<
    {
      name: string
      args: string
      result: string
      definer: boolean
      volatility: string
      config: string
      owner: string
      execute: string
    }[]
  >`
    select c.proname as name, pg_get_function_identity_arguments(c.oid) as args, pg_get_function_result(c.oid) as result,
      c.prosecdef as definer, c.provolatile::text as volatility, coalesce(array_to_string(c.proconfig, ' ; '), '') as config,
      pg_get_userbyid(c.proowner) as owner,
      coalesce((select string_agg(coalesce(pg_get_userbyid(nullif(x.grantee, 0)), 'tous'), ', ' order by x.grantee = 0, pg_get_userbyid(x.grantee)::text)
        from aclexplode(coalesce(c.proacl, acldefault('f', c.proowner))) x where x.grantee <> c.proowner), '') as execute
    from pg_proc c join pg_namespace n on n.oid = c.pronamespace
    where ${sql.unsafe(OURS)}
    order by 1, 2`
  const roles = await sql<{ name: string; login: boolean; powers: string }[]>`
    select r.rolname as name, r.rolcanlogin as login,
      concat_ws(', ', case when r.rolsuper then 'superuser' end, case when r.rolbypassrls then 'bypassrls' end, case when r.rolcreaterole then 'createrole' end,
        case when r.rolcreatedb then 'createdb' end, case when r.rolreplication then 'replication' end,
        (select 'membre de ' || string_agg(pg_get_userbyid(m.roleid), ', ' order by 1) from pg_auth_members m where m.member = r.oid)) as powers
    from pg_roles r where r.rolname like 'traitdunion%'
    order by 1`
  const extensions = await sql<{ name: string }[]>`select extname as name from pg_extension where extname <> 'plpgsql' order by 1`
  const views: { relation: number; def: string; columns: { table: number; number: number }[] }[] = []
  for (const { oid } of relations.filter(({ kind }) => kind === 'v')) {
    const [{ def } = { def: '' }] = await sql<{ def: string }[]>`select pg_get_viewdef(${oid}::oid) as def`
    // Described as a query of its own: the protocol then says which column of which table each one comes from.
    const described = await sql.unsafe(def.replace(/;$/, ' limit 0')).describe()
    views.push({ relation: oid, def, columns: described.columns as unknown as { table: number; number: number }[] })
  }
  const vocabularies = new Map<string, string[]>()
  for (const fn of new Set(constraints.flatMap(({ def }) => [...def.matchAll(CLOSED_BY_FUNCTION)].map((found) => found[3]!)))) {
    const [row] = await sql.unsafe(`select ${fn}() as words`)
    vocabularies.set(fn, row!.words as string[])
  }
  return {
    relations,
    columns,
    constraints,
    indexes,
    policies,
    triggers,
    grants,
    functions,
    roles,
    extensions,
    views,
    vocabularies,
  }
}

/** `thematique = any (thematiques())`, `perimetre <@ thematiques()`. */
const CLOSED_BY_FUNCTION = /\((\w+) (= ANY \(|<@ )(\w+)\(\)/g
const CLOSED_BY_LIST = /^CHECK \(\((\w+) = (?:ANY \(ARRAY\[(.+)\]\)|('[^']+'::text))\)\)$/
const LITERAL = /'((?:[^']|'')*)'::text|(?<![\w'])\d+(?![\w'])/g

function schemaPage(c: Catalogue): string {
  const lines = [
    '# Schéma de la base',
    '',
    'Page écrite par `npm run generate` depuis le catalogue d’une base neuve ; ne pas la modifier à la main. `npm run check` la compare.',
    '',
    '## Rôles',
    '',
    '| Rôle | Se connecte | Pouvoirs |',
    '|---|---|---|',
    ...c.roles.map((role) => `| \`${role.name}\` | ${role.login ? 'oui' : 'non'} | ${role.powers || 'aucun'} |`),
    '',
    `Extensions : ${c.extensions.map(({ name }) => `\`${name}\``).join(', ')}.`,
    '',
    '## Tables',
  ]
  for (const table of c.relations.filter(({ kind }) => kind === 'r')) {
    const of = <T extends { relation: number }>(all: readonly T[]) => all.filter(({ relation }) => relation === table.oid)
    const section = (title: string, all: string[]) =>
      all.length > 0 && lines.push('', `${title} :`, '', ...all.map((one) => `- ${one}`))
    lines.push(
      '',
      `### ${table.name}`,
      '',
      table.comment ?? '(sans commentaire)',
      '',
      '| Colonne | Type | Nul | Défaut |',
      '|---|---|---|---|',
    )
    for (const column of of(c.columns)) {
      const byDefault = column.identity ? 'identité' : column.default ? `\`${oneLine(column.default)}\`` : ''
      lines.push(
        `| ${column.name}${column.comment ? ` (${column.comment})` : ''} | ${column.type} | ${column.notNull ? 'non' : 'oui'} | ${byDefault} |`,
      )
    }
    section(
      'Contraintes',
      of(c.constraints).map(({ name, def }) => `${name} : \`${oneLine(def)}\``),
    )
    section(
      'Index',
      of(c.indexes).map(({ def }) => `\`${def}\``),
    )
    section(
      'Déclencheurs',
      of(c.triggers).map(({ name, enabled, def }) => `${name} (${ENABLED[enabled]}) : \`${oneLine(def)}\``),
    )
    lines.push(
      '',
      `Sécurité par ligne : ${table.rls ? (table.forced ? 'oui, même pour le propriétaire' : 'oui') : 'non'}. Propriétaire : \`${table.owner}\`.`,
    )
    section(
      'Politiques',
      of(c.policies).map(({ name, command, roles, using, check }) =>
        [
          `${name} : ${COMMAND[command]}, ${roles}`,
          using && `visible si \`${oneLine(using)}\``,
          check && `écrit si \`${oneLine(check)}\``,
        ]
          .filter(Boolean)
          .join(' ; '),
      ),
    )
    section(
      'Droits',
      of(c.grants).map(({ role, rights }) => `\`${role}\` : ${rights}`),
    )
  }
  lines.push('', '## Vues')
  for (const view of c.relations.filter(({ kind }) => kind === 'v')) {
    const grants = c.grants.filter(({ relation }) => relation === view.oid).map(({ role, rights }) => `\`${role}\` : ${rights}`)
    const def = c.views.find(({ relation }) => relation === view.oid)!.def
    lines.push(
      '',
      `### ${view.name}`,
      '',
      view.comment ?? '(sans commentaire)',
      '',
      `Options : ${view.options?.join(', ') ?? 'aucune'}.`,
    )
    lines.push(`Droits : ${grants.join(' ; ') || 'aucun'}.`, '', '```sql', def.replace(/^ /, ''), '```')
  }
  lines.push(
    '',
    '## Fonctions',
    '',
    '| Fonction | Rend | Nature | Au nom du propriétaire | Réglages | Exécutable par |',
    '|---|---|---|---|---|---|',
  )
  for (const one of c.functions)
    lines.push(
      `| \`${one.name}(${one.args})\` | \`${one.result}\` | ${VOLATILITY[one.volatility]} | ${one.definer ? '**oui**' : 'non'} | ${one.config} | ${one.execute || 'propriétaire seul'} |`,
    )
  return `${lines.join('\n')}\n`
}

const ENABLED: Record<string, string> = { O: 'ordinaire', A: 'toujours', R: 'réplique', D: 'DÉSACTIVÉ' }
const COMMAND: Record<string, string> = { '*': 'tout', r: 'select', a: 'insert', w: 'update', d: 'delete' }
const VOLATILITY: Record<string, string> = { i: 'immuable', s: 'stable', v: 'volatile' }

const oneLine = (text: string) => text.replace(/\s+/g, ' ').replaceAll('|', '\\|').trim()

const SCALAR: Record<string, string> = {
  uuid: 'string',
  text: 'string',
  date: 'string',
  interval: 'string',
  xid8: 'string',
  bool: 'boolean',
  int2: 'number',
  int4: 'number',
  int8: 'number',
  timestamptz: 'Date',
  bytea: 'Buffer',
  jsonb: 'unknown',
}

function rowTypes(c: Catalogue): string {
  const column = (relation: number, number: number) =>
    c.columns.find((one) => one.relation === relation && one.number === number)!
  const typeOf = ({ relation, number, name, base, array, notNull }: Column): string => {
    const view = c.views.find((one) => one.relation === relation)
    if (view) {
      const origin = view.columns[number - 1]!
      const outer = /\b(LEFT|RIGHT|FULL) JOIN\b/.test(view.def)
      if (origin.table > 0) return typeOf({ ...column(origin.table, origin.number), ...(outer ? { notNull: false } : {}) })
      const words = choiceOf(view.def, name)
      return words ?? `${SCALAR[base]} | null`
    }
    const scalar = vocabularyOf(c, relation, number, name) ?? SCALAR[base]
    if (!scalar) throw new Error(`no row type for ${base} (${name})`)
    const type = array ? (scalar.includes('|') ? `(${scalar})[]` : `${scalar}[]`) : scalar
    return notNull || type === 'unknown' ? type : `${type} | null`
  }
  const types = c.relations.map((relation) => {
    const columns = c.columns.filter((one) => one.relation === relation.oid)
    return `/** ${relation.comment ?? relation.name} */
export type ${camel(`_${relation.name}`)}Row = {
${columns.map((one) => `  ${camel(one.name)}: ${typeOf(one)}`).join('\n')}
}`
  })
  return `// Écrit par npm run generate depuis le catalogue de la base ; ne pas modifier à la main.\n\n${types.join('\n\n')}\n`
}

/** The closed list of a column, said by its own check or by the column that its foreign key copies. */
function vocabularyOf(c: Catalogue, relation: number, number: number, name: string): string | undefined {
  for (const { def, type, columns, target, targetColumns } of c.constraints.filter((one) => one.relation === relation)) {
    if (type === 'c') {
      const list = CLOSED_BY_LIST.exec(def)
      if (list?.[1] === name) return union(list[2] ?? list[3]!)
      for (const [, of, , fn] of def.matchAll(CLOSED_BY_FUNCTION))
        if (of === name)
          return c.vocabularies
            .get(fn!)!
            .map((word) => `'${word}'`)
            .join(' | ')
    }
    const place = type === 'f' && target !== relation ? columns.indexOf(number) : -1
    if (place >= 0) {
      const source = c.columns.find((one) => one.relation === target && one.number === targetColumns[place])!
      const found = vocabularyOf(c, target, source.number, source.name)
      if (found) return found
    }
  }
  return undefined
}

/** Words that `case … end as name` may give, when all are written there. */
function choiceOf(def: string, name: string): string | undefined {
  const choice = new RegExp(`CASE((?:(?!\\bCASE\\b)[\\s\\S])*?)END AS ${name}\\b`).exec(def)?.[1]
  if (!choice || !/ELSE '[^']+'::text\s*$/.test(choice)) return undefined
  return union([...choice.matchAll(/(?:THEN|ELSE) ('[^']+'::text)/g)].map((found) => found[1]).join(', '))
}

const union = (list: string) =>
  [...new Set([...list.matchAll(LITERAL)].map(([whole, word]) => (word === undefined ? whole : `'${word}'`)))].join(' | ')

const camel = (name: string) => name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())

function formatted(name: string, text: string): string {
  const biome = path.join(ROOT, 'node_modules/@biomejs/biome/bin/biome')
  const done = spawnSync(process.execPath, [biome, 'format', `--stdin-file-path=${name}`], {
    cwd: ROOT,
    input: text,
    encoding: 'utf8',
  })
  if (done.status !== 0) throw new Error(`biome: ${done.stderr}`)
  return done.stdout
}

async function generated(): Promise<[name: string, text: string][]> {
  const server = await startPostgres({ directory: mkdtempSync(path.join(tmpdir(), 'traitdunion-schema-')), temporary: true })
  try {
    const url = onDatabase(server.url, 'schema')
    await bootstrap(url, { app: 'x', operator: 'x', sequencer: 'x', auditor: 'x' })
    const sql = postgres(url, { max: 1, onnotice: () => {} })
    try {
      await migrate(sql)
      const catalogue = await readCatalogue(sql)
      return [
        ['sql/schema.md', schemaPage(catalogue)],
        ['src/rows.ts', formatted('src/rows.ts', rowTypes(catalogue))],
        ['docs/droits.md', droitsPage(await listRoutes(url))],
      ]
    } finally {
      await sql.end()
    }
  } finally {
    await server.stop()
  }
}

/** Every route of the service, ProConnect's included. */
async function listRoutes(url: string) {
  const issuer = 'http://127.0.0.1:9/api/v2'
  const config = parseConfig({
    ...(await environmentOf({ url, operatorUrl: url, adminUrl: url }, 'http://localhost:3000')),
    FRANCECONNECT_ISSUER: issuer,
    FRANCECONNECT_CLIENT_ID: 'x',
    FRANCECONNECT_CLIENT_SECRET: 'x',
    PROCONNECT_ISSUER: issuer,
    PROCONNECT_CLIENT_ID: 'x',
    PROCONNECT_CLIENT_SECRET: 'x',
  })
  const log = () => {}
  const db = openDb({ url, connections: 1 })
  try {
    const oidc = {
      franceconnect: openProvider({ profile: franceconnect, ...config.franceconnect, log }),
      proconnect: openProvider({ profile: proconnect, ...config.proconnect!, log }),
    }
    return rulesOf(createApp({ db, config, oidc, log }))
  } finally {
    await db.close()
  }
}

const current = (name: string) => {
  try {
    return readFileSync(path.join(ROOT, name), 'utf8')
  } catch {
    return undefined
  }
}

for (const [name, text] of await generated()) {
  if (current(name) === text) continue
  if (process.argv.includes('--check')) {
    console.error(`${name} n'est plus à jour : npm run generate`)
    process.exitCode = 1
  } else {
    writeFileSync(path.join(ROOT, name), text)
    console.log(`${name} est écrit`)
  }
}
