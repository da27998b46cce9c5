import { randomBytes, randomInt, randomUUID } from 'node:crypto'
import { createServer } from 'node:net'
import { CGU_VERSION } from '../../src/aidant/aidant.ts'
import { type Db, openDb } from '../../src/db.ts'
import { openKeys } from '../../src/demo/franceconnect/keys.ts'
import { openSession } from '../../src/http/session.ts'
import { append } from '../../src/journal/append.ts'
import { aLaSeconde, expiresAt } from '../../src/mandat/mandat.ts'
import { archiveJwks } from '../../src/oidc/connexion.ts'
import { empreinteDuSceau } from '../../src/verification/coupure.ts'
import type { TestServer } from './database.ts'
import { type Program, ROOT, start } from './processes.ts'

/** The service as production runs it, in processes of its own, with mandats in force to note démarches under: what is there to be killed. */
export type Live = {
  mandats: readonly string[]
  structureId: string
  /** One process of the service at this address, answering. */
  startService(url: string): Promise<Program>
  /** Sends the form once: the démarche that the service acknowledges, or undefined when it says to come back. Throws at any other answer. */
  note(url: string, mandatId: string, envoi: string): Promise<string | undefined>
}

export async function openLive(server: TestServer, mandats: number, journal: Record<string, string>): Promise<Live> {
  // Whoever runs the server may have made it forgetful: what is acknowledged, or shown, must be durable all the same.
  for (const role of ['traitdunion_app', 'traitdunion_sequencer'])
    await server.adminSql`alter role ${server.adminSql(role)} set synchronous_commit = off`
  const { aidantId, structureId } = await tell(server)
  const db = openDb({ url: server.url, connections: 1 })
  const cookie = `session=${await db.tx({ kind: 'portier' }, (tx) => openSession(tx, { aidantId, structureId }))}`
  const signed: string[] = []
  for (let n = 0; n < mandats; n++) signed.push(await sign(server, db, aidantId, structureId))
  await db.close()

  const environment = {
    HOST: 'localhost',
    DATABASE_URL: server.url,
    DATABASE_SEQUENCER_URL: server.sequencerUrl,
    SEAL_KEYS: JSON.stringify({ keys: (await openKeys()).jwks() }),
    SECRETS_KEY: randomBytes(32).toString('base64url'),
    SMTP_URL: 'smtp://localhost',
    MAIL_FROM: 'essais@localhost',
    FRANCECONNECT_ISSUER: 'http://127.0.0.1:9/api/v2',
    FRANCECONNECT_CLIENT_ID: randomBytes(32).toString('hex'),
    FRANCECONNECT_CLIENT_SECRET: randomBytes(32).toString('hex'),
    EDITEUR: 'Essais',
    CONTACT: 'essais@figeac.fr',
    ...journal,
  }
  return {
    mandats: signed,
    structureId,
    async startService(url) {
      const service = start(process.execPath, ['--import', 'tsx', 'src/main.ts'], {
        cwd: ROOT,
        env: { PATH: process.env.PATH, ...environment, PORT: new URL(url).port, PUBLIC_URL: url } as NodeJS.ProcessEnv,
      })
      await service.until('"demarrage"')
      return service
    },
    async note(url, mandatId, envoi) {
      const response = await fetch(`${url}/mandats/${mandatId}/demarches/nouvelle`, {
        method: 'POST',
        redirect: 'manual',
        headers: { cookie, origin: url, 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams({
          demarche: 'autre',
          titre: 'Une lettre',
          thematique: 'logement',
          resultat: 'deposee',
          encore: 'oui',
          envoi,
        }).toString(),
      })
      const page = await response.text()
      if (response.status === 303) return new URL(response.headers.get('location')!, url).searchParams.get('notee')!
      if (response.status !== 503 || !response.headers.has('retry-after'))
        throw new Error(`${response.status}: ${page.slice(0, 300)}`)
      return undefined
    },
  }
}

async function tell({ adminSql }: TestServer) {
  const [structure] = await adminSql<{ id: string }[]>`
    insert into structure (nom, siret, adresse, telephone)
    values ('CCAS de Figeac', '26460102500018', '5 rue de Colomb, 46100 Figeac', '0565340000')
    returning id`
  const [aidant] = await adminSql<{ id: string }[]>`
    insert into aidant (email, prenom, nom, cgu_version, cgu_accepted_at)
    values ('thomas@figeac.demo', 'Thomas', 'Lacombe', ${CGU_VERSION}, horloge())
    returning id`
  await adminSql`insert into habilitation (aidant_id, structure_id) values (${aidant!.id}, ${structure!.id})`
  return { aidantId: aidant!.id, structureId: structure!.id }
}

/** A mandat in force, its words left out. */
async function sign({ adminSql }: TestServer, db: Db, aidantId: string, structureId: string): Promise<string> {
  const [usager] = await adminSql<{ id: string }[]>`
    insert into usager (sub, prenoms, nom_naissance, birthdate)
    values (${randomUUID()}, '{Jeanne}', 'Valadié', '1950-03-12')
    returning id`
  await adminSql`insert into dossier (structure_id, usager_id) values (${structureId}, ${usager!.id})`
  const mandat = { id: randomUUID(), structureId, usagerId: usager!.id }
  const jwksId = await archiveJwks(db, '{"keys":[]}')
  await db.tx({ kind: 'aidant', aidantId, structureId }, async (tx) => {
    const signedAt = aLaSeconde(tx.now)
    const end = expiresAt(signedAt, 'mois', 'Europe/Paris')
    const contenu = {
      duree: 'mois',
      perimetre: ['logement'],
      signed_at: signedAt.toISOString(),
      expires_at: end.toISOString(),
      sceau_sha256: empreinteDuSceau(''),
      conditions_sha256: empreinteDuSceau('{}'),
      id_token_sha256: empreinteDuSceau(''),
      jwks_id: jwksId,
    }
    const line = await append(tx, { action: 'mandat_signe', mandat, contenu })
    await tx.sql`
      insert into mandat (id, structure_id, usager_id, aidant_id, duree, signed_at, expires_at, statut_bloc, journal_id)
      values (${mandat.id}, ${structureId}, ${mandat.usagerId}, ${aidantId}, 'mois', ${signedAt}, ${end}, bloc_libre(), ${line.id})`
    await tx.sql`
      insert into autorisation (mandat_id, structure_id, usager_id, thematique, signed_at, expires_at, journal_id)
      values (${mandat.id}, ${structureId}, ${mandat.usagerId}, 'logement', ${signedAt}, ${end}, ${line.id})`
    await tx.sql`
      insert into mandat_contenu (mandat_id, structure_id, usager_id, sceau, conditions, id_token, jwks_id, texte, identite, structure, aidant, accord)
      values (${mandat.id}, ${structureId}, ${mandat.usagerId}, '', '{}', '', ${jwksId}, '', '{}', '{}', '{}', '{}')`
  })
  return mandat.id
}

/** Below the ports that outgoing connections take. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(15_000, 32_000)
    const probe = createServer()
    const free = await new Promise<boolean>((resolve) => {
      probe.once('error', () => resolve(false))
      probe.listen(port, 'localhost', () => resolve(true))
    })
    if (!free) continue
    await new Promise((resolve) => probe.close(resolve))
    return port
  }
}
