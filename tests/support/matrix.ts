import { randomBytes, randomUUID } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import type { Hono } from 'hono'
import type postgres from 'postgres'
import { CGU_VERSION } from '../../src/aidant/aidant.ts'
import { inviteAidant } from '../../src/aidant/invite.ts'
import { createApp } from '../../src/app.ts'
import { filtreForm } from '../../src/audit/forms.ts'
import { openDossier } from '../../src/audit/open.ts'
import { openDb } from '../../src/db.ts'
import { contestDemarche } from '../../src/demarche/contest.ts'
import { texteDuCurseur } from '../../src/demarche/queries.ts'
import { recordDemarche } from '../../src/demarche/record.ts'
import type { AidantKey } from '../../src/demo/people.ts'
import type { Env } from '../../src/http/env.ts'
import { openLog } from '../../src/http/log.ts'
import { rulesOf } from '../../src/http/rules.ts'
import { openSession } from '../../src/http/session.ts'
import { openSigner } from '../../src/journal/note.ts'
import { NO_WITNESS } from '../../src/journal/policy.ts'
import { stopMandat } from '../../src/mandat/stop.ts'
import { printPapier } from '../../src/papier/print.ts'
import type { Renderer } from '../../src/papier/render.ts'
import { ORIGIN, openTree, pemKey } from './arbre.ts'
import {
  CALLERS,
  type Caller,
  DOORS,
  FIGEAC,
  type Kind,
  PAR_CODE,
  PARAMS,
  ROUTES,
  type Route,
  SAINT_DENIS,
  SEARCHES,
  type Thing,
} from './matrix-table.ts'
import { ROOT } from './processes.ts'
import { type Fields, newWorld, ok, PUBLIC_URL, uneDemarche, type World } from './world.ts'

const CALLERS_ALL = Object.keys(CALLERS) as Caller[]

/** A word or an id that stands in the database, and those who may ever read it. */
type Secret = { word: string; readers: readonly Caller[] }

export type Answer = {
  status: number
  location: string | null
  body: string
  /** The body as it was sent, its unbreakable spaces too. */
  html: string
  headers: Headers
}
/** All that may be seen of an answer, its reference apart. */
export const seenIn = ({ status, body, headers }: Answer): string =>
  [status, ...[...headers].filter(([name]) => name !== 'x-request-id'), body].join('\n')
type Asking = {
  caller: Caller
  method: string
  address: string
  fields?: Fields | undefined
  /** With a session of its own: for what opens or closes one. */
  alone?: boolean
  /** In place of ours, or none when empty. */
  headers?: Readonly<Record<string, string>>
  /** In place of the form. */
  body?: NonNullable<RequestInit['body']>
}

export type Matrix = {
  world: World
  app: Hono<Env>
  /** Every line of its technical log. */
  log: Record<string, unknown>[]
  things: readonly Thing[]
  /** The table's routes, as the router names them. */
  routes: readonly { key: string; method: string; path: string; route: Route }[]
  ask(asking: Asking): Promise<Answer>
  /** An address of this route, with this id for what it designates. */
  addressOf(key: string, id: string): string
  fieldsOf(key: string, caller: Caller): Promise<Fields | undefined>
  /** Everyone who may enter, each with each thing of hers. */
  owners(key: string): { caller: Caller; thing: Thing | undefined; address: string }[]
  cookieOf(caller: Caller): Promise<string | undefined>
  /** Asks everything of everyone; what did not go as the tables say, one sentence each. `only`: the routes whose key matches. */
  run(only?: RegExp): Promise<string[]>
  close(): Promise<void>
}

