import { spawn } from 'node:child_process'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { createApp } from '../../src/app.ts'
import { serve } from '../../src/http/server.ts'
import { NO_WITNESS } from '../../src/journal/policy.ts'
import { codeVerification } from '../../src/mandat/code.ts'
import { type MandatClaims, parseSealKeys, sealMandat } from '../../src/mandat/sceau.ts'
import { signMandat } from '../../src/mandat/sign.ts'
import { printPapier } from '../../src/papier/print.ts'
import { attestationUrl } from '../../src/verification/attestation.ts'
import type { Preuve } from '../../src/verification/preuve.ts'
import { publishKeys } from '../../src/verification/publish-key.ts'
import { addNext, listCles, rotate } from '../../src/verification/trousseau.ts'
import { type OpenTree, openTree } from '../support/arbre.ts'
import { scratch } from '../support/database.ts'
import { newWorld, ok, type World } from '../support/world.ts'

// Many commands, each a process of its own.
vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 })

/*
 * The key that seals is stolen: a copy of its private half is in somebody's hands, who dates as she likes. Told from end to end, with the commands as
 * the operator and a third party type them.
 */
const ROOT = path.resolve(import.meta.dirname, '../..')
let world: World
let tree: OpenTree
let folder: string
let url: string
let close: () => Promise<unknown>
let keysFile: string
let stolen: ReturnType<typeof parseSealKeys>
let kid: string
/** Her file as she downloaded it before anybody knew; the same after; that of a mandat sealed when the key was already in other hands. */
let before: Preuve
let now: Preuve
let late: Preuve
let qr: string
let mandatId: string
let lateId: string

const run = async (command: string, args: string[], env: Record<string, string> = {}) => {
  const child = spawn(process.execPath, ['src/install.mjs', `src/${command}-command.ts`, ...args], {
    cwd: ROOT,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env } as NodeJS.ProcessEnv,
  })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (said += text))
  const code = await new Promise<number>((resolve) => child.once('close', resolve))
  return { code, said: said.replace(/[\u00a0\u202f]/g, ' ') }
}
const keys = (...args: string[]) => run('keys', args, { SEAL_KEYS: keysFile, DATABASE_OPERATOR_URL: world.database.operatorUrl })
const verify = (preuve: Preuve | string, ...args: string[]) => {
  const file = path.join(folder, 'piece')
  writeFileSync(file, typeof preuve === 'string' ? preuve : JSON.stringify(preuve))
  if (typeof preuve === 'string') return run('verify-mandat', [file, '--emetteur', url, ...args])
  // FranceConnect's keys are not what is in question here.
  const fcJwks = path.join(folder, 'fc-jwks')
  writeFileSync(fcJwks, JSON.stringify(preuve.jwks))
  return run('verify-mandat', [file, '--emetteur', url, '--fc-jwks', fcJwks, ...args])
}
const claimsOf = (sceau: string) => JSON.parse(Buffer.from(sceau.split('.')[1]!, 'base64url').toString()) as MandatClaims
/** What a third party kept, to check without the network. */
const offline = async () => {
  const keep = async (name: string, from: string) => {
    const file = path.join(folder, name)
    writeFileSync(file, await (await fetch(`${url}${from}`)).text())
    return file
  }
  return [
    '--hors-ligne',
    '--jwks',
    await keep('jwks.json', '/.well-known/jwks.json'),
    '--statuts',
    await keep('liste.jwt', '/statuts/0'),
  ]
}

let answer: (request: Request, env: object) => Response | Promise<Response>
/** The service with the keys of the file, as when it starts. */
async function startService() {
  const sealKeys = readFileSync(keysFile, 'utf8')
  await publishKeys(world.db, parseSealKeys(sealKeys))
  const config = { ...world.config, publicUrl: url, sealKeys, journal: { signer: tree.signer, policy: NO_WITNESS } }
  const app = createApp({ db: world.db, config, oidc: { franceconnect: world.provider }, log: () => {} })
  answer = (request, env) => app.fetch(request, env)
}
const sign = async (persona: string) => {
  const brouillonId = await world.draft({ persona })
  const request = { brouillonId, code: await world.freshCode('thomas') }
  const seal = parseSealKeys(readFileSync(keysFile, 'utf8'))
  return ok(await signMandat(world.db, world.as('thomas'), request, { ...world.signer, publicUrl: url, seal })).id
}
const preuveOf = async (persona: string, id: string) => {
  const cookie = await world.sessionOf(persona)
  return (await (await fetch(`${url}/mon-espace/mandats/${id}/preuve.json`, { headers: { cookie } })).json()) as Preuve
}

