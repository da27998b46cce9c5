import { randomBytes, randomUUID } from 'node:crypto'
import type { Hono } from 'hono'
import { CGU_VERSION } from '../../src/aidant/aidant.ts'
import { encryptSecret } from '../../src/aidant/secret.ts'
import { auditRoutes } from '../../src/audit/routes.ts'
import { type Db, openDb } from '../../src/db.ts'
import { demarcheRoutes } from '../../src/demarche/routes.ts'
import { codeOf, totpSecretOf } from '../../src/demo/people.ts'
import { proxiesOf } from '../../src/http/address.ts'
import { openEdge } from '../../src/http/edge.ts'
import type { Env } from '../../src/http/env.ts'
import { openSession, session } from '../../src/http/session.ts'
import { append } from '../../src/journal/append.ts'
import { endAutorisations } from '../../src/mandat/end.ts'
import { aLaSeconde, type Duree, expiresAt, type Thematique } from '../../src/mandat/mandat.ts'
import { listAutorisations, lockMandat } from '../../src/mandat/queries.ts'
import { archiveJwks } from '../../src/oidc/connexion.ts'
import { freshDatabase, type TestDatabase } from './database.ts'

const OURS = 'http://localhost:3000'

export type Structure = { id: string; nom: string; fuseau: string }
export type Aidant = {
  id: string
  structureId: string
  nom: string
  as: { kind: 'aidant'; aidantId: string; structureId: string }
  asReferent: { kind: 'referent'; aidantId: string; structureId: string }
}
export type Mandat = { id: string; structureId: string; usagerId: string; signedAt: Date; expiresAt: Date }
export type Answer = { status: number; location: string | null; html: string }

/** A database of its own with what is asked of it, made by SQL and by the application's role, and the routes of démarche and audit over it. */
export type Story = {
  database: TestDatabase
  db: Db
  /** Row-level security alone: the structure's filter is `true`. */
  rls: Db
  structure(more?: Partial<Structure>): Promise<Structure>
  aidant(structure: Structure, more?: { referent?: boolean; prenom?: string; nom?: string }): Promise<Aidant>
  /** A code of her authenticator that has not served. */
  freshCode(aidant: Aidant): Promise<string>
  usager(structures: readonly Structure[], more?: { prenom?: string; nom?: string }): Promise<string>
  mandat(
    aidant: Aidant,
    usagerId: string,
    thematiques: readonly Thematique[],
    more?: { duree?: Duree; fuseau?: string },
  ): Promise<Mandat>
  revoke(mandat: Mandat, thematiques: readonly Thematique[]): Promise<Date>
  suspend(mandat: Mandat, thematique: Thematique): Promise<Date>
  get(who: Aidant | undefined, path: string): Promise<Answer>
  post(who: Aidant | undefined, path: string, fields: Record<string, string | undefined>): Promise<Answer>
  /** The same, with the body as it is sent. */
  postBody(who: Aidant | undefined, path: string, body: string): Promise<Answer>
  /** How many rows there are, whoever may read them. */
  count(table: string): Promise<number>
  close(): Promise<void>
}

