import { randomBytes, randomUUID } from 'node:crypto'
import type { Hono } from 'hono'
import { acceptCgu } from '../../src/aidant/accept-cgu.ts'
import { addAidant } from '../../src/aidant/add.ts'
import { createApp } from '../../src/app.ts'
import type { Config } from '../../src/config.ts'
import { type Db, openDb } from '../../src/db.ts'
import type { NewDemarche } from '../../src/demarche/demarche.ts'
import { recordDemarche } from '../../src/demarche/record.ts'
import { openKeys } from '../../src/demo/franceconnect/keys.ts'
import { findPersona } from '../../src/demo/franceconnect/personas.ts'
import { type Simulator, startSimulator } from '../../src/demo/franceconnect/simulator.ts'
import { AIDANTS, type AidantKey, codeOf, STRUCTURES, type StructureKey, totpSecretOf } from '../../src/demo/people.ts'
import { proxiesOf } from '../../src/http/address.ts'
import type { Env } from '../../src/http/env.ts'
import { type Holder, openSession } from '../../src/http/session.ts'
import { giveAccord } from '../../src/mandat/agree.ts'
import { keepIdentity, openIdentification } from '../../src/mandat/identify.ts'
import { type Duree, dernierJour, expiresAt, type Thematique } from '../../src/mandat/mandat.ts'
import { parseSealKeys } from '../../src/mandat/sceau.ts'
import { signMandat } from '../../src/mandat/sign.ts'
import { startBrouillon } from '../../src/mandat/start.ts'
import { archiveJwks } from '../../src/oidc/connexion.ts'
import { franceconnect } from '../../src/oidc/franceconnect.ts'
import { openProvider } from '../../src/oidc/provider.ts'
import { addStructure } from '../../src/structure/add.ts'
import { identiteDe } from '../../src/usager/identite.ts'
import { freshDatabase, type TestDatabase } from './database.ts'

/** Where a browser finds the service under test. */
export const PUBLIC_URL = 'http://localhost:3000'

export type NewMandat = {
  persona: string
  aidant?: AidantKey
  structure?: StructureKey
  perimetre?: Thematique[]
  duree?: Duree
  suivi?: 'papier' | 'sms' | 'email'
}
export type World = {
  database: TestDatabase
  db: Db
  app: Hono<Env>
  config: Config
  simulator: Simulator
  structures: Record<StructureKey, string>
  aidants: Record<AidantKey, string>
  as(aidant: AidantKey, structure?: StructureKey): { kind: 'aidant'; aidantId: string; structureId: string }
  /** Signs, now, by the service's own use cases. */
  sign(mandat: NewMandat): Promise<{ id: string; usagerId: string }>
  /** Notes one démarche under a mandat; the title is free unless a code is given. */
  note(
    mandatId: string,
    demarche?: Partial<NewDemarche>,
    by?: AidantKey,
    structure?: StructureKey,
  ): ReturnType<typeof recordDemarche>
  /** A browser signed in. */
  cookieOf(holder: Holder): Promise<string>
  get(path: string, cookie?: string): Promise<Response>
  post(path: string, cookie?: string, form?: Record<string, string>): Promise<Response>
  close(): Promise<void>
}

