import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Db, openDb } from '../../src/db.ts'
import { recordDemarche } from '../../src/demarche/record.ts'
import { append } from '../../src/journal/append.ts'
import type { Checkpoint } from '../../src/journal/checkpoint.ts'
import { openSigner, type Vkey } from '../../src/journal/note.ts'
import { parsePolicy } from '../../src/journal/policy.ts'
import { parseProvenLines, verifyLine } from '../../src/journal/proof.ts'
import { proveLine } from '../../src/journal/prove.ts'
import { perduesDe } from '../../src/journal/restauration.ts'
import { restoreJournal } from '../../src/journal/restore.ts'
import { verifyDatabase } from '../../src/journal/verify-database.ts'
import { newWitness, ORIGIN, openTree, pemKey } from '../support/arbre.ts'
import { ROOT, start } from '../support/processes.ts'
import { newWorld, ok, PUBLIC_URL, type Told, uneDemarche, type World } from '../support/world.ts'

/*
 * What ends a restore, on a database whose transaction ids began again, as after an export and an import: those of its lines, and the horizon below
 * which all of them have their leaf, are far above the ids of today.
 */
let world: World
let told: Told
/** The service, which is stopped when a restore ends. */
let db: Db
let pem: string
let restored: ReturnType<typeof openTree>
let seen: Checkpoint
let first: number
const YESTERDAY = '2026-01-01T00:00:00.000Z'
const record = () => recordDemarche(db, world.as('thomas'), uneDemarche(told.id)).then(ok)
const counts = async () => {
  const [row] = await world.sql<{ lines: number; leaves: number; placed: number }[]>`
    select (select count(*)::int from journal) as lines, count(*)::int as leaves, count(distinct journal_id)::int as placed
    from journal_feuille`
  return row!
}
/** As a superuser who disarms what protects the journal. */
const disarmed = (text: string) =>
  world.sql.begin(async (tx) => {
    for (const table of ['journal', 'journal_contenu']) await tx.unsafe(`alter table ${table} disable trigger user`)
    await tx.unsafe(text)
    for (const table of ['journal', 'journal_contenu']) await tx.unsafe(`alter table ${table} enable trigger user`)
  })
const restore = async (vues: Record<string, number>, avant = ORIGIN) => {
  const admin = openDb({ url: world.database.adminUrl, connections: 1 })
  try {
    return await restoreJournal(admin, { avant, vues, sauvegarde: YESTERDAY, signerOf: (nom) => openSigner(pem, nom) })
  } finally {
    await admin.close()
  }
}

beforeAll(async () => {
  world = await newWorld()
  pem = pemKey()
  told = await world.signMandat({ persona: 'josiane' })
  db = world.db
  const before = openTree(world.database, openSigner(pem, ORIGIN))
  await before.settle()
  first = Number((await world.sql`select min(id) as id from journal`)[0]!.id)
  await record()
  await record()
  await disarmed(`
    update journal set xid = (xid::text::bigint + 1000000000)::text::xid8;
    update journal_bail set horizon = (horizon::text::bigint + 1000000000)::text::xid8`)
  // Its ids being those of another server, nothing of it would ever be placed any more.
  await record()
  expect((await before.sequencer.turn()).count).toBe(0)
  const { leaves } = await counts()
  seen = { origin: ORIGIN, size: leaves + 5, root: Buffer.alloc(32, 7) }

  expect(await restore({})).toEqual({ ok: false, refusal: 'service_en_marche' })
  await before.close()
  await db.close()
  const { nom } = ok(await restore({ [ORIGIN]: leaves + 5 }))
  db = openDb({ url: world.database.url })
  restored = openTree(world.database, openSigner(pem, nom))
})
afterAll(async () => {
  await db.close()
  await restored.close()
  await world.close()
})

