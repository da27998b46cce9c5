import { spawn } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { calculateJwkThumbprint, decodeProtectedHeader, type JWK } from 'jose'
import { PNG } from 'pngjs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createApp } from '../../src/app.ts'
import { openKeys } from '../../src/demo/franceconnect/keys.ts'
import { serve } from '../../src/http/server.ts'
import { type MandatClaims, parseSealKeys, sealMandat } from '../../src/mandat/sceau.ts'
import { signMandat } from '../../src/mandat/sign.ts'
import { stopMandat } from '../../src/mandat/stop.ts'
import { attestationUrl } from '../../src/verification/attestation.ts'
import { readPng } from '../../src/verification/png.ts'
import type { Preuve } from '../../src/verification/preuve.ts'
import { qrOf } from '../../src/verification/qr.ts'
import { stranger } from '../support/forgeries.ts'
import { newWorld, ok, type World } from '../support/world.ts'

/** The command as someone types it, who has a piece in hand and neither our database nor our keys. */
const ROOT = path.resolve(import.meta.dirname, '../..')
let world: World
let folder: string
let url: string
let close: () => Promise<unknown>
let mandatId: string
let preuve: Preuve
let qr: string

beforeAll(async () => {
  world = await newWorld()
  folder = mkdtempSync(path.join(tmpdir(), 'verify-'))
  let answer: (request: Request, env: object) => Response | Promise<Response> = () => new Response(null, { status: 503 })
  const listening = await serve({ fetch: (request, env) => answer(request, env) }, { port: 0, host: 'localhost' })
  close = () => listening.close()
  url = `http://localhost:${listening.port}`
  const config = { ...world.config, publicUrl: url }
  const app = createApp({ db: world.db, config, oidc: { franceconnect: world.provider }, log: () => {} })
  answer = (request, env) => app.fetch(request, env)
  const brouillonId = await world.draft({ perimetre: ['logement', 'social'] })
  const signer = { ...world.signer, publicUrl: url }
  mandatId = ok(await signMandat(world.db, world.as('thomas'), { brouillonId, code: await world.freshCode('thomas') }, signer)).id
  const file = await fetch(`${url}/mon-espace/mandats/${mandatId}/preuve.json`, {
    headers: { cookie: await world.sessionOf('odette') },
  })
  expect([file.status, file.headers.get('content-disposition'), file.headers.get('cache-control')]).toEqual([
    200,
    'attachment; filename="preuve.json"',
    'no-store',
  ])
  preuve = (await file.json()) as Preuve
  qr = await attestationUrl(claimsOf(preuve.sceau), { fuseau: 'Europe/Paris', publicUrl: url, key: world.signer.seal.current })
})
afterAll(async () => {
  await close()
  await world.close()
  rmSync(folder, { recursive: true })
})

const claimsOf = (sceau: string) => JSON.parse(Buffer.from(sceau.split('.')[1]!, 'base64url').toString()) as MandatClaims
/** Of the key that signed her identity. */
const fcKey = () =>
  calculateJwkThumbprint(preuve.jwks.keys.find(({ kid }) => kid === decodeProtectedHeader(preuve.id_token).kid) as JWK)
const save = (name: string, content: string | Buffer) => {
  const file = path.join(folder, name)
  writeFileSync(file, content)
  return file
}
const saved = (name: string, over: Partial<Preuve> = {}) => save(name, JSON.stringify({ ...preuve, ...over }))
/** Beside this process, which serves what it asks for. */
const verify = async (...args: string[]) => {
  const child = spawn(process.execPath, ['src/install.mjs', 'src/verify-mandat-command.ts', ...args], {
    cwd: ROOT,
    env: { PATH: process.env.PATH, HOME: process.env.HOME } as NodeJS.ProcessEnv,
  })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (said += text))
  const code = await new Promise<number>((resolve) => child.once('close', resolve))
  return { code, said: said.replace(/[\u00a0\u202f]/g, ' ') }
}

