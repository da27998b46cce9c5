import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createApp } from '../../src/app.ts'
import { type MandatClaims, openSeal, parseSealKeys } from '../../src/mandat/sceau.ts'
import { signMandat } from '../../src/mandat/sign.ts'
import { slotDe, statusAt } from '../../src/mandat/statut.ts'
import { openAttestation, signAttestation } from '../../src/verification/attestation.ts'
import { publishKeys } from '../../src/verification/publish-key.ts'
import { addNext, listCles, retire, rotate } from '../../src/verification/trousseau.ts'
import { newWorld, ok, PUBLIC_URL, type World } from '../support/world.ts'

const ROOT = path.resolve(import.meta.dirname, '../..')
let folder: string
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'cles-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

/** As an operator types it. */
const keys = (file: string | undefined, ...args: string[]) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['src/install.mjs', 'src/keys-command.ts', ...args], {
    cwd: ROOT,
    encoding: 'utf8',
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...(file !== undefined && { SEAL_KEYS: file }) } as NodeJS.ProcessEnv,
  })
  return { status, stdout, stderr }
}
const privateOf = (text: string) => (JSON.parse(text) as { keys: { d?: string }[] }).keys.flatMap(({ d }) => d ?? [])

describe('npm run keys', () => {
  it('crée, ajoute, tourne, retire ; ne montre jamais une partie privée', () => {
    const file = path.join(folder, 'cles.json')
    const said: string[] = []
    const run = (...args: string[]) => {
      const { status, stdout, stderr } = keys(file, ...args)
      said.push(stdout, stderr)
      return status
    }
    expect(run('list')).toBe(2)
    expect(run('new')).toBe(0)
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(run('rotate')).toBe(1)
    expect(run('new')).toBe(0)
    // Nothing was thrown away yet: her copies of the file are to be kept.
    expect(said.join('')).not.toContain('détruisez')
    expect(run('new')).toBe(1)
    const before = readFileSync(file, 'utf8')
    expect(listCles(before).map(({ role }) => role)).toEqual(['courante', 'suivante'])
    expect(run('rotate')).toBe(0)
    expect(said.at(-2)).toContain('détruisez-les')
    expect(said.at(-2)).toContain('qui a gardé la liste des clés d’avant ne reconnaît pas encore les nouveaux sceaux')
    const after = readFileSync(file, 'utf8')
    expect(listCles(after)).toEqual([
      { kid: listCles(before)[1]!.kid, role: 'courante' },
      { kid: listCles(before)[0]!.kid, role: 'retiree' },
    ])
    expect(after).not.toContain(privateOf(before)[0])
    expect(run('retire', listCles(after)[0]!.kid)).toBe(1)
    expect(run('retire', 'inconnue')).toBe(1)
    // One key in sixty-four has such a name.
    expect(run('retire', `-${'x'.repeat(42)}`)).toBe(1)
    expect(run('compromise', `-${'x'.repeat(42)}`, '--sure', '2026-03-01T09:30:00Z')).toBe(2)
    expect(said.at(-1)).toContain('DATABASE_OPERATOR_URL manque')
    expect(run('list')).toBe(0)
    expect(said.at(-2)).toContain(listCles(after)[0]!.kid)
    for (const secret of [...privateOf(before), ...privateOf(after)]) expect(said.join('')).not.toContain(secret)
  })

  it('tourner un jour après new ne fait rien craindre', () => {
    const file = path.join(folder, 'mures.json')
    writeFileSync(file, ok(addNext(ok(addNext(undefined)).text)).text)
    const yesterday = Date.now() / 1000 - 25 * 3600
    utimesSync(file, yesterday, yesterday)
    const { status, stdout } = keys(file, 'rotate')
    expect([status, stdout.includes('Attention')]).toEqual([0, false])
  })

  it('dit ce qui manque, et refuse des clés écrites dans la variable', () => {
    expect(keys(undefined, 'list')).toMatchObject({ status: 2, stderr: expect.stringContaining('SEAL_KEYS manque') })
    expect(keys('{"keys":[]}', 'new')).toMatchObject({ status: 2, stderr: expect.stringContaining('dans un fichier') })
    expect(keys(undefined)).toMatchObject({ status: 0, stdout: expect.stringContaining('npm run keys') })
    const broken = path.join(folder, 'abimees.json')
    writeFileSync(broken, '{"keys":[{"d":"secret')
    const { status, stderr } = keys(broken, 'new')
    expect(status).toBe(2)
    expect(stderr).not.toContain('secret')
    expect(readFileSync(broken, 'utf8')).toBe('{"keys":[{"d":"secret')
  })

  it('une clé suivante vue par quelqu’un se retire sans avoir servi', () => {
    const text = ok(addNext(ok(addNext(undefined)).text)).text
    const { kid } = listCles(text)[1]!
    const after = ok(retire(text, kid)).text
    expect(listCles(after).map(({ role }) => role)).toEqual(['courante', 'retiree'])
    expect(rotate(after)).toEqual({ ok: false, refusal: 'pas_de_suivante' })
    expect(retire(after, kid)).toEqual({ ok: false, refusal: 'deja_retiree' })
  })
})

