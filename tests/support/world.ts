import { randomBytes, randomUUID } from 'node:crypto'
import type { Hono } from 'hono'
import type postgres from 'postgres'
import { acceptCgu } from '../../src/aidant/accept-cgu.ts'
import { addAidant } from '../../src/aidant/add.ts'
import { encryptSecret } from '../../src/aidant/secret.ts'
import { createApp, type Providers } from '../../src/app.ts'
import { type Config, parseConfig } from '../../src/config.ts'
import { type Db, openDb, type Who } from '../../src/db.ts'
import type { NewDemarche } from '../../src/demarche/demarche.ts'
import { openKeys } from '../../src/demo/franceconnect/keys.ts'
import { findPersona, type Persona, subOf } from '../../src/demo/franceconnect/personas.ts'
import { type Intercept, type Simulator, startSimulator } from '../../src/demo/franceconnect/simulator.ts'
import { signFor } from '../../src/demo/franceconnect/tokens.ts'
import { AIDANTS, type AidantKey, codeOf, STRUCTURES, type StructureKey, totpSecretOf } from '../../src/demo/people.ts'
import { PROCONNECT } from '../../src/demo/proconnect/flavour.ts'
import type { Env } from '../../src/http/env.ts'
import { openLog } from '../../src/http/log.ts'
import { openSession } from '../../src/http/session.ts'
import { giveAccord } from '../../src/mandat/agree.ts'
import { type Identified, keepIdentity, openIdentification } from '../../src/mandat/identify.ts'
import { type Duree, dernierJour, expiresAt, type Thematique } from '../../src/mandat/mandat.ts'
import { parseSealKeys } from '../../src/mandat/sceau.ts'
import { type Signer, signMandat } from '../../src/mandat/sign.ts'
import { startBrouillon } from '../../src/mandat/start.ts'
import { archiveJwks } from '../../src/oidc/connexion.ts'
import { franceconnect } from '../../src/oidc/franceconnect.ts'
import type { OidcLog, Provider } from '../../src/oidc/oidc.ts'
import { proconnect } from '../../src/oidc/proconnect.ts'
import { openProvider } from '../../src/oidc/provider.ts'
import { addStructure } from '../../src/structure/add.ts'
import { identiteDe } from '../../src/usager/identite.ts'
import { publishKeys } from '../../src/verification/publish-key.ts'
import { freshDatabase, type TestDatabase } from './database.ts'

type Aidant = Who & { kind: 'aidant' }
type Suivi = 'papier' | 'sms' | 'email'

/** What a person agrees to with an aidant; everything has a default. */
export type Telling = {
  /** Thomas, of Figeac. */
  aidant?: AidantKey
  /** The aidant's first. */
  structure?: StructureKey
  /** Odette. */
  persona?: string
  /** Housing. */
  perimetre?: readonly Thematique[]
  /** A month. */
  duree?: Duree
  /** What she keeps of the périmètre: all of it. */
  accordees?: readonly Thematique[]
  /** Paper. */
  suivi?: Suivi
  /** Her e-mail or mobile; FranceConnect's e-mail or +33612345678 by default. */
  contact?: string
}
export type Told = { id: string; usagerId: string; structureId: string; aidantId: string; signedAt: Date; expiresAt: Date }
export type Fields = Readonly<Record<string, string | readonly string[] | undefined>>