describe('npm run verify-mandat', () => {
  it('preuve.json : le sceau, les dates, le statut, l’accord, et ce que chacun prouve', async () => {
    const { code, said } = await verify(saved('preuve.json'), '--emetteur', url)
    for (const line of [
      `Émetteur   ${url}\n`,
      'Sceau      vérifié',
      'Odette Marie LACOMBE',
      'CCAS de Figeac',
      'Dates      le jour de la fin n’est pas passé',
      'Conclusion : scellé par ce service, et en cours ; mais la clé de FranceConnect n’est garantie que par la pièce',
      'Logement : en cours',
      'Social - Santé : en cours',
      'Accord     se tient',
      `celle de la pièce, d’empreinte ${await fcKey()}`,
    ])
      expect(said).toContain(line)
    expect(said).not.toMatch(/FAUX|non vérifié/)
    // Nothing vouches for the key but the piece itself.
    expect(code).toBe(5)
  })

  it('les clés de FranceConnect données, ou leur empreinte : l’accord est vérifié ; d’autres le disent faux', async () => {
    const file = saved('preuve.json')
    const mine = save('fc.json', JSON.stringify(preuve.jwks))
    const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' })
    const others = save('fc-autres.json', JSON.stringify({ keys: [{ ...pair, kid: preuve.jwks.keys[0]!.kid }] }))
    for (const [args, exit, line] of [
      [['--fc-jwks', mine], 0, 'Accord     vérifié'],
      [['--fc-empreinte', await fcKey()], 0, 'Accord     vérifié'],
      [['--fc-jwks', others], 1, 'Accord     FAUX'],
      [['--fc-empreinte', `-${'x'.repeat(42)}`], 1, 'Accord     FAUX : la clé'],
    ] as const) {
      const { code, said } = await verify(file, '--emetteur', url, ...args)
      expect(said).toContain(line)
      expect(code).toBe(exit)
    }
    expect((await verify(file, '--emetteur', url, '--fc-jwks', save('vide-fc.json', '[]'))).code).toBe(2)
  })

  it('une fausse pièce qui nomme un autre service n’y fait rien demander, et n’est jamais dite authentique sans --emetteur', async () => {
    let asked = 0
    const own = await openKeys()
    const forger = createServer((_, response) => {
      asked++
      response.end(JSON.stringify({ keys: own.jwks().map(({ d: _, ...key }) => key) }))
    })
    await new Promise<void>((resolve) => forger.listen(0, '127.0.0.1', resolve))
    const iss = `http://127.0.0.1:${(forger.address() as { port: number }).port}`
    const { current } = parseSealKeys(JSON.stringify({ keys: own.jwks() }))
    const claims = claimsOf(preuve.sceau)
    const forged = await sealMandat({ ...claims, iss, status: { status_list: { idx: 0, uri: `${iss}/statuts/0` } } }, current)
    const { code, said } = await verify(forged)
    forger.close()
    expect([code, asked]).toEqual([2, 0])
    expect(said).toContain('--emetteur')
    // With keys that came from who knows where, the best that is said is that something is not checked.
    const jwks = save('jwks-a.json', await (await fetch(`${url}/.well-known/jwks.json`)).text())
    const liste = save('liste-a.jwt', await (await fetch(`${url}/statuts/0`)).text())
    expect((await verify(saved('preuve.json'), '--jwks', jwks, '--statuts', liste)).code).toBe(4)
    expect((await verify(saved('preuve.json'), '--jwks', jwks, '--statuts', liste, '--emetteur', url)).code).toBe(5)
  })

  it('des noms faits pour récrire l’écran n’y récrivent rien', async () => {
    const claims = claimsOf(preuve.sceau)
    const sceau = await sealMandat(
      { ...claims, mandataire: { ...claims.mandataire, nom: 'X\u001b[4A\r\u001b[2KÉmetteur\u202e' } },
      stranger.current,
    )
    const { said } = await verify(save('ecran.jws', sceau), '--jwks', save('ecran.json', JSON.stringify(stranger.jwks)))
    expect(said).toContain('X?[4A??[2KÉmetteur?')
    expect(said).not.toMatch(/[^\P{C}\n]/u)
  })

  it('une photo JPEG est refusée en disant quoi faire', async () => {
    const { code, said } = await verify(save('photo.jpg', Buffer.from('ffd8ffe000104a464946', 'hex')))
    expect(code).toBe(2)
    expect(said).toContain('JPEG')
    expect(said).toContain('PNG')
  })

  it('le sceau seul : l’accord est dit non vérifié', async () => {
    const { code, said } = await verify(preuve.sceau, '--emetteur', url)
    expect(said).toContain('Accord     non vérifié')
    expect(code).toBe(4)
  })

  it('l’adresse d’un QR, ses chiffres, son image', async () => {
    for (const args of [
      [qr, '--emetteur', url],
      [qr.split('#')[1]!, '--emetteur', url],
      [save('qr.png', pngOf(qr)), '--emetteur', url],
    ]) {
      const { code, said } = await verify(...args)
      expect(said).toContain('Sceau      vérifié')
      expect(said).toContain('un QR n’a pas la place de le porter')
      expect(code).toBe(0)
    }
  })

  it('hors ligne, sans liste : authentique, statut non vérifié', async () => {
    const jwks = save('jwks.json', await (await fetch(`${url}/.well-known/jwks.json`)).text())
    const { code, said } = await verify(saved('preuve.json'), '--emetteur', url, '--jwks', jwks, '--hors-ligne')
    expect(said).toContain('Logement : non vérifié : la liste de statuts est introuvable.')
    expect(said).toContain('Accord     se tient')
    expect(code).toBe(4)
    const liste = save('liste.jwt', await (await fetch(`${url}/statuts/0`)).text())
    const offline = ['--emetteur', url, '--jwks', jwks, '--statuts', liste, '--hors-ligne']
    expect((await verify(saved('preuve.json'), ...offline)).code).toBe(5)
    expect((await verify(saved('preuve.json'), ...offline, '--fc-empreinte', await fcKey())).code).toBe(0)
  })

  it('les clés introuvables, la pièce illisible, la commande mal tapée', async () => {
    expect(await verify(saved('preuve.json'), '--hors-ligne')).toMatchObject({
      code: 2,
      said: expect.stringContaining('introuvables'),
    })
    expect(await verify(qr.split('#')[1]!, '--hors-ligne')).toMatchObject({
      code: 2,
      said: expect.stringContaining('--emetteur'),
    })
    const wrong = [
      [],
      ['bonjour'],
      [save('vide.json', '{}')],
      [save('gris.png', PNG.sync.write(new PNG({ width: 40, height: 40 })))],
      ['a', 'b'],
      ['--quoi'],
    ]
    const codes = await Promise.all(wrong.map(async (args) => (await verify(...args)).code))
    expect(codes).toEqual(wrong.map(() => 2))
  })

  it('un faux est dit faux, et par quoi', async () => {
    const [head, body, signature] = preuve.sceau.split('.') as [string, string, string]
    const wider = Buffer.from(body, 'base64url').toString().replace('["social","logement"]', '["social","logement","argent"]')
    expect(wider).toContain('argent')
    const forged = `${head}.${Buffer.from(wider).toString('base64url')}.${signature}`
    const elsewhere = await sealMandat({ ...claimsOf(preuve.sceau), iss: 'https://autre.test' }, world.signer.seal.current)
    for (const [args, why] of [
      [[saved('faux-1.json', { sceau: forged })], 'la signature ne correspond pas au contenu'],
      [[saved('faux-2.json', { texte: `${preuve.texte}.` })], 'à la lettre'],
      [[saved('faux-3.json', { conditions: preuve.conditions.replace('"mois"', '"an"') })], 'n’a pas signé l’empreinte'],
      [[saved('faux-4.json', { client_id: 'autre' })], 'a répondu à un autre service'],
      [[elsewhere], 'n’est pas celui attendu'],
      [
        [qr.replace(/(..)(.{20})$/, (_, pair: string, rest: string) => (pair === '20' ? '21' : '20') + rest)],
        'la signature ne correspond pas',
      ],
    ] as const) {
      const { code, said } = await verify(args[0]!, '--emetteur', url)
      expect(said).toContain('FAUX')
      expect(said).toContain(why)
      expect(code).toBe(1)
    }
  })

  it('un mandat arrêté est authentique, et fini', async () => {
    ok(await stopMandat(world.db, await world.asUsager('odette'), { mandatId }))
    await new Promise((resolve) => setTimeout(resolve, 5_100))
    const { code, said } = await verify(saved('preuve.json'), '--emetteur', url)
    expect(said).toContain('Sceau      vérifié')
    expect(said).toContain('Logement : arrêtée')
    expect(said).toContain('Conclusion : authentique, mais arrêté')
    expect(code).toBe(3)
  })
})