export async function openStory(): Promise<Story> {
  const database = await freshDatabase()
  const { adminSql } = database
  const secretsKey = randomBytes(32)
  const db = openDb({ url: database.url, connections: 4 })
  const rls = openDb({ url: database.url, connections: 2, rlsOnly: true })
  const jwksId = await archiveJwks(db, '{"keys":[]}')
  const app: Hono<Env> = openEdge({ publicUrl: OURS, formActions: [], demo: false, log: () => {}, random: randomBytes })
  app.use(
    session(
      db,
      { publicUrl: OURS, secretsKey, proxies: proxiesOf(0) },
      { cgu: '/cgu', cguVersion: CGU_VERSION, structures: '/structures' },
    ),
  )
  app.route('/', demarcheRoutes({ db, config: {} }))
  app.route('/', auditRoutes({ db, config: { secretsKey, publicUrl: OURS } }))

  let serial = 0
  async function ask(who: Aidant | undefined, path: string, init: RequestInit = {}): Promise<Answer> {
    const headers = new Headers(init.headers)
    if (who) {
      const token = await db.tx({ kind: 'portier' }, (tx) => openSession(tx, { aidantId: who.id, structureId: who.structureId }))
      headers.set('cookie', `session=${token}`)
    }
    const response = await app.request(`${OURS}${path}`, { ...init, headers })
    return { status: response.status, location: response.headers.get('location'), html: await response.text() }
  }
  const postBody = (who: Aidant | undefined, path: string, body: string) =>
    ask(who, path, {
      method: 'POST',
      headers: { origin: OURS, 'content-type': 'application/x-www-form-urlencoded' },
      body,
    })
  const usagerOf = (mandat: Mandat) => ({ kind: 'usager', usagerIds: [mandat.usagerId], niveau: 'identite' }) as const

  return {
    database,
    db,
    rls,
    async freshCode({ id }) {
      const secret = encryptSecret(secretsKey, randomBytes(12), totpSecretOf('thomas'))
      await adminSql`delete from facteur where aidant_id = ${id}`
      const [row] = await adminSql<{ now: Date }[]>`
        insert into facteur (aidant_id, genre, secret) values (${id}, 'totp', ${secret}) returning horloge() as now`
      return codeOf('thomas', row!.now)
    },
    async structure({ nom = 'CCAS de Figeac', fuseau = 'Europe/Paris' } = {}) {
      const siret = String(10_000_000_000_000 + ++serial)
      const [row] = await adminSql<{ id: string }[]>`
        insert into structure (nom, siret, adresse, telephone, fuseau, thematiques_desactivees)
        values (${nom}, ${siret}, '5 rue de Colomb, 46100 Figeac', '0565340000', ${fuseau}, '{}')
        returning id`
      return { id: row!.id, nom, fuseau }
    },
    async aidant(structure, { referent = false, prenom = 'Awa', nom = 'Diop' } = {}) {
      const [row] = await adminSql<{ id: string }[]>`
        insert into aidant (email, prenom, nom, cgu_version, cgu_accepted_at)
        values (${`aidant${++serial}@exemple.fr`}, ${prenom}, ${nom}, ${CGU_VERSION}, horloge())
        returning id`
      await adminSql`insert into habilitation (aidant_id, structure_id, referent) values (${row!.id}, ${structure.id}, ${referent})`
      const here = { aidantId: row!.id, structureId: structure.id }
      return {
        id: row!.id,
        structureId: structure.id,
        nom: `${prenom} ${nom}`,
        as: { kind: 'aidant', ...here },
        asReferent: { kind: 'referent', ...here },
      }
    },
    async usager(structures, { prenom = 'Jeanne', nom = 'Valadié' } = {}) {
      const [row] = await adminSql<{ id: string }[]>`
        insert into usager (sub, prenoms, nom_naissance, birthdate)
        values (${randomUUID()}, ${[prenom]}, ${nom}, '1950-03-12')
        returning id`
      for (const { id } of structures) await adminSql`insert into dossier (structure_id, usager_id) values (${id}, ${row!.id})`
      return row!.id
    },
    mandat: (aidant, usagerId, thematiques, { duree = 'mois', fuseau = 'Europe/Paris' } = {}) =>
      db.tx(aidant.as, async (tx) => {
        const signedAt = aLaSeconde(tx.now)
        const end = expiresAt(signedAt, duree, fuseau)
        const mandat = { id: randomUUID(), structureId: aidant.structureId, usagerId }
        const line = await append(tx, { action: 'mandat_signe', mandat, contenu: { perimetre: [...thematiques], duree } })
        await tx.sql`
          insert into mandat (id, structure_id, usager_id, aidant_id, duree, signed_at, expires_at, statut_bloc, journal_id)
          values (${mandat.id}, ${mandat.structureId}, ${usagerId}, ${aidant.id}, ${duree}, ${signedAt}, ${end}, bloc_libre(), ${line.id})`
        await tx.sql`
          insert into autorisation (mandat_id, structure_id, usager_id, thematique, signed_at, expires_at, journal_id)
          select ${mandat.id}, ${mandat.structureId}, ${usagerId}, thematique, ${signedAt}, ${end}, ${line.id}
          from unnest(${[...thematiques]}::text[]) as thematique`
        await tx.sql`
          insert into mandat_contenu (mandat_id, structure_id, usager_id, sceau, conditions, id_token, jwks_id, texte, identite, structure, aidant, accord)
          values (${mandat.id}, ${mandat.structureId}, ${usagerId}, '', '{}', '', ${jwksId}, '', '{}', '{}', '{}', '{}')`
        return { ...mandat, signedAt, expiresAt: end }
      }),
    revoke: (mandat, thematiques) =>
      db.tx(usagerOf(mandat), async (tx) => {
        const locked = await lockMandat(tx, mandat.id)
        await endAutorisations(tx, locked!, thematiques, 'revoque', tx.now)
        return tx.now
      }),
    suspend: (mandat, thematique) =>
      db.tx(usagerOf(mandat), async (tx) => {
        await lockMandat(tx, mandat.id)
        const { id } = (await listAutorisations(tx, mandat.id)).find((one) => one.thematique === thematique)!
        const line = await append(tx, { action: 'autorisation_suspendue', mandat, contenu: { thematique } })
        await tx.sql`
          insert into suspension (autorisation_id, mandat_id, structure_id, usager_id, from_at, journal_id)
          values (${id}, ${mandat.id}, ${mandat.structureId}, ${mandat.usagerId}, ${line.at}, ${line.id})`
        return line.at
      }),
    get: (who, path) => ask(who, path),
    post: (who, path, fields) => {
      const sent = Object.entries(fields).filter((entry): entry is [string, string] => entry[1] !== undefined)
      return postBody(who, path, new URLSearchParams(sent).toString())
    },
    postBody,
    async count(table) {
      const [row] = await adminSql<{ n: number }[]>`select count(*)::int as n from ${adminSql(table)}`
      return row!.n
    },
    async close() {
      await Promise.all([db.close(), rls.close()])
      await database.drop()
    },
  }
}

/** Value of the hidden field that names one showing of a form. */
export const envoiOf = (html: string): string => /name="envoi" value="([^"]+)"/.exec(html)![1]!