export type World = {
  database: TestDatabase
  /** As the application's role. */
  db: Db
  /** As a superuser. */
  sql: postgres.Sql
  app: Hono<Env>
  config: Config
  signer: Signer
  provider: Provider
  oidc: Required<Providers>
  /** Only with `{ simulator: true }`. */
  simulator: Simulator
  /** ProConnect's, likewise. */
  proconnect: Simulator
  /** Every line of the technical log. */
  log: Record<string, unknown>[]
  structures: Readonly<Record<StructureKey, string>>
  aidants: Readonly<Record<AidantKey, string>>

  as(aidant: AidantKey, structure?: StructureKey): Aidant
  asReferent(aidant: AidantKey, structure?: StructureKey): Who & { kind: 'referent' }
  /** The person herself; she must have signed once. */
  asUsager(persona: string): Promise<Who & { kind: 'usager' }>
  usagerIdOf(persona: string): Promise<string | undefined>
  /** The database's time. */
  now(): Promise<Date>
  /** A code of her authenticator that has not served, whatever she signed before: her counter begins anew. */
  freshCode(aidant: AidantKey): Promise<string>

  /** The use cases, one after the other, up to the step named: the draft's id. */
  draft(telling?: Telling & { upTo?: 'choix' | 'identite' | 'accord' }): Promise<string>
  /** What FranceConnect would say of her for the round trip that this nonce opened. */
  identified(persona: string, nonce: string): Promise<Identified>
  /** The whole journey by the use cases. */
  signMandat(telling?: Telling): Promise<Told>

  /** The value of a Cookie header: a session of an aidant (in a structure of hers), or of a person who signed once. */
  sessionOf(who: AidantKey | string, structure?: StructureKey): Promise<string>
  get(path: string, cookie?: string, headers?: Record<string, string>): Promise<Response>
  /** Posts a form as a browser does from our own page. */
  post(path: string, fields: Fields, cookie?: string, headers?: Record<string, string>): Promise<Response>
  /** A browser with its cookies, on the service and on the simulator. */
  browser(cookie?: string): Browser

  /** One digest for each table, of all its rows; but for the counters of tries, which are there to count. */
  digest(): Promise<Record<string, string>>
  /** Tables where some row holds this text, or these bytes, whatever its column. */
  tablesHolding(what: string | Buffer): Promise<string[]>
  /** A death or a protection measure recorded before is no longer: the person signs again in the next test. */
  forgetFins(): Promise<void>
  /** Messages of the outbox, oldest first. */
  messages(): Promise<
    { cle: string; canal: string; destinataire: string; sujet: string | null; corps: string; chemin: string | null }[]
  >
  /** Lines of the journal in order, of one mandat or all. */
  lines(mandatId?: string): Promise<Line[]>
  close(): Promise<void>
}
export type Line = {
  id: number
  at: Date
  action: string
  acteur: string
  acteurId: string | null
  structureId: string | null
  usagerId: string | null
  mandatId: string | null
  mandatSeq: number | null
  cibleAidantId: string | null
  entry: Buffer
  commitment: Buffer
  payload: string | null
  salt: Buffer | null
}

export const PUBLIC_URL = 'http://localhost:3000'
export const RETOUR = `${PUBLIC_URL}/connexion/franceconnect/retour`
const CLIENT = { clientId: 'trait-dunion-demo', clientSecret: 'demo-secret-des-essais' }
const PRO = { clientId: 'trait-dunion-demo-pro', clientSecret: 'demo-secret-des-essais-pro' }

/**
 * The whole service on a database of its own, with the demo's structures and aidants (conditions accepted), and nobody else yet. Without
 * `simulator` FranceConnect does not answer, and mandats are still told with genuine tokens.
 */