/** Two structures that know a person each and one together, with a mandat in each state, démarches, drafts, an open dossier. */
export async function openMatrix(
  options: { rlsOnly?: boolean; twin?: string; more?: () => Hono<Env>; papers?: Renderer } = {},
): Promise<Matrix> {
  const world = await newWorld({ simulator: true })
  const { sql, structures, signMandat } = world
  const db = options.rlsOnly ? openDb({ url: world.database.url, connections: 4, rlsOnly: true }) : world.db
  const log: Record<string, unknown>[] = []
  const say = openLog((line) => void log.push(JSON.parse(line) as Record<string, unknown>))
  const signer = openSigner(pemKey(), ORIGIN)
  const config = { ...world.config, journal: { signer, policy: NO_WITNESS } }
  const deps = { db, config, oidc: world.oidc, log: say, ...(options.papers && { papers: options.papers }) }
  const app = createApp(deps, options.more?.())

  const things: Thing[] = []
  const secrets: Secret[] = []
  const secret = (word: string, ...readers: readonly Caller[]) => void secrets.push({ word, readers })
  const add = (kind: Kind, name: string, id: string, ...of: readonly Caller[]) => {
    things.push({ kind, name, id, of })
    secret(id, ...of)
    return id
  }
  const said = async (
    mandat: { id: string; name: string },
    aidant: AidantKey,
    title: string,
    readers: readonly Caller[],
    more: Parameters<typeof uneDemarche>[2] & { thematique?: 'logement' | 'argent' } = {},
  ) => {
    const { thematique, ...rest } = more
    const demarche = uneDemarche(mandat.id, thematique, { titre: `Lettre ${title}`, note: `Au sujet de ${title}`, ...rest })
    const by = world.as(aidant, SAINT_DENIS.includes(aidant as Caller) ? 'saintDenis' : 'figeac')
    const { id } = ok(await recordDemarche(world.db, by, demarche))
    add('demarche', `${title} (${mandat.name})`, id, ...readers)
    // Her référent sees that a line is there, even a complaint's. Its number is too short to be looked for in a page.
    const [row] = await sql<{ line: string }[]>`select journal_id as line from demarche where id = ${id}`
    things.push({
      kind: 'ligne',
      name: `de ${title}`,
      id: row!.line,
      of: SAINT_DENIS.includes(aidant as Caller) ? SAINT_DENIS : FIGEAC,
    })
    secret(title, ...readers)
  }

  const over = await signMandat({ persona: 'josiane', perimetre: ['papiers'], duree: 'jour' })
  add('mandat', 'expiré', over.id, ...FIGEAC, 'josiane', ...PAR_CODE)
  await world.database.travel({ ms: 3 * 24 * 3600 * 1000 })
  const josiane = await signMandat({ persona: 'josiane', perimetre: ['logement', 'argent'] })
  add('mandat', 'de Josiane', josiane.id, ...FIGEAC, 'josiane', ...PAR_CODE)
  const stopped = await signMandat({ persona: 'josiane', perimetre: ['loisirs'] })
  ok(await stopMandat(world.db, await world.asUsager('josiane'), { mandatId: stopped.id }))
  add('mandat', 'arrêté', stopped.id, ...FIGEAC, 'josiane', ...PAR_CODE)
  const voahangy = await signMandat({ aidant: 'fabrice', persona: 'voahangy' })
  add('mandat', 'de Voahangy', voahangy.id, ...SAINT_DENIS, 'voahangy')
  const here = await signMandat({ persona: 'marcel' })
  add('mandat', 'de Marcel à Figeac', here.id, ...FIGEAC, 'marcel')
  const there = await signMandat({ aidant: 'fabrice', persona: 'marcel' })
  add('mandat', 'de Marcel à Saint-Denis', there.id, ...SAINT_DENIS, 'marcel')
  add('usager', 'Josiane', josiane.usagerId, ...FIGEAC, 'josiane')
  add('usager', 'Voahangy', voahangy.usagerId, ...SAINT_DENIS, 'voahangy')
  add('usager', 'Marcel', here.usagerId, ...FIGEAC, ...SAINT_DENIS, 'marcel')

  ok(await printPapier(world.db, world.as('thomas'), { mandatId: josiane.id, papier: 'pour-vous' }, world.signer))

  const hers = { id: josiane.id, name: 'Josiane' }
  await said(hers, 'thomas', 'zinzolin', [...FIGEAC, 'josiane', ...PAR_CODE])
  await said(hers, 'thomas', 'amarante', [...FIGEAC, 'josiane'], { thematique: 'argent' })
  await said(hers, 'thomas', 'cinabre', ['thomas', 'josiane'], { nature: 'reclamation' })
  await said({ id: voahangy.id, name: 'Voahangy' }, 'fabrice', 'céladon', [...SAINT_DENIS, 'voahangy'])
  await said({ id: here.id, name: 'Marcel' }, 'thomas', 'garance', [...FIGEAC, 'marcel'])
  await said({ id: there.id, name: 'Marcel' }, 'fabrice', 'vermillon', [...SAINT_DENIS, 'marcel'])

  const disagree = async (name: string, note: string, ...of: readonly Caller[]) => {
    const demarcheId = things.find((thing) => thing.name === `${name} (Marcel)`)!.id
    const by = await world.asUsager('marcel')
    ok(await contestDemarche(world.db, by, { demarcheId, motif: 'inexact', note, pause: false }))
    const [row] = await sql<{ id: string }[]>`select id from contestation where demarche_id = ${demarcheId}`
    add('contestation', `de ${name}`, row!.id, ...of)
    secret(note, 'marcel', ...of)
  }
  await disagree('garance', 'carmin', 'nadia')
  await disagree('vermillon', 'outremer', 'jocelyne')

  const drafting = { thomas: 'figeac', nadia: 'figeac', samira: 'figeac', fabrice: 'saintDenis', jocelyne: 'saintDenis' } as const
  for (const [aidant, structure] of Object.entries(drafting) as [keyof typeof drafting, 'figeac' | 'saintDenis'][])
    for (const upTo of ['choix', 'accord'] as const)
      add('brouillon', `de ${aidant}, ${upTo}`, await world.draft({ aidant, structure, persona: 'fatma', upTo }), aidant)
  // Hers too, but for the other structure: she acts for this one.
  add('brouillon', 'de samira ailleurs', await world.draft({ aidant: 'samira', structure: 'saintDenis', persona: 'fatma' }))
  for (const usagerId of [josiane.usagerId, here.usagerId]) {
    const opening = { usagerId, motif: 'controle', precision: null, envoi: randomUUID() } as const
    ok(await openDossier(world.db, world.asReferent('nadia'), opening))
  }

  // What a code is sent to, before a stop with her paper.
  await sql.begin(async (tx) => {
    await tx`set local session_replication_role = replica`
    await tx`update usager set telephone = '+33612345678', telephone_prouve_at = horloge() where id = ${josiane.usagerId}`
  })
  const tree = openTree(world.database, signer)
  await tree.settle()
  await tree.close()

  secret('delpech', ...FIGEAC, 'josiane')
  secret('rakotondrainibe', ...SAINT_DENIS, 'voahangy')
  secret('garrigues', ...FIGEAC, ...SAINT_DENIS, 'marcel')
  secret('benhaddou', ...FIGEAC, ...SAINT_DENIS) // on drafts
  secret('payet', ...SAINT_DENIS, 'voahangy', 'marcel')
  secret('lacombe', ...FIGEAC, 'josiane', 'marcel', ...PAR_CODE)
  secret('nadia@figeac.demo', 'nadia')
  secret('fabrice@saint-denis.demo', 'jocelyne')
  secret('france services saint-denis', ...SAINT_DENIS, 'voahangy', 'marcel', 'samira', 'indecise')

  const extra = async (name: string, cgu: boolean, left: boolean, structure: 'figeac' | 'saintDenis' = 'figeac') => {
    const [row] = await sql<{ id: string }[]>`
      insert into aidant (email, prenom, nom, cgu_version, cgu_accepted_at)
      values (${`${name}@figeac.demo`}, ${name}, 'Essai', ${cgu ? CGU_VERSION : null}, ${cgu ? sql`horloge()` : null})
      returning id`
    await sql`
      insert into habilitation (aidant_id, structure_id, ended_at)
      values (${row!.id}, ${structures[structure]}, ${left ? sql`horloge()` : null})`
    return row!.id
  }
  const nouvelle = await extra('nouvelle', false, false)
  const partie = await extra('partie', true, true)
  // Of each team, someone whose access nothing else needs, and someone invited.
  for (const [referent, structure] of [
    ['nadia', 'figeac'],
    ['jocelyne', 'saintDenis'],
  ] as const) {
    add('membre', `de ${structure}`, await extra(`equipier-${referent}`, true, false, structure), referent)
    const email = `invitee-${referent}@exemple.fr`
    ok(await inviteAidant(world.db, world.asReferent(referent), { email, prenom: 'Claire', nom: 'Vidal' }, PUBLIC_URL))
    const [row] = await sql<{ id: string }[]>`select id from invitation where email = ${email}`
    add('invitation', `de ${structure}`, row!.id, referent)
    secret(email, referent)
    secret(`equipier-${referent}`, referent)
  }
  const session = (aidantId: string, structureId?: string) =>
    world.db.tx({ kind: 'portier' }, async (tx) => `session=${await openSession(tx, { aidantId, structureId })}`)
  const cookieOf: Matrix['cookieOf'] = async (caller) => {
    if (caller === 'anonyme') return undefined
    if (caller === 'indecise') return session(world.aidants.samira)
    if (caller === 'partie') return session(partie, structures.figeac)
    if (caller === 'nouvelle') return session(nouvelle, structures.figeac)
    if (caller === 'papier' || caller === 'papierProuve') {
      const niveau = caller === 'papier' ? 'code_prive' : 'contact_prouve'
      const live = () =>
        sql<{ id: string }[]>`select id from code_prive where usager_id = ${josiane.usagerId} and replaced_at is null limit 1`
      // Hers, when she has cancelled the one that Figeac printed.
      if ((await live()).length === 0)
        await sql`insert into code_prive (usager_id, empreinte) values (${josiane.usagerId}, ${randomBytes(32)})`
      const [code] = await live()
      const holder = { usagerId: josiane.usagerId, niveau, codeId: code!.id } as const
      return `session=${await world.db.tx({ kind: 'portier' }, (tx) => openSession(tx, holder))}`
    }
    return world.sessionOf(caller)
  }
  const cookies = new Map<Caller, string | undefined>()
  for (const caller of CALLERS_ALL) cookies.set(caller, await cookieOf(caller))
  await sql`update aidant set suspended_at = horloge() where id = ${world.aidants.ines}`
  if (options.twin) await sql.unsafe(options.twin)

  const ask: Matrix['ask'] = async ({ caller, method, address, fields, alone = false, headers = {}, body }) => {
    const cookie = alone && caller !== 'ines' ? await cookieOf(caller) : cookies.get(caller)
    const sent = new Headers({ 'sec-fetch-site': 'same-origin', ...(cookie && { cookie }) })
    const init: RequestInit = { method, headers: sent }
    if (method !== 'GET' && method !== 'HEAD') {
      sent.set('origin', PUBLIC_URL)
      if (body === undefined) sent.set('content-type', 'application/x-www-form-urlencoded')
      init.body = body ?? encode(fields ?? {})
    }
    for (const [name, value] of Object.entries(headers)) {
      if (value === '') sent.delete(name)
      else sent.set(name, value)
    }
    const response = await app.request(address, init)
    // A fresh factor puts her session under another token.
    const [renewed] = /^session=[\w-]{43}/.exec(response.headers.get('set-cookie') ?? '') ?? []
    if (renewed && !alone) cookies.set(caller, renewed)
    const reference = response.headers.get('x-request-id') ?? '-'
    return {
      status: response.status,
      location: response.headers.get('location'),
      html: await new Blob([await response.clone().arrayBuffer()]).text(),
      body: (await response.text()).replaceAll(reference, 'REFERENCE'),
      headers: response.headers,
    }
  }

  const routes = Object.entries(ROUTES).map(([key, route]) => {
    const [method, where] = key.split(' ') as [string, string]
    return { key, method, path: where, route }
  })
  const givenTo = (caller: Caller, { gives }: Route) => (typeof gives === 'number' ? gives : gives(caller))
  const kindOf = (where: string): Kind | undefined => {
    const found = [...where.matchAll(/:(\w+)/g)].map(([, name]) => PARAMS[name as keyof typeof PARAMS])
    const kinds = found.filter((kind) => kind && kind !== 'libre')
    if (kinds.length > 1) throw new Error(`${where} designates two things: the matrix asks for one`)
    return kinds[0] as Kind | undefined
  }
  /** Not an id of ours, or the id of something of hers that is no such thing. A draft and its mandat share theirs. */
  const badIds = (kind: Kind, caller: Caller): [string, string][] => {
    const [first] = things.filter((thing) => thing.kind === kind && thing.of.includes(caller))
    const others = things.filter((thing) => thing.kind !== kind && (kind !== 'brouillon' || thing.kind !== 'mandat'))
    const other = others.find(({ of }) => of.includes(caller)) ?? others[0]!
    const upper = (first?.id ?? other.id).toUpperCase()
    return [
      ['mal formé', `${randomUUID()}0`],
      ...(upper === first?.id ? [] : [['en majuscules', upper] satisfies [string, string]]),
      ['autre chose', other.id],
    ]
  }
  const addressOf: Matrix['addressOf'] = (key, id) => {
    const { path: where, route } = routes.find((one) => one.key === key)!
    return route.asks ?? where.replace(/:\w+/, id)
  }
  const fieldsOf: Matrix['fieldsOf'] = async (key, caller) => ROUTES[key]!.fields?.({ caller, world, at: await world.now() })

  const owners: Matrix['owners'] = (key) => {
    const { path: where, route } = routes.find((one) => one.key === key)!
    const kind = kindOf(where)
    return CALLERS_ALL.filter((caller) => ['entre', where].includes(DOORS[route.rule][CALLERS[caller]])).flatMap((caller) => {
      const own = kind ? things.filter((thing) => thing.kind === kind && thing.of.includes(caller)) : [undefined]
      return own.map((thing) => ({ caller, thing, address: addressOf(key, thing?.id ?? '') }))
    })
  }

  const unknown = () => {
    const declared = new Map(rulesOf(app).map(({ method, path: where, rule }) => [`${method} ${where}`, rule]))
    const found: string[] = []
    for (const [key, rule] of declared) {
      if (!ROUTES[key]) found.push(`${key} : route inconnue de la table`)
      else if (ROUTES[key].rule !== rule) found.push(`${key} : règle ${rule}, et non ${ROUTES[key].rule}`)
      for (const [, name] of key.matchAll(/:(\w+)/g))
        if (!(name! in PARAMS)) found.push(`${key} : paramètre ${name} inconnu de la table`)
    }
    for (const key of Object.keys(ROUTES)) if (!declared.has(key)) found.push(`${key} : n’existe plus`)
    for (const name of searchesIn('src')) if (!(name in SEARCHES)) found.push(`recherche ${name} inconnue de la table`)
    return found
  }

  async function run(only = /(?:)/): Promise<string[]> {
    const wrong = unknown()
    const asked = routes.filter(({ key }) => only.test(key))
    const told = (key: string, caller: Caller, name: string, what: string) => wrong.push(`${key} · ${caller} · ${name} : ${what}`)

    const unread = new Set(secrets.filter(({ readers }) => readers.length > 0).map(({ word }) => word))
    const read = (key: string, caller: Caller, name: string, address: string, answer: Answer) => {
      const text = seenIn(answer).toLowerCase()
      for (const { word, readers } of secrets) {
        if (address.includes(word) || !text.includes(word)) continue
        if (readers.includes(caller)) unread.delete(word)
        else told(key, caller, name, `lit « ${word} »`)
      }
      if (answer.status >= 500 && !ROUTES[key]!.or?.includes(answer.status)) told(key, caller, name, `${answer.status}`)
    }

    // First what must be refused: nothing in the database may move.
    for (const { key, method, path: where, route } of asked) {
      const kind = kindOf(where)
      const before = await digest(sql)
      for (const caller of CALLERS_ALL) {
        if (method === 'POST') await sql`delete from limite`
        const door = DOORS[route.rule][CALLERS[caller]]
        const inside = door === 'entre' || door === where
        const mine = things.filter((thing) => thing.kind === kind)
        const foreign = inside ? mine.filter(({ of }) => !of.includes(caller)) : mine.slice(0, 1)
        const ids: [string, string][] = kind
          ? [
              ...foreign.map((thing): [string, string] => [thing.name, thing.id]),
              ['absent', randomUUID()],
              ...(inside ? badIds(kind, caller) : []),
            ]
          : inside
            ? []
            : [['la page', '']]
        const answers = new Set<string>()
        const refuse = async ([name, id]: [string, string]) => {
          const fields = await fieldsOf(key, caller)
          const address = addressOf(key, id)
          const answer = await ask({ caller, method, address, fields })
          read(key, caller, name, address, answer)
          const expected = inside || door === 'introuvable' ? 404 : `303 ${door}`
          const got = answer.location ? `${answer.status} ${answer.location.split('?')[0]}` : answer.status
          if (got !== expected) told(key, caller, name, `${got}, et non ${expected}`)
          if (expected === 404) answers.add(seenIn(answer))
        }
        if (route.oneByOne) for (const one of ids) await refuse(one)
        else await Promise.all(ids.map(refuse))
        if (answers.size > 1) told(key, caller, 'toutes', `${answers.size} réponses différentes pour ce qui n’est pas à elle`)
      }
      const after = await digest(sql)
      for (const table of Object.keys(after)) if (before[table] !== after[table]) wrong.push(`${key} · refus : ${table} a changé`)
    }

    // Then what designates something in a search.
    for (const { caller, address, ours, others } of only.test('GET /') ? searched() : []) {
      const absent = await ask({ caller, method: 'GET', address: address(randomUUID()) })
      if (absent.status !== 200) wrong.push(`${address('…')} · ${caller} : ${absent.status}`)
      for (const id of others) {
        const answer = await ask({ caller, method: 'GET', address: address(id) })
        read('GET /', caller, address('…'), id, answer)
        if (answer.body.replaceAll(id, '') !== absent.body)
          wrong.push(`${address('…')} · ${caller} : ce qui n’est pas à elle se voit`)
      }
      const own = ours && (await ask({ caller, method: 'GET', address: address(ours) }))
      if (own && own.body.replaceAll(ours, '') === absent.body)
        wrong.push(`${address('…')} · ${caller} : ce qui est à elle ne se voit pas`)
    }

    // Last what is theirs: without it, the refusals would prove nothing.
    for (const aidant of ['thomas', 'nadia', 'samira', 'fabrice', 'jocelyne'] as const) await world.freshCode(aidant)
    for (const { key, method, path: where, route } of asked) {
      await sql`delete from limite`
      const alone = method === 'POST' && (route.rule === 'public' || where === '/structures')
      const seen = new Map<Caller, number[]>()
      for (const { caller, thing, address } of owners(key)) {
        // A paper printed again closes what the former had opened.
        const fresh = alone || PAR_CODE.includes(caller)
        const answer = await ask({ caller, method, address, fields: await fieldsOf(key, caller), alone: fresh })
        read(key, caller, thing?.name ?? 'la page', address, answer)
        seen.set(caller, [...(seen.get(caller) ?? []), answer.status])
        if (answer.status !== givenTo(caller, route) && !route.or?.includes(answer.status))
          told(key, caller, thing?.name ?? 'la page', `${answer.status}, et non ${givenTo(caller, route)}`)
      }
      for (const [caller, statuses] of seen)
        if (kindOf(where) && !statuses.includes(givenTo(caller, route)))
          told(key, caller, 'les siens', `jamais ${givenTo(caller, route)}`)
    }
    // Had nobody ever read it, that the others do not would prove nothing.
    if (asked.length === routes.length) for (const word of unread) wrong.push(`personne n’a pu lire « ${word} »`)
    return wrong
  }

  /** Pages that read a thing named in their search: hers shows, what is not hers is as if it were not. */
  function searched(): { caller: Caller; address: (id: string) => string; ours?: string; others: string[] }[] {
    const id = (name: string) => things.find((thing) => thing.name === name)!.id
    const curseur = (demarche: string) => texteDuCurseur({ doneAt: '2100-01-01T00:00:00.000Z', id: demarche })
    return [
      {
        caller: 'thomas',
        address: (one) => `/personnes/${josiane.usagerId}?notee=${one}`,
        ours: id('zinzolin (Josiane)'),
        others: [id('céladon (Voahangy)'), id('vermillon (Marcel)'), id('garance (Marcel)')],
      },
      {
        caller: 'samira',
        address: (one) => `/personnes/${josiane.usagerId}?notee=${one}`,
        ours: id('zinzolin (Josiane)'),
        others: [id('cinabre (Josiane)'), id('céladon (Voahangy)')],
      },
      // What the page links to is left out: its own address would be found in it.
      {
        caller: 'nadia',
        address: (one) => `/structure/personnes/${here.usagerId}?notee=${one}`,
        others: [id('zinzolin (Josiane)'), id('vermillon (Marcel)'), id('céladon (Voahangy)')],
      },
      { caller: 'thomas', address: (one) => `/personnes?apres=${one}`, ours: josiane.usagerId, others: [voahangy.usagerId] },
      {
        caller: 'nadia',
        address: (one) => `/structure/journal?aidant=${one}`,
        ours: world.aidants.thomas,
        others: [world.aidants.fabrice, world.aidants.jocelyne],
      },
      ...(['thomas', 'marcel', 'nadia'] as const).map((caller) => ({
        caller,
        address: (one: string) =>
          caller === 'thomas'
            ? `/personnes/${here.usagerId}?apres=${curseur(one)}`
            : caller === 'marcel'
              ? `/mon-espace/mandats/${here.id}?apres=${curseur(one)}`
              : `/structure/personnes/${here.usagerId}?apres=${curseur(one)}`,
        others: [id('vermillon (Marcel)'), id('céladon (Voahangy)')],
      })),
    ]
  }

  return {
    world,
    app,
    log,
    things,
    routes,
    ask,
    addressOf,
    fieldsOf,
    owners,
    cookieOf,
    run,
    async close() {
      if (options.rlsOnly) await db.close()
      await world.close()
    },
  }
}