/** Two structures and their aidants on a database of their own, the FranceConnect simulator, and the whole application. */
export async function openWorld(options: { publicUrl?: string } = {}): Promise<World> {
  const publicUrl = options.publicUrl ?? PUBLIC_URL
  const client = { clientId: 'trait-dunion', clientSecret: randomBytes(32).toString('hex') }
  const [database, simulator] = await Promise.all([
    freshDatabase(),
    startSimulator({
      port: 0,
      clients: [
        {
          ...client,
          name: 'Trait d’union',
          redirectUris: [`${publicUrl}/connexion/franceconnect/retour`],
          postLogoutRedirectUris: [`${publicUrl}/connexion/franceconnect/deconnecte`],
        },
      ],
    }),
  ])
  const db = openDb({ url: database.url, connections: 4 })
  const secretsKey = randomBytes(32)
  const sealKeys = JSON.stringify({ keys: (await openKeys()).jwks() })
  const issued = { issuer: simulator.issuer, ...client, allowInsecure: true }
  const config = { mode: 'demo', publicUrl, proxies: proxiesOf(1), secretsKey, sealKeys, franceconnect: issued } as Config
  const provider = openProvider({ profile: franceconnect, ...issued, log: () => {} })
  const app = createApp({ db, config, oidc: { franceconnect: provider }, log: () => {} })

  const operator = openDb({ url: database.operatorUrl, connections: 1 })
  const structures = {} as World['structures']
  const aidants = {} as World['aidants']
  await operator.tx({ kind: 'operator' }, async (tx) => {
    for (const key of keysOf(STRUCTURES)) structures[key] = await addStructure(tx, STRUCTURES[key])
    for (const key of keysOf(AIDANTS))
      for (const structure of AIDANTS[key].structures)
        aidants[key] = (
          await addAidant(
            tx,
            AIDANTS[key],
            { structureId: structures[structure], referent: AIDANTS[key].referent },
            { totpSecret: totpSecretOf(key), secretsKey },
          )
        ).id
  })
  await operator.close()
  for (const id of Object.values(aidants)) await acceptCgu(db, id)

  const as: World['as'] = (aidant, structure = AIDANTS[aidant].structures[0]) =>
    ({ kind: 'aidant', aidantId: aidants[aidant], structureId: structures[structure] }) as const

  const sign: World['sign'] = async ({
    persona,
    aidant = 'thomas',
    structure,
    perimetre = ['logement'],
    duree = 'mois',
    suivi = 'sms',
  }) => {
    const by = as(aidant, structure)
    // Each code of her authenticator counts once: this signature has the one after the last's.
    await database.travel({ ms: 30_000 })
    const draft = ok(await startBrouillon(db, by, { thematiques: perimetre, duree }))
    const { nonce } = ok(await openIdentification(db, by, { brouillonId: draft.id, navigateur: undefined }))
    const at = await db.tx(by, async (tx) => tx.now)
    const who = findPersona(persona)!
    const { idToken } = simulator.signFor({ persona: who, clientId: client.clientId, nonce, at })
    const { sub } = JSON.parse(Buffer.from(idToken.split('.')[1]!, 'base64url').toString()) as { sub: string }
    const { identite } = ok(identiteDe({ sub, ...who.identity }))
    const jwksId = await archiveJwks(db, JSON.stringify({ keys: simulator.keys.jwks().map(({ d: _, ...open }) => open) }))
    ok(await keepIdentity(db, by, draft.id, { idToken, jwksId, authTime: at, identite, nonce }))
    const contact = { papier: undefined, sms: '+33612345678', email: `${persona}@example.org` }[suivi]
    const { fuseau } = STRUCTURES[structure ?? AIDANTS[aidant].structures[0]]
    const read = dernierJour(expiresAt(at, duree, fuseau), fuseau)
    ok(
      await giveAccord(db, by, draft.id, {
        redit: true,
        thematiques: perimetre,
        lues: perimetre,
        dernierJour: read,
        suivi,
        contact,
      }),
    )
    await database.adminSql`
      update brouillon
      set contact_prouve_at = horloge(), contact_lecteur = case when contact_partage then 'famille' end
      where id = ${draft.id} and contact is not null`
    const now = await db.tx(by, async (tx) => tx.now)
    const signer = { seal: parseSealKeys(sealKeys), publicUrl, secretsKey, franceconnect: issued }
    const { id } = ok(await signMandat(db, by, { brouillonId: draft.id, code: codeOf(aidant, now) }, signer))
    const [row] = await database.adminSql<{ usager_id: string }[]>`select usager_id from mandat where id = ${id}`
    return { id, usagerId: row!.usager_id }
  }

  return {
    database,
    db,
    app,
    config,
    simulator,
    structures,
    aidants,
    as,
    sign,
    note: (mandatId, demarche, by = 'thomas', structure) =>
      recordDemarche(db, as(by, structure), { ...DEMARCHE, mandatId, envoi: randomUUID(), ...demarche }),
    cookieOf: async (holder) => `session=${await db.tx({ kind: 'portier' }, (tx) => openSession(tx, holder))}`,
    get: async (path, cookie) => app.request(path, { headers: { ...(cookie && { cookie }) } }),
    post: async (path, cookie, form = {}) =>
      app.request(path, {
        method: 'POST',
        headers: { origin: publicUrl, 'content-type': 'application/x-www-form-urlencoded', ...(cookie && { cookie }) },
        body: new URLSearchParams(form).toString(),
      }),
    async close() {
      await Promise.all([db.close(), simulator.close()])
      await database.drop()
    },
  }
}

const DEMARCHE = {
  thematique: 'logement',
  titre: 'Demande de logement social',
  nature: 'demande',
  mode: 'avec_la_personne',
  presence: 'presente',
  canal: 'en_ligne_autre',
  resultat: 'deposee',
} as const

const keysOf = <K extends string>(record: Record<K, unknown>) => Object.keys(record) as K[]

function ok<T extends { ok: boolean }>(result: T): Extract<T, { ok: true }> {
  if (!result.ok) throw new Error(JSON.stringify(result))
  return result as Extract<T, { ok: true }>
}