export async function newWorld(
  options: {
    simulator?: boolean
    intercept?: Intercept
    connections?: number
    cgu?: boolean
    more?: (db: Db) => Hono<Env>
    /** Instead of those of the settings. */
    oidc?: (log: OidcLog) => Required<Providers>
    /** One of its own server. */
    database?: TestDatabase
  } = {},
): Promise<World> {
  const { database = await freshDatabase() } = options
  const sql = database.adminSql
  const simulator = options.simulator
    ? await startSimulator({
        port: 0,
        clients: [
          { ...CLIENT, redirectUris: [RETOUR], postLogoutRedirectUris: [`${PUBLIC_URL}/connexion/franceconnect/deconnecte`] },
        ],
        ...(options.intercept && { intercept: options.intercept }),
      })
    : undefined
  const pro = options.simulator
    ? await startSimulator({
        port: 0,
        flavour: PROCONNECT,
        clients: [
          {
            ...PRO,
            redirectUris: [`${PUBLIC_URL}/connexion/proconnect/retour`],
            postLogoutRedirectUris: [`${PUBLIC_URL}/connexion/proconnect/deconnecte`],
          },
        ],
      })
    : undefined
  const keys = simulator?.keys ?? (await openKeys())
  const config = parseConfig({
    MODE: 'demo',
    PUBLIC_URL,
    DATABASE_URL: database.url,
    SEAL_KEYS: JSON.stringify({ keys: (await openKeys()).jwks() }),
    SECRETS_KEY: randomBytes(32).toString('base64url'),
    SMTP_URL: 'smtp://localhost',
    MAIL_FROM: 'essais@localhost',
    // Port 9 discards: nobody answers there.
    FRANCECONNECT_ISSUER: simulator?.issuer ?? 'http://127.0.0.1:9/api/v2',
    FRANCECONNECT_CLIENT_ID: CLIENT.clientId,
    FRANCECONNECT_CLIENT_SECRET: CLIENT.clientSecret,
    PROCONNECT_ISSUER: pro?.issuer ?? 'http://127.0.0.1:9/api/v2',
    PROCONNECT_CLIENT_ID: PRO.clientId,
    PROCONNECT_CLIENT_SECRET: PRO.clientSecret,
  })
  const db = openDb({ url: database.url, connections: options.connections ?? 4 })
  const log: Record<string, unknown>[] = []
  const say = openLog((line) => void log.push(JSON.parse(line) as Record<string, unknown>))
  const refused: OidcLog = ({ refusal, cause }) => say('warn', { event: 'oidc', reason: refusal, error: cause })
  const provider = openProvider({ profile: franceconnect, ...config.franceconnect, log: refused })
  const oidc = options.oidc?.(refused) ?? {
    franceconnect: provider,
    proconnect: openProvider({ profile: proconnect, ...config.proconnect!, log: refused }),
  }
  const seal = parseSealKeys(config.sealKeys)
  const signer: Signer = { seal, publicUrl: config.publicUrl, secretsKey: config.secretsKey, franceconnect: config.franceconnect }
  const app = createApp({ db, config, oidc, log: say }, options.more?.(db))
  const { structures, aidants } = await addProfessionals(database, config.secretsKey)
  if (options.cgu !== false) for (const id of Object.values(aidants)) await acceptCgu(db, id)
  await publishKeys(db, seal)

  const structureOf = (aidant: AidantKey, structure: StructureKey = AIDANTS[aidant].structures[0]) => structures[structure]
  const as = (aidant: AidantKey, structure?: StructureKey): Aidant => ({
    kind: 'aidant',
    aidantId: aidants[aidant],
    structureId: structureOf(aidant, structure),
  })
  const now = async () => (await sql<{ now: Date }[]>`select horloge() as now`)[0]!.now
  const personaOf = (key: string): Persona => {
    const persona = findPersona(key)
    if (!persona) throw new Error(`nobody is called ${key}`)
    return persona
  }
  const usagerIdOf = async (persona: string) => {
    const [row] = await sql<{ id: string }[]>`select id from usager where sub = ${subOf(personaOf(persona), CLIENT.clientId)}`
    return row?.id
  }
  const knownUsager = async (persona: string) => {
    const id = await usagerIdOf(persona)
    if (!id) throw new Error(`${persona} has not signed yet`)
    return id
  }
  const freshCode = async (aidant: AidantKey) => {
    const secret = encryptSecret(config.secretsKey, randomBytes(12), totpSecretOf(aidant))
    await sql.begin(async (tx) => {
      await tx`delete from facteur where aidant_id = ${aidants[aidant]} and genre = 'totp'`
      await tx`insert into facteur (aidant_id, genre, secret) values (${aidants[aidant]}, 'totp', ${secret})`
    })
    return codeOf(aidant, await now())
  }
  const identified = async (persona: string, nonce: string): Promise<Identified> => {
    const at = await now()
    const who = personaOf(persona)
    const { idToken } = signFor(keys, config.franceconnect.issuer, { persona: who, clientId: CLIENT.clientId, nonce, at })
    const { identite } = ok(identiteDe({ sub: subOf(who, CLIENT.clientId), ...who.identity }))
    const jwksId = await archiveJwks(db, JSON.stringify({ keys: keys.jwks().map(({ d: _, ...publicKey }) => publicKey) }))
    return { idToken, jwksId, authTime: new Date(Math.floor(at.getTime() / 1000) * 1000), identite, nonce }
  }
  const draft: World['draft'] = async ({
    aidant = 'thomas',
    structure,
    persona = 'odette',
    perimetre = ['logement'],
    duree = 'mois',
    accordees = perimetre,
    suivi = 'papier',
    contact,
    upTo = 'accord',
  } = {}) => {
    const by = as(aidant, structure)
    const { id } = ok(await startBrouillon(db, by, { thematiques: perimetre, duree }))
    if (upTo === 'choix') return id
    const { nonce } = ok(await openIdentification(db, by, { brouillonId: id, navigateur: undefined }))
    ok(await keepIdentity(db, by, id, await identified(persona, nonce)))
    if (upTo === 'identite') return id
    const usual = { papier: undefined, sms: '+33612345678', email: personaOf(persona).identity.email ?? `${persona}@example.org` }
    const { fuseau } = STRUCTURES[structure ?? AIDANTS[aidant].structures[0]]
    const read = dernierJour(expiresAt(await now(), duree, fuseau), fuseau)
    const said = {
      redit: true,
      thematiques: accordees,
      lues: accordees,
      dernierJour: read,
      suivi,
      contact: contact ?? usual[suivi],
    }
    ok(await giveAccord(db, by, id, said))
    // The code that she types back is told in mandat-contact.test.ts.
    await sql`
      update brouillon
      set contact_prouve_at = horloge(), contact_lecteur = case when contact_partage then 'famille' end
      where id = ${id} and contact is not null`
    return id
  }
  const post: World['post'] = async (path, fields, cookie, headers) =>
    app.request(path, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        origin: PUBLIC_URL,
        'sec-fetch-site': 'same-origin',
        ...(cookie && { cookie }),
        ...headers,
      },
      body: encode(fields),
    })
  const get: World['get'] = async (path, cookie, headers) =>
    app.request(path, { headers: { 'sec-fetch-site': 'same-origin', ...(cookie && { cookie }), ...headers } })
  const tables = async () =>
    (
      await sql<{ name: string }[]>`
      select relname as name
      from pg_class
      where relnamespace = 'public'::regnamespace and relkind = 'r' and relname <> 'horloge_reglage'
      order by relname`
    ).map(({ name }) => name)

  return {
    database,
    db,
    sql,
    app,
    config,
    signer,
    provider,
    oidc,
    get simulator() {
      if (!simulator) throw new Error('this world was opened without the simulator')
      return simulator
    },
    get proconnect() {
      if (!pro) throw new Error('this world was opened without the simulator')
      return pro
    },
    log,
    structures,
    aidants,
    as,
    asReferent: (aidant, structure) => ({ ...as(aidant, structure), kind: 'referent' }),
    asUsager: async (persona) => ({ kind: 'usager', usagerIds: [await knownUsager(persona)], niveau: 'identite' }),
    usagerIdOf,
    now,
    freshCode,
    draft,
    identified,
    async signMandat(telling = {}) {
      const { aidant = 'thomas', structure } = telling
      const brouillonId = await draft(telling)
      const { id } = ok(await signMandat(db, as(aidant, structure), { brouillonId, code: await freshCode(aidant) }, signer))
      const [told] = await sql<Told[]>`
        select id, usager_id as "usagerId", structure_id as "structureId", aidant_id as "aidantId", signed_at as "signedAt",
          expires_at as "expiresAt"
        from mandat
        where id = ${id}`
      return told!
    },
    async sessionOf(who, structure) {
      const holder =
        who in AIDANTS
          ? { aidantId: aidants[who as AidantKey], structureId: structureOf(who as AidantKey, structure) }
          : { usagerId: await knownUsager(who) }
      return `session=${await db.tx({ kind: 'portier' }, (tx) => openSession(tx, holder))}`
    },
    get,
    post,
    browser: (cookie) => openBrowser(app, cookie),
    async digest() {
      const digests = await Promise.all(
        (await tables())
          .filter((table) => table !== 'limite')
          .map(async (table) => {
            const [row] = await sql.unsafe(
              `select md5(coalesce(string_agg(t::text, E'\\n' order by t::text), '')) as md5 from "${table}" t`,
            )
            return [table, row!.md5 as string] as const
          }),
      )
      return Object.fromEntries(digests)
    },
    async tablesHolding(what) {
      const found: string[] = []
      // Words are looked for outside of bytes: six digits stand by chance in the hexadecimal of a hash.
      const [held, sought] =
        typeof what === 'string'
          ? [String.raw`position(lower($1) in lower(regexp_replace(t::text, '\\\\x[0-9a-f]+', '', 'g')))`, what]
          : ['position($1 in t::text)', what.toString('hex')]
      for (const table of await tables()) {
        const [row] = await sql.unsafe(`select 1 from "${table}" t where ${held} > 0 limit 1`, [sought])
        if (row) found.push(table)
      }
      return found
    },
    async forgetFins() {
      await sql.begin(async (tx) => {
        await tx`set local session_replication_role = replica`
        await tx`alter table mandat disable trigger fin_une_fois`
        await tx`update mandat set ended_how = 'renonce' where ended_how in ('deces', 'protection')`
        await tx`alter table mandat enable always trigger fin_une_fois`
      })
    },
    messages: async () => sql`
      select cle, canal, destinataire, sujet, corps, chemin
      from message
      order by created_at, cle`,
    lines: async (mandatId) =>
      (
        await sql<(Omit<Line, 'id'> & { id: string })[]>`
          select j.id, j.at, j.action, j.acteur, j.acteur_id as "acteurId", j.structure_id as "structureId", j.usager_id as "usagerId",
            j.mandat_id as "mandatId", j.mandat_seq as "mandatSeq", j.cible_aidant_id as "cibleAidantId", j.entry, j.commitment,
            c.payload, c.salt
          from journal j
          left join journal_contenu c on c.journal_id = j.id
          ${mandatId ? sql`where j.mandat_id = ${mandatId}` : sql``}
          order by j.id`
      ).map((line) => ({ ...line, id: Number(line.id) })),
    async close() {
      await db.close()
      await Promise.all([simulator?.close(), pro?.close()])
      await database.drop()
    },
  }
}