describe('la fin d’une restauration', () => {
  it('donne à chaque ligne sa place, une seule fois, quels que soient les numéros de transaction', async () => {
    const { lines, leaves, placed } = await counts()
    expect([leaves, placed]).toEqual([lines, lines])
    await record()
    expect(await restored.settle()).toBe(1)
    expect((await restored.sequencer.turn()).count).toBe(0)
    const after = await counts()
    expect([after.leaves, after.placed]).toEqual([lines + 1, lines + 1])
    for (const as of ['admin', 'auditor'] as const) expect((await restored.verify([], as)).fault).toBeUndefined()
  })

  it('dit au moins combien de lignes les témoins avaient vues et qui manquent, pour toujours', async () => {
    const verified = await restored.verify([seen], 'auditor')
    expect(verified.fault).toBeUndefined()
    const [one] = verified.restaurations
    expect(one).toMatchObject({
      avant: ORIGIN,
      nom: restored.signer.vkey.name,
      sauvegarde: YESTERDAY,
      vues: { [ORIGIN]: seen.size },
    })
    // Three lines waited for their leaf in the backup: they may be among those seen.
    expect([one!.tenues, perduesDe(one!)]).toEqual([seen.size - 2, 2])
  })

  it('un témoin qui en avait vu plus que ce qui est dit le montre ; un autre passé aussi', async () => {
    expect((await restored.verify([{ ...seen, size: seen.size + 1 }])).fault).toMatchObject({ kind: 'temoin_plus_loin' })
    expect((await restored.verify([{ ...seen, size: 2 }])).fault).toMatchObject({ kind: 'temoin_autre_arbre' })
    const other = { ...seen, origin: 'autre.exemple/journal' }
    expect((await restored.verify([other])).fault).toEqual({ kind: 'temoin_illisible', ou: other.origin })
  })

  it('l’ancien nom suffit à qui ne connaît que lui ; une autre clé, non', async () => {
    const auditor = openDb({ url: world.database.auditorUrl, connections: 1 })
    const verify = (log: Vkey) => verifyDatabase(auditor, { log, reading: 'empreintes' })
    expect(await verify(openSigner(pem, ORIGIN).vkey)).toMatchObject({ fault: undefined, nom: restored.signer.vkey.name })
    expect((await verify(openSigner(pemKey(), ORIGIN).vkey)).fault).toMatchObject({ kind: 'point_non_signe' })
    expect((await verify(openSigner(pem, 'autre.exemple/journal').vkey)).fault).toMatchObject({ kind: 'point_non_signe' })
    await auditor.close()
  })

  it('une ligne d’avant se prouve sous le nouveau nom, même quand un témoin l’avait vue sous l’ancien', async () => {
    const witness = newWitness(restored.signer)
    const proveFirst = async () => {
      const policy = parsePolicy(`witness un ${witness.signer.vkey.text}\nquorum un`)
      const proven = ok(
        await restored.db.tx({ kind: 'sequencer' }, (tx) => proveLine(tx, first, { signer: restored.signer, policy }, 'non_lu')),
      )
      return verifyLine(parseProvenLines(proven.preuve)!.lignes[0]!, restored.signer.vkey, [witness.signer.vkey])
    }
    await world.sql.begin(async (tx) => {
      const [old] = await tx`select min(taille) as taille from journal_point`
      await tx`insert into journal_temoignage (taille, temoin, ligne, vu_at) values (${old!.taille}, ${witness.signer.vkey.text}, '—', now())`
    })
    expect(await proveFirst()).toMatchObject({ ok: true, seen: new Map() })
    expect(await restored.cosign(witness)).toBe('temoigne')
    expect(ok(await proveFirst()).seen.size).toBe(1)
    await world.sql.begin(async (tx) => {
      await tx`alter table journal_temoignage disable trigger user`
      await tx`delete from journal_temoignage where ligne = '—'`
      await tx`alter table journal_temoignage enable trigger user`
    })
  })

  it('ne se cache plus ensuite : ni ce qu’elle a dit, ni la ligne qui le dit', async () => {
    const [kept] = await world.sql<{ ligne: string; payload: string }[]>`select ligne, payload from journal_restaurations()`
    const rewritten = (payload: string) =>
      disarmed(`update journal_contenu set payload = '${payload.replaceAll("'", "''")}' where journal_id = ${kept!.ligne}`)
    for (const lie of [kept!.payload.replace(/:\d+\}/, ':0}'), '{}']) {
      await rewritten(lie)
      for (const as of ['admin', 'auditor'] as const)
        expect((await restored.verify([], as)).fault?.kind).toMatch(/^(?:contenu_change|restauration_fausse|point_non_signe)$/)
    }
    await rewritten(kept!.payload)
    expect((await restored.verify()).fault).toBeUndefined()
  })

  it('se refait : le nom change encore, et celui d’avant n’est plus accepté', async () => {
    await db.close()
    await restored.close()
    const avant = restored.signer.vkey.name
    expect(avant).toMatch(/^mandats\.exemple\/journal\/\d{8}T\d{6}Z$/)
    // Names are given by the second.
    await sleep(1_000)
    const { nom } = ok(await restore({}, avant))
    db = openDb({ url: world.database.url })
    const former = openTree(world.database, openSigner(pem, avant))
    await record()
    // Another test's transaction, anywhere on the server, may hold the line back for a while.
    const placing = async () => {
      for (let tries = 0; tries < 1000; tries++, await sleep(50)) await former.sequencer.turn()
    }
    await expect(placing()).rejects.toMatchObject({ constraint_name: 'journal_point_nom' })
    await former.close()
    restored = openTree(world.database, openSigner(pem, nom))
    await restored.settle()
    const verified = await restored.verify([seen])
    expect([verified.fault, verified.restaurations.length]).toEqual([undefined, 2])
  })

  it('le service réglé sur une autre adresse que celle des papiers, puis sur l’ancien nom, ne démarre pas et dit que mettre', async () => {
    const word = (seed: string) => createHash('sha256').update(seed).digest('base64url')
    const production = {
      PUBLIC_URL: 'http://localhost:9',
      DATABASE_URL: world.database.url,
      DATABASE_SEQUENCER_URL: world.database.sequencerUrl,
      SEAL_KEYS: world.config.sealKeys,
      SECRETS_KEY: world.config.secretsKey.toString('base64url'),
      JOURNAL_KEY: pem,
      JOURNAL_ORIGIN: ORIGIN,
      FRANCECONNECT_ISSUER: 'https://fc.exemple.test/api/v2',
      FRANCECONNECT_CLIENT_ID: word('client'),
      FRANCECONNECT_CLIENT_SECRET: word('secret'),
      SMTP_URL: 'smtp://127.0.0.1:9',
      MAIL_FROM: 'service@mandats.test',
      EDITEUR: 'Essai',
      CONTACT: 'contact@mandats.test',
    }
    const env = { PATH: process.env.PATH, HOME: process.env.HOME, ...production } as NodeJS.ProcessEnv
    const started = (more: Record<string, string>) =>
      start(process.execPath, ['src/install.mjs', 'src/main.ts'], { cwd: ROOT, env: { ...env, ...more } }).ended
    const moved = await started({})
    expect([moved.code, moved.output]).toEqual([1, expect.stringContaining(`indiquez PUBLIC_URL_AVANT=${PUBLIC_URL}`)])
    expect(moved.output).not.toContain('JOURNAL_ORIGIN')
    expect((await started({ PUBLIC_URL_AVANT: 'http://localhost:8' })).output).toBe(moved.output)
    const { code, output } = await started({ PUBLIC_URL_AVANT: PUBLIC_URL })
    expect([code, output]).toEqual([1, expect.stringContaining(`JOURNAL_ORIGIN=${restored.signer.vkey.name}`)])
  })

  it('n’est écrite ni par le service, ni par l’exploitant', async () => {
    const forged = db.tx({ kind: 'worker' }, (tx) => append(tx, { action: 'restauration', contenu: { nom: 'autre' } }))
    await expect(forged).rejects.toMatchObject({ code: '42501' })
    const operator = postgres(world.database.operatorUrl, { max: 1, onnotice: () => {} })
    const by = operator`insert into journal (action, acteur, commitment) values ('restauration', 'operateur', ${Buffer.alloc(32)})`
    await expect(by).rejects.toMatchObject({ code: '42501' })
    await operator.end()
  })
})