const encode = (fields: Fields) => {
  const sent = new URLSearchParams()
  for (const [name, value] of Object.entries(fields)) for (const one of [value ?? []].flat()) sent.append(name, one)
  return sent.toString()
}

/**
 * One digest for each table, of all its rows: what a request that is refused, or only asked to show, must leave as it was. Left out: when a
 * session was last seen, and the counters of tries, which are there to count.
 */
export async function digest(sql: postgres.Sql): Promise<Record<string, string>> {
  const tables = await sql<{ name: string }[]>`
    select relname as name
    from pg_class
    where relnamespace = 'public'::regnamespace and relkind = 'r' and relname not in ('horloge_reglage', 'limite')
    order by relname`
  const each = tables.map(({ name }) => {
    const row = name === 'session' ? `(to_jsonb(t) - array['last_seen_at', 'appareil', 'reseau'])::text` : 't::text'
    return `select '${name}' as name, count(*) || ':' || coalesce(sum(hashtextextended(${row}, 0)), 0) as sum from "${name}" t`
  })
  const digests = await sql.unsafe<{ name: string; sum: string }[]>(each.join(' union all '))
  return Object.fromEntries(digests.map(({ name, sum }) => [name, sum]))
}

/** Every parameter of a search that the sources read. */
function searchesIn(folder: string): string[] {
  const sources = readdirSync(path.join(ROOT, folder), { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.ts'),
  )
  const read = sources
    .filter((file) => !file.startsWith('demo'))
    .map((file) => readFileSync(path.join(ROOT, folder, file), 'utf8'))
  const named = read.flatMap((source) => [...source.matchAll(/req\.quer(?:y|ies)\(\s*'(\w+)'/g)].map(([, name]) => name!))
  return [...new Set([...named, ...Object.keys(filtreForm.shape)])]
}