describe('dix rotations', () => {
  let world: World
  beforeAll(async () => {
    world = await newWorld()
  })
  afterAll(() => world.close())

  it('chaque ancien mandat, QR et liste se vérifie encore ; les clés privées retirées ne sont plus nulle part', async () => {
    type Made = { sceau: string; attestation: string; liste: string; at: Date }
    const made: Made[] = []
    const gone: string[] = []
    let text = ok(addNext(undefined)).text
    let app = world.app
    for (let turn = 0; turn <= 10; turn++) {
      if (turn > 0) {
        text = ok(addNext(text)).text
        await publishKeys(world.db, parseSealKeys(text))
        gone.push(privateOf(text)[0]!)
        text = ok(rotate(text)).text
      }
      const seal = parseSealKeys(text)
      await publishKeys(world.db, seal)
      app = createApp({
        db: world.db,
        config: { ...world.config, sealKeys: text },
        oidc: { franceconnect: world.provider },
        log: () => {},
      })
      const brouillonId = await world.draft({ persona: turn % 2 ? 'josiane' : 'odette' })
      const { id } = ok(
        await signMandat(
          world.db,
          world.as('thomas'),
          { brouillonId, code: await world.freshCode('thomas') },
          { ...world.signer, seal },
        ),
      )
      const [row] = await world.sql<{ sceau: string }[]>`select sceau from mandat_contenu where mandat_id = ${id}`
      const claims = JSON.parse(Buffer.from(row!.sceau.split('.')[1]!, 'base64url').toString()) as MandatClaims
      made.push({
        sceau: row!.sceau,
        attestation: await signAttestation(claims, 'Europe/Paris', seal.current),
        liste: await (await app.request('/statuts/0')).text(),
        at: await world.now(),
      })
    }

    const jwks = (await (await app.request('/.well-known/jwks.json')).json()) as { keys: { kid: string }[] }
    const kids = new Set<string>()
    for (const { sceau, attestation, liste, at } of made) {
      const opened = ok(await openSeal(sceau, jwks as never, { issuer: PUBLIC_URL }))
      expect(await openAttestation(attestation, jwks as never)).toMatchObject({
        ok: true,
        attestation: { siret: opened.claims.mandataire.siret },
      })
      const { uri, idx } = opened.claims.status.status_list
      expect((await statusAt(liste, slotDe(idx, 'logement'), jwks as never, { sub: uri, now: at })).ok).toBe(true)
      kids.add((JSON.parse(Buffer.from(sceau.split('.')[0]!, 'base64url').toString()) as { kid: string }).kid)
    }
    expect(kids.size).toBe(11)

    expect(gone).toHaveLength(10)
    for (const secret of gone) {
      expect(text).not.toContain(secret)
      expect(await world.tablesHolding(secret)).toEqual([])
    }
    expect(privateOf(text)).toHaveLength(1)
    expect(await world.tablesHolding(privateOf(text)[0]!)).toEqual([])
    const lines = (await world.lines()).filter(({ action }) => action === 'cle_publiee')
    const journaled = lines.map(({ payload }) => (JSON.parse(payload!) as { kid: string }).kid)
    for (const kid of kids) expect(journaled).toContain(kid)
  })
})