/** A démarche that the form would send: done now, with her, one code for each form shown. */
export const uneDemarche = (
  mandatId: string,
  thematique: Thematique = 'logement',
  more: Partial<NewDemarche> = {},
): NewDemarche => ({
  mandatId,
  envoi: randomUUID(),
  thematique,
  titre: 'Un courrier au bailleur',
  nature: 'demande',
  mode: 'avec_la_personne',
  presence: 'presente',
  canal: 'courrier',
  resultat: 'deposee',
  doneAt: null,
  ...more,
})

/** The result of a use case that must not refuse. */
export function ok<T extends { ok: boolean }>(result: T): Extract<T, { ok: true }> {
  if (!result.ok) throw new Error(`refused: ${JSON.stringify(result)}`)
  return result as Extract<T, { ok: true }>
}

export type Page = { url: string; status: number; headers: Headers; location: string | null; html: string }
export type Browser = {
  cookies: Map<string, string>
  /** One answer, redirects not followed; a path is the service's. */
  get(url: string): Promise<Page>
  post(url: string, fields: Fields): Promise<Page>
  /** Goes on while the answer is a redirect. */
  follow(page: Page): Promise<Page>
  /** What she does at FranceConnect once sent there: chooses who she is and continues, or comes back. Stops at the service's return address, not asked for yet. */
  atFranceConnect(page: Page, persona: string | { geste: 'revenir' | 'panne' }): Promise<Page>
  /** What an aidant does at ProConnect once sent there: chooses an account, or comes back. Stops likewise. */
  atProConnect(page: Page, agent: string | { geste: 'revenir' }): Promise<Page>
}