describe('preuve.json', () => {
  const ask = async (who: string | undefined, address: string) =>
    (await fetch(url + address, { redirect: 'manual', headers: who ? { cookie: await world.sessionOf(who) } : {} })).status

  it('n’est donnée qu’à qui peut lire les mots de l’accord', async () => {
    await world.signMandat({ persona: 'josiane' })
    const other = await world.signMandat({ aidant: 'fabrice', persona: 'marcel' })
    const [hers, theirs] = [`/mon-espace/mandats/${mandatId}/preuve.json`, `/mandats/${other.id}/preuve.json`]
    expect(await ask('odette', hers)).toBe(200)
    expect(await ask('josiane', hers)).toBe(404)
    expect(await ask(undefined, hers)).toBe(303)
    const asked = async (aidant: string) => (await world.post(theirs, {}, await world.sessionOf(aidant))).status
    expect(await asked('fabrice')).toBe(200)
    expect(await asked('thomas')).toBe(404)
    expect(await asked('nadia')).toBe(404)
    const lines = (await world.lines(other.id)).filter(({ action }) => action === 'attestation_imprimee')
    expect(lines.map(({ payload }) => payload)).toEqual(['{"papier":"preuve"}'])
  })
})

describe('une image PNG', () => {
  const pixels = (png: PNG) => readPng(PNG.sync.write(png, { colorType: 6 }))
  it.each([0, 1, 2, 3, 4])('se lit avec le filtre %i', (filterType) => {
    const png = new PNG({ width: 7, height: 5 })
    for (let at = 0; at < png.data.length; at++) png.data[at] = (at * 37) % 256
    expect(Buffer.from(readPng(PNG.sync.write(png, { filterType }))!.data)).toEqual(png.data)
  })
  it.each([0, 2, 4, 6] as const)('se lit dans la sorte de couleurs %i', (colorType) => {
    const png = new PNG({ width: 3, height: 3 })
    png.data.fill(255)
    png.data.fill(0, 4, 7)
    const read = readPng(PNG.sync.write(png, { colorType, inputHasAlpha: true }))!
    expect([...read.data]).toEqual([...png.data])
  })
  it('abîmée, n’est pas une image', () => {
    const bytes = PNG.sync.write(new PNG({ width: 3, height: 3 }))
    expect(pixels(new PNG({ width: 3, height: 3 }))).toBeDefined()
    for (const length of [8, 20, 40, bytes.length - 30]) expect(readPng(bytes.subarray(0, length))).toBeUndefined()
  })
})

/** Three pixels a module, as a phone's screenshot might be. */
function pngOf(address: string): Buffer {
  const { modules } = qrOf(address)
  const side = (modules.length + 8) * 3
  const png = new PNG({ width: side, height: side })
  for (let y = 0; y < side; y++)
    for (let x = 0; x < side; x++) {
      const dark = modules[Math.floor(y / 3) - 4]?.[Math.floor(x / 3) - 4]
      png.data.set(dark ? [0, 0, 0, 255] : [255, 255, 255, 255], (y * side + x) * 4)
    }
  return PNG.sync.write(png)
}