beforeAll(async () => {
  world = await newWorld()
  folder = scratch('compromission')
  tree = openTree(world.database)
  answer = () => new Response(null, { status: 503 })
  const listening = await serve({ fetch: (request, env) => answer(request, env) }, { port: 0, host: 'localhost' })
  close = () => listening.close()
  url = `http://localhost:${listening.port}`
  keysFile = path.join(folder, 'cles.json')
  writeFileSync(keysFile, ok(addNext(undefined)).text)
  stolen = parseSealKeys(readFileSync(keysFile, 'utf8'))
  kid = stolen.current.kid
  await startService()
  mandatId = await sign('odette')
  const { ligne: _, ...early } = await preuveOf('odette', mandatId)
  before = early
  await tree.settle()
  now = await preuveOf('odette', mandatId)
  qr = await attestationUrl(claimsOf(now.sceau), { fuseau: 'Europe/Paris', publicUrl: url, key: stolen.current })
  await world.database.travel({ ms: 60_000 })
  lateId = await sign('josiane')
  await tree.settle()
  late = await preuveOf('josiane', lateId)
  expect((await verify(now)).code).toBe(0)
})
afterAll(async () => {
  await close()
  await tree.close()
  await world.close()
  rmSync(folder, { recursive: true })
})

describe('la clé de sceau est volée', () => {
  it('la clé qui scelle encore, une clé inconnue, une heure illisible : refusées', async () => {
    expect(await keys('compromise', kid)).toMatchObject({ code: 1, said: expect.stringContaining('Cette clé scelle') })
    expect(await keys('compromise', 'inconnue')).toMatchObject({ code: 1, said: expect.stringContaining('jamais publié') })
    expect(await keys('compromise', kid, '--sure', 'hier')).toMatchObject({
      code: 2,
      said: expect.stringContaining('une heure avec son fuseau'),
    })
  })

  it('tournée puis déclarée : la ligne est au journal, la clé n’est plus parmi celles qui suffisent', async () => {
    expect((await keys('new')).code).toBe(0)
    expect((await keys('rotate')).code).toBe(0)
    await startService()
    // The theft was found later: the key was safe until just after Odette's mandat, not until Josiane's.
    const [{ at } = { at: new Date() }] = await world.sql<
      { at: Date }[]
    >`select signed_at + interval '30 seconds' as at from mandat where id = ${mandatId}`
    const tomorrow = new Date((await world.now()).getTime() + 24 * 3600_000).toISOString()
    expect(await keys('compromise', kid, '--sure', tomorrow)).toMatchObject({
      code: 1,
      said: expect.stringContaining('pas encore venue'),
    })
    const declared = await keys('compromise', kid, '--sure', at.toISOString())
    expect(declared).toMatchObject({ code: 0, said: expect.stringContaining('Un mandat n’y est pas') })
    const line = (await world.lines()).find(({ action }) => action === 'cle_compromise')!
    expect(JSON.parse(line.payload!)).toMatchObject({ kid })
    const jwks = (await (await fetch(`${url}/.well-known/jwks.json`)).json()) as {
      keys: { kid: string }[]
      compromises: object[]
    }
    expect(jwks.keys.map((key) => key.kid)).not.toContain(kid)
    expect(jwks.compromises).toEqual([expect.objectContaining({ kid, journal: tree.signer.vkey.text })])
  })

  it('on ne revient pas en avant, et le service ne scelle plus avec elle', async () => {
    expect(await keys('compromise', kid)).toMatchObject({ code: 1, said: expect.stringContaining('on ne revient pas en avant') })
    const old = await world.sql`select 1 from cle where kid = ${kid} and coupure is not null`
    expect(old).toHaveLength(1)
    await expect(publishKeys(world.db, stolen)).rejects.toThrow('déclarée volée')
    const raised = world.sql`update cle set coupure = coupure + 1 where kid = ${kid}`
    await expect(raised).rejects.toMatchObject({ constraint_name: 'coupure_recule' })
    const lowered = world.sql`update cle set coupure = 0 where kid = ${kid}`
    await expect(lowered).rejects.toMatchObject({ constraint_name: 'ligne_du_fait' })
    await tree.settle()
  })

  it('le mandat d’avant se vérifie encore : par sa ligne, jointe ou demandée, et sans réseau', async () => {
    for (const preuve of [now, before]) {
      const { code, said } = await verify(preuve)
      expect(said).toContain('prouve qu’il est d’avant')
      expect([code, said]).toEqual([0, expect.stringContaining('authentique, et en cours')])
    }
    expect((await verify(now, ...(await offline()))).code).toBe(0)
    expect((await verify(await preuveOf('odette', mandatId))).code).toBe(0)
  })

  it('sans la ligne et sans réseau, on ne décide pas : jamais « authentique »', async () => {
    for (const piece of [before, before.sceau, qr]) {
      const { code, said } = await verify(piece, ...(await offline()))
      expect([code, said]).toEqual([4, expect.stringContaining('on ne peut pas décider')])
      expect(said).toContain('impossible de décider')
      expect(said).not.toMatch(/authentique, /)
    }
  })

  it('celui d’après le vol ne compte pas, bien que le service l’ait écrit', async () => {
    for (const args of [[], await offline()])
      expect(await verify(late, ...args)).toMatchObject({
        code: 1,
        said: expect.stringContaining('sa ligne de journal vient après le vol'),
      })
  })

  it('celui qu’on fabrique avec elle, antidaté, est refusé, quelle que soit la ligne qu’on y joint', async () => {
    const claims = claimsOf(now.sceau)
    const day = 86_400
    const wider: MandatClaims = { ...claims, iat: claims.iat - day, nbf: claims.nbf - day, perimetre: ['logement', 'argent'] }
    const forged = await sealMandat(wider, stolen.current)
    const other = await sealMandat({ ...wider, jti: '00000000-0000-4000-8000-000000000000' }, stolen.current)
    const withFacts = { ...now.ligne!, faits: now.ligne!.faits.replace(/"sceau_sha256":"[^"]*"/, '"sceau_sha256":"x"') }
    const moved = { ...now.ligne!, preuve: now.ligne!.preuve.replace(/^index \d+/m, 'index 0') }
    const bare = before
    const cases: [string, Preuve, string, string[]][] = [
      ['sans ligne', { ...bare, sceau: forged }, 'aucune ligne de journal pour ce sceau', []],
      ['sous un autre numéro', { ...bare, sceau: other }, 'aucune ligne de journal pour ce sceau', []],
      ['avec la ligne du vrai', { ...now, sceau: forged }, 'aucune ligne de journal pour ce sceau', []],
      ['… hors ligne', { ...now, sceau: forged }, 'n’est pas celle de ce sceau', await offline()],
      ['… et d’autres faits', { ...now, sceau: forged, ligne: withFacts }, 'ne sont pas ceux de sa ligne', await offline()],
      [
        '… ailleurs dans l’arbre',
        { ...late, ligne: { ...late.ligne!, preuve: moved.preuve } },
        'sa ligne n’est pas dans le journal',
        await offline(),
      ],
    ]
    for (const [name, preuve, sentence, args] of cases)
      expect([name, await verify(preuve, ...args)]).toEqual([name, { code: 1, said: expect.stringContaining(sentence) }])
    // A list signed with it is not believed either.
    expect((await verify(forged, ...(await offline()))).code).toBe(4)
  })

  it('le code imprimé : celui d’avant est en cours, celui d’après ne compte pas, et ne s’imprime plus', async () => {
    const check = async (id: string, annee: string) => {
      const fields = new URLSearchParams({ code: codeVerification(world.config.secretsKey, id), annee })
      const headers = { 'content-type': 'application/x-www-form-urlencoded', origin: url, 'sec-fetch-site': 'same-origin' }
      return (await fetch(`${url}/verifier`, { method: 'POST', headers, body: fields })).text()
    }
    const yearOf = (preuve: Preuve) => claimsOf(preuve.sceau).mandant.birthdate.slice(0, 4)
    expect(await check(mandatId, yearOf(now))).toContain('le mandat est en cours')
    const refused = await check(lateId, yearOf(late))
    expect(refused).toContain('Ce mandat ne compte pas')
    expect(refused).not.toContain('En cours')
    const print = (id: string, papier = 'mandat') =>
      printPapier(world.db, world.as('thomas'), { mandatId: id, papier } as never, { ...world.signer, publicUrl: url })
    expect(await print(mandatId)).toMatchObject({ ok: true })
    expect(await print(lateId)).toEqual({ ok: false, refusal: 'sceau_coupe' })
    expect(await print(lateId, 'releve')).toMatchObject({ ok: true })
  })

  it('seul l’exploitant le déclare, et sous sa ligne', async () => {
    const next = listCles(readFileSync(keysFile, 'utf8'))[0]!.kid
    const byApp = world.db.tx(
      { kind: 'worker' },
      (tx) => tx.sql`update cle set coupure = 0, coupure_journal_id = 1 where kid = ${next}`,
    )
    await expect(byApp).rejects.toMatchObject({ code: '42501' })
    expect(rotate(readFileSync(keysFile, 'utf8'))).toEqual({ ok: false, refusal: 'pas_de_suivante' })
  })
})