/** Without JavaScript: cookies by host and path, no redirect followed unless asked. */
function openBrowser(app: Hono<Env>, cookie?: string): Browser {
  const cookies = new Map<string, string>()
  const elsewhere = new Map<string, { value: string; path: string }>()
  for (const pair of cookie?.split('; ') ?? []) cookies.set(pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1))

  async function send(address: string, fields?: Fields): Promise<Page> {
    const url = new URL(address, PUBLIC_URL)
    const ours = url.origin === PUBLIC_URL
    const sent = ours
      ? [...cookies]
      : [...elsewhere].filter(([, { path }]) => url.pathname.startsWith(path)).map(([name, { value }]) => [name, value])
    const headers: Record<string, string> = { cookie: sent.map(([name, value]) => `${name}=${value}`).join('; ') }
    const init: RequestInit = { headers, redirect: 'manual' }
    if (fields) {
      init.method = 'POST'
      init.body = encode(fields)
      headers['content-type'] = 'application/x-www-form-urlencoded'
      headers.origin = url.origin
      headers['sec-fetch-site'] = 'same-origin'
    }
    const response = ours ? await app.request(url.pathname + url.search, init) : await fetch(url, init)
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      const over = value === '' || /max-age=0|expires=Thu, 01 Jan 1970/i.test(line)
      if (over) (ours ? cookies : elsewhere).delete(name)
      else if (ours) cookies.set(name, value)
      else elsewhere.set(name, { value, path: /; path=([^;]+)/i.exec(line)?.[1] ?? '/' })
    }
    const told = response.headers.get('location')
    return {
      url: url.href,
      status: response.status,
      headers: response.headers,
      location: told && new URL(told, url).href,
      html: await response.text(),
    }
  }
  const step = async (from: Page): Promise<Page> => {
    let last = from
    while (last.location && !last.location.startsWith(PUBLIC_URL)) last = await send(last.location)
    return last
  }
  const browser: Browser = {
    cookies,
    get: (url) => send(url),
    post: (url, fields) => send(url, fields),
    async follow(page) {
      let last = page
      for (let hops = 0; last.location; hops++) {
        if (hops > 20) throw new Error(`redirected for ever: ${last.location}`)
        last = await send(last.location)
      }
      return last
    },
    async atProConnect(page, choice) {
      const accounts = await step(page)
      return step(await send(accounts.url, typeof choice === 'object' ? choice : { persona: choice }))
    },
    async atFranceConnect(page, choice) {
      const accounts = await step(page)
      if (typeof choice === 'object') return step(await send(accounts.url, choice))
      const informations = await step(await send(accounts.url, { persona: choice, fournisseur: 'impots-fictifs' }))
      return informations.location ? informations : step(await send(informations.url, { geste: 'continuer' }))
    },
  }
  return browser
}

const encode = (fields: Fields) =>
  new URLSearchParams(
    Object.entries(fields).flatMap(([name, value]) =>
      value === undefined ? [] : [value].flat().map((one): [string, string] => [name, one as string]),
    ),
  ).toString()

async function addProfessionals(database: TestDatabase, secretsKey: Buffer) {
  const operator = openDb({ url: database.operatorUrl, connections: 1 })
  const structures = {} as Record<StructureKey, string>
  const aidants = {} as Record<AidantKey, string>
  await operator.tx({ kind: 'operator' }, async (tx) => {
    for (const [key, structure] of Object.entries(STRUCTURES)) structures[key as StructureKey] = await addStructure(tx, structure)
    for (const [key, aidant] of Object.entries(AIDANTS) as [AidantKey, (typeof AIDANTS)[AidantKey]][])
      for (const structure of aidant.structures) {
        const habilitation = { structureId: structures[structure], referent: aidant.referent }
        const factor = { totpSecret: totpSecretOf(key), secretsKey }
        aidants[key] = (await addAidant(tx, aidant, habilitation, factor)).id
      }
  })
  await operator.close()
  return { structures, aidants }
}
