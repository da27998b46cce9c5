import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { createApp } from '../../src/app.ts'
import { constraintOf, openDb } from '../../src/db.ts'
import { recordDemarche } from '../../src/demarche/record.ts'
import { healthRoutes } from '../../src/http/health.ts'
import { append } from '../../src/journal/append.ts'
import { linesOf, verifyBundle } from '../../src/journal/bundle.ts'
import { parseCheckpoint, signCheckpoint } from '../../src/journal/checkpoint.ts'
import { cosign, startCosigning } from '../../src/journal/cosign.ts'
import { exportJournal } from '../../src/journal/export.ts'
import { consistencyRanges, growTree, leafHash, rangeHash } from '../../src/journal/merkle.ts'
import { cosignatureLine, cosignedAt, isSignedBy, openSigner } from '../../src/journal/note.ts'
import { NO_WITNESS, parsePolicy } from '../../src/journal/policy.ts'
import { parseProof, parseProvenLines, verifyLine, verifyProof } from '../../src/journal/proof.ts'
import { proveLine } from '../../src/journal/prove.ts'
import { openSequencer, startSequencer } from '../../src/journal/sequence.ts'
import { findPoint, readNodes } from '../../src/journal/tree-queries.ts'
import { submissionText } from '../../src/journal/witness.ts'
import { fileOf, openWitnessStore } from '../../src/journal/witness-store.ts'
import { readSeen } from '../../src/read-seen.ts'
import { newWitness, type OpenTree, ORIGIN, openTree, pemKey } from '../support/arbre.ts'
import { scratch } from '../support/database.ts'
import { expectValidHtml } from '../support/html.ts'
import { ROOT, start } from '../support/processes.ts'
import { newWorld, ok, type Told, uneDemarche, type World } from '../support/world.ts'

let world: World
let told: Told
let tree: OpenTree
beforeAll(async () => {
  world = await newWorld()
  told = await world.signMandat({ persona: 'josiane', perimetre: ['logement', 'famille'] })
  tree = openTree(world.database)
})
afterAll(async () => {
  await tree.close()
  await world.close()
})

const SALT = randomBytes(32)
const record = () => recordDemarche(world.db, world.as('thomas'), uneDemarche(told.id)).then(ok)
const met = (act: Promise<unknown>) =>
  act.then(
    () => 'done',
    (error) =>
      constraintOf(error) ??
      (error as { constraint_name?: string; code?: string }).constraint_name ??
      (error as { code?: string }).code,
  )
const leaves = () =>
  world.sql<{ index: string; id: string; epoch: string; hash: Buffer; entry: Buffer }[]>`
    select f.leaf_index as index, f.journal_id as id, f.epoch, f.hash, j.entry
    from journal_feuille f join journal j on j.id = f.journal_id order by f.leaf_index`
/** The root of what the table says, by our pure tree over the lines themselves. */
const rootOf = (rows: { entry: Buffer }[]) => {
  const grown = growTree()
  for (const { entry } of rows) grown.push(leafHash(entry))
  return grown.root()
}

describe('le séquenceur', () => {
  it('donne à chaque ligne sa place, dans l’ordre, sous un point de contrôle signé', async () => {
    await tree.settle()
    const rows = await leaves()
    const [count] = await world.sql`select count(*)::int as n from journal`
    expect(rows.length).toBe(count!.n)
    expect(rows.map(({ index }) => Number(index))).toEqual(rows.map((_, i) => i))
    for (const { hash, entry } of rows)
      expect(hash.equals(createHash('sha256').update(Buffer.of(0)).update(entry).digest())).toBe(true)
    const point = (await tree.db.tx({ kind: 'sequencer' }, (tx) => findPoint(tx)))!
    expect([point.taille, point.racine.equals(rootOf(rows))]).toEqual([rows.length, true])
    const checkpoint = parseCheckpoint(point.note)!
    expect([checkpoint.origin, checkpoint.size, isSignedBy(checkpoint.note, tree.signer.vkey)]).toEqual([
      ORIGIN,
      rows.length,
      true,
    ])
  })

  it('n’écrit rien quand rien n’attend', async () => {
    await tree.settle()
    const before = await world.sql`select count(*)::int as n from journal_point`
    for (let i = 0; i < 5; i++) expect((await tree.sequencer.turn()).count).toBe(0)
    expect(await world.sql`select count(*)::int as n from journal_point`).toEqual(before)
  })

  it('n’attend jamais une ligne en cours, et ne la saute pas : ce qui est sous elle est rangé, le reste ensuite', async () => {
    await tree.settle()
    const slow = postgres(world.database.adminUrl, { max: 1, onnotice: () => {} })
    const opened = await slow.reserve()
    try {
      await opened`begin`
      const [held] = await opened<{ id: string }[]>`
        with line as (
          insert into journal (action, acteur, structure_id, commitment)
          values ('structure_modifiee', 'systeme', ${told.structureId}, sha256(${SALT}::bytea || '{}'::bytea))
          returning id),
        contenu as (
          insert into journal_contenu (journal_id, structure_id, payload, salt)
          select id, ${told.structureId}::uuid, '{}', ${SALT}::bytea from line)
        select id from line`
      await record()
      // A line after the open one cannot be placed: the open one could still take a place below it.
      expect((await tree.sequencer.turn()).count).toBe(0)
      const [lag] = await world.sql`select en_attente::int as n from journal_retard()`
      expect(lag!.n).toBe(1)
      await opened`commit`
      expect(await tree.settle()).toBe(2)
      const last = (await leaves()).slice(-2).map(({ id }) => id)
      expect(last[0]).toBe(held!.id)
    } finally {
      opened.release()
      await slow.end()
    }
  })

  it('prend un long retard par morceaux, même écrit d’un coup, et finit sur le même arbre', async () => {
    for (let i = 0; i < 4; i++) await record()
    await world.db.tx({ kind: 'worker' }, async (tx) => {
      for (let i = 0; i < 10; i++) await append(tx, { action: 'cle_publiee', contenu: { i } })
    })
    for (let i = 0; i < 4; i++) await record()
    const small = openTree(world.database, tree.signer, { batch: 3 })
    await tree.sequencer.release()
    expect(await small.settle()).toBeGreaterThanOrEqual(18)
    const rows = await leaves()
    const point = (await small.db.tx({ kind: 'sequencer' }, (tx) => findPoint(tx)))!
    expect([point.taille, point.racine.equals(rootOf(rows))]).toEqual([rows.length, true])
    await small.sequencer.release()
    await small.close()
  })

  it('d’un retard immense, la santé ne compte que le début', async () => {
    const late = await newWorld()
    await late.sql`
      insert into journal (action, acteur, commitment) select 'jwks_archive', 'systeme', sha256('') from generate_series(1, 10500)`
    const [lag] = await late.sql`select en_attente::int as n, secondes from journal_retard()`
    expect(lag).toEqual({ n: 10_000, secondes: expect.any(Number) })
    await late.close()
  })

  it('deux lancés ensemble, sous des écritures : un seul arbre, aucune ligne deux fois', async () => {
    const other = openTree(world.database, tree.signer)
    const log = () => {}
    const both = [tree, other].map(({ db, signer }) => startSequencer(openSequencer({ db, signer, holder: randomUUID() }), log))
    const writers = Array.from({ length: 3 }, async () => {
      for (let i = 0; i < 6; i++) await record()
    })
    await Promise.all(writers)
    const lag = async () => (await world.sql`select en_attente::int as n from journal_retard()`)[0]!.n
    await expect.poll(lag, { timeout: 50_000 }).toBe(0)
    await Promise.all(both.map((one) => one.stop()))
    await other.close()
    const rows = await leaves()
    const [count] = await world.sql`select count(*)::int as n, count(distinct id)::int as d from journal`
    expect([rows.length, new Set(rows.map(({ id }) => id)).size]).toEqual([count!.n, count!.d])
    expect((await tree.verify()).fault).toBeUndefined()
  })

  it('qui tient le bail et meurt est remplacé en moins de dix secondes', async () => {
    const dead = openTree(world.database, tree.signer)
    expect((await dead.sequencer.turn()).held).toBe(true)
    await dead.close() // without letting go
    await record()
    const [lease] = await world.sql`select jusqu_a <= clock_timestamp() + interval '10 seconds' as short from journal_bail`
    expect(lease).toEqual({ short: true })
    await expect.poll(async () => (await tree.sequencer.turn()).count, { timeout: 50_000 }).toBe(1)
    expect((await tree.verify()).fault).toBeUndefined()
  })

  it('un ancien tenant n’écrit plus rien : la base connaît l’époque', async () => {
    await tree.settle()
    const rows = await leaves()
    const [{ epoch } = { epoch: '' }] = await world.sql<{ epoch: string }[]>`select epoch from journal_bail`
    const { id } = await record()
    expect(id).toBeTruthy()
    const [line] = await world.sql<{ id: string; entry: Buffer }[]>`select id, entry from journal order by id desc limit 1`
    const insert = (index: number, at: number, hash = leafHash(line!.entry)) =>
      met(
        tree.db.tx(
          { kind: 'sequencer' },
          (tx) =>
            tx.sql`insert into journal_feuille (leaf_index, journal_id, epoch, hash) values (${index}, ${line!.id}, ${at}, ${hash})`,
        ),
      )
    expect(await insert(rows.length, Number(epoch) - 1)).toBe('journal_epoque')
    expect(await insert(rows.length + 1, Number(epoch))).toBe('journal_feuille_suit')
    expect(await insert(rows.length, Number(epoch), randomBytes(32))).toBe('journal_feuille_suit')
    expect(await insert(rows.length - 1, Number(epoch))).toBe('journal_feuille_pkey')
    const note = signCheckpoint(tree.signer, { origin: ORIGIN, size: rows.length + 1, root: randomBytes(32) })
    const point = (taille: number, at: number) =>
      met(
        tree.db.tx(
          { kind: 'sequencer' },
          (tx) =>
            tx.sql`insert into journal_point (taille, racine, epoch, note) values (${taille}, ${randomBytes(32)}, ${at}, ${note})`,
        ),
      )
    expect(await point(rows.length + 1, Number(epoch))).toBe('journal_point_entier')
    expect(await point(rows.length, Number(epoch) - 1)).toBe('journal_epoque')
    await tree.settle()
  })

  it('personne d’autre n’écrit dans l’arbre, et personne ne le récrit', async () => {
    const roles = {
      app: world.database.url,
      operator: world.database.operatorUrl,
      auditor: world.database.auditorUrl,
      sequencer: world.database.sequencerUrl,
    }
    for (const [role, url] of Object.entries(roles)) {
      const sql = postgres(url, { max: 1, onnotice: () => {} })
      const tries = ['journal_feuille', 'journal_tuile', 'journal_point', 'journal_temoignage'].flatMap((table) => [
        `update ${table} set ${table === 'journal_feuille' ? 'hash = hash' : table === 'journal_tuile' ? 'racine = racine' : table === 'journal_point' ? 'note = note' : 'ligne = ligne'}`,
        `delete from ${table}`,
        `truncate ${table} cascade`,
        ...(role === 'sequencer' ? [] : [`insert into ${table} select * from ${table}`]),
      ])
      if (role !== 'sequencer') tries.push('update journal_bail set epoch = epoch + 1')
      for (const attempt of tries) expect([role, attempt, await met(sql.unsafe(attempt))]).toEqual([role, attempt, '42501'])
      await sql.end()
    }
    for (const table of ['journal_feuille', 'journal_point']) {
      const attempt = world.sql.begin(async (tx) => {
        await tx.unsafe('set local session_replication_role = replica')
        await tx.unsafe(`delete from ${table}`)
      })
      expect(await met(attempt)).toBe('insertion_seule')
    }
  })
})

describe('le journal public', () => {
  let app: ReturnType<typeof createApp>
  const witness = () => theWitness
  let theWitness: ReturnType<typeof newWitness>
  beforeAll(async () => {
    theWitness = newWitness(tree.signer)
    const policy = parsePolicy(`witness un ${theWitness.signer.vkey.text} http://temoin.exemple\nquorum un`)
    app = createApp({
      db: world.db,
      config: { ...world.config, journal: { signer: tree.signer, policy } },
      oidc: { franceconnect: world.provider },
      log: () => {},
    })
    // More than one tile.
    await world.db.tx({ kind: 'worker' }, async (tx) => {
      for (let i = 0; i < 300; i++)
        await append(tx, { action: 'structure_modifiee', structureId: told.structureId, contenu: { i } })
    })
    await tree.settle()
  })

  it('le point de contrôle se lit de n’importe où, et ne se garde que deux secondes', async () => {
    const answer = await app.request('/journal/checkpoint')
    expect([
      answer.status,
      answer.headers.get('content-type'),
      answer.headers.get('cache-control'),
      answer.headers.get('access-control-allow-origin'),
    ]).toEqual([200, 'text/plain; charset=utf-8', 'public, max-age=2', '*'])
    const checkpoint = parseCheckpoint(await answer.text())!
    expect([checkpoint.size, isSignedBy(checkpoint.note, tree.signer.vkey)]).toEqual([(await leaves()).length, true])
  })

  it('les tuiles donnent tout l’arbre : pleines, gardées pour toujours ; partielles, une heure', async () => {
    const rows = await leaves()
    const full = await app.request('/journal/tile/0/000')
    expect([
      full.status,
      full.headers.get('cache-control'),
      full.headers.get('access-control-allow-origin'),
      full.headers.get('content-type'),
    ]).toEqual([200, 'public, max-age=31536000, immutable', '*', 'application/octet-stream'])
    expect(Buffer.from(await full.arrayBuffer()).equals(Buffer.concat(rows.slice(0, 256).map(({ hash }) => hash)))).toBe(true)
    const width = rows.length % 256
    const partial = await app.request(`/journal/tile/0/001.p/${width}`)
    expect([partial.status, partial.headers.get('cache-control')]).toEqual([200, 'public, max-age=3600'])
    expect(Buffer.from(await partial.arrayBuffer()).equals(Buffer.concat(rows.slice(256).map(({ hash }) => hash)))).toBe(true)
    const above = await app.request('/journal/tile/1/000.p/1')
    expect(Buffer.from(await above.arrayBuffer()).equals(rootOf(rows.slice(0, 256)))).toBe(true)
    for (const path of [`0/001`, `0/001.p/${width + 1}`, '1/000', '0/002.p/1', '0/0', '64/000', 'entries/000', '..%2f', ''])
      expect([path, (await app.request(`/journal/tile/${path}`)).status]).toEqual([path, 404])
  })

  it('la page dit où il en est, ce que cela prouve et ce que cela ne prouve pas, sans jamais dire « vérifié »', async () => {
    const before = await (await app.request('/journal')).text()
    expect(before).toContain('pas encore')
    await tree.cosign(witness())
    const answer = await app.request('/journal')
    const html = await answer.text()
    expect([answer.status, answer.headers.get('cache-control')]).toEqual([200, 'no-store'])
    for (const words of [
      'Ce que cela prouve',
      'Ce que cela ne prouve pas',
      'temoin.exemple/1',
      'lignes vues',
      tree.signer.vkey.text,
    ])
      expect(html).toContain(words)
    expect(html.toLowerCase()).not.toContain('vérifiée')
    await expectValidHtml(before)
    await expectValidHtml(html)
  })

  it('sans arbre, la page le dit et le point de contrôle est introuvable', async () => {
    const empty = await newWorld()
    const html = await (await empty.app.request('/journal')).text()
    expect(html).toContain('Aucun point de contrôle')
    expect((await empty.app.request('/journal/checkpoint')).status).toBe(404)
    await empty.close()
  })
})

describe('la surveillance', () => {
  it('/readyz prévient quand une ligne attend sa place depuis plus de cinq minutes, là où le journal est rangé', async () => {
    const late = await newWorld()
    const ready = async (sequenced: boolean) => {
      const answer = await healthRoutes({ db: late.db, log: () => {}, sequenced }).request('/readyz')
      return [answer.status, ((await answer.json()) as { etat: string }).etat]
    }
    expect(await ready(true)).toEqual([200, 'pret'])
    await late.sql.unsafe(`
      alter table journal disable trigger insertion_seule;
      update journal set at = at - interval '6 minutes';
      alter table journal enable always trigger insertion_seule`)
    expect([await ready(true), await ready(false)]).toEqual([
      [503, 'journal'],
      [200, 'pret'],
    ])
    const placed = openTree(late.database)
    await placed.settle()
    expect(await ready(true)).toEqual([200, 'pret'])
    await placed.close()
    await late.close()
  })
})

describe('ce que la personne emporte', () => {
  it('ses lignes et leurs preuves, vérifiables sans nous ; jamais celles d’une autre', async () => {
    await world.signMandat({ persona: 'marcel' })
    await tree.settle()
    const config = { ...world.config, journal: { signer: tree.signer, policy: parsePolicy('quorum none') } }
    const app = createApp({ db: world.db, config, oidc: { franceconnect: world.provider }, log: () => {} })
    const ask = async (persona: string) => {
      const answer = await app.request('/mon-espace/donnees/journal.json', {
        headers: { cookie: await world.sessionOf(persona), 'sec-fetch-site': 'same-origin' },
      })
      expect([answer.status, answer.headers.get('cache-control')]).toEqual([200, 'no-store'])
      const text = await answer.text()
      return { ...parseProvenLines(text)!, mention: (JSON.parse(text) as { mention: string }).mention }
    }
    const [hers, his] = [await ask('josiane'), await ask('marcel')]
    expect(hers.mention).toMatch(/^Non modifié depuis le /)
    expect(hers.mention.toLowerCase()).not.toContain('vérifi')
    const of = async (persona: string) => (await world.lines()).filter(({ usagerId: id }) => id !== null && id === persona).length
    expect(hers.lignes.length).toBe(await of((await world.usagerIdOf('josiane'))!))
    expect(his.lignes.length).toBe(await of((await world.usagerIdOf('marcel'))!))
    for (const line of hers.lignes) {
      expect([line.numero, verifyLine(line, tree.signer.vkey)]).toMatchObject([line.numero, { ok: true }])
      expect(line.faits).toBeDefined()
      expect(his.lignes.map(({ numero }) => numero)).not.toContain(line.numero)
    }
    const [line] = hers.lignes
    expect(verifyLine({ ...line!, faits: `${line!.faits} ` }, tree.signer.vkey)).toEqual({ ok: false, refusal: 'faits_changes' })
    expect(verifyLine({ ...line!, octets: line!.octets.replace('"v":1', '"v":2') }, tree.signer.vkey)).toEqual({
      ok: false,
      refusal: 'pas_dans_l_arbre',
    })
    expect(verifyLine({ ...line!, preuve: '' }, tree.signer.vkey)).toEqual({ ok: false, refusal: 'preuve_illisible' })
    expect((await app.request('/mon-espace/donnees/journal.json')).status).toBe(303)
  })
})

describe('les témoins', () => {
  const submit = async (
    witness: ReturnType<typeof newWitness>,
    old: number,
    size: number,
    more: { root?: Buffer; proof?: Buffer[]; signer?: typeof tree.signer } = {},
  ) => {
    const { root, proof } = await tree.db.tx({ kind: 'sequencer' }, async (tx) => {
      const ranges = consistencyRanges(Math.min(old, size), size)
      const nodes = await readNodes(tx, size, [...ranges, [0, size]])
      return { root: rangeHash([0, size], nodes), proof: ranges.map((range) => rangeHash(range, nodes)) }
    })
    const signed = signCheckpoint(more.signer ?? tree.signer, {
      origin: (more.signer ?? tree.signer).vkey.name,
      size,
      root: more.root ?? root,
    })
    return witness.app.request('/add-checkpoint', { method: 'POST', body: submissionText(old, more.proof ?? proof, signed) })
  }

  it('répondent exactement ce que dit la norme', async () => {
    const witness = newWitness(tree.signer)
    expect((await witness.app.request('/add-checkpoint', { method: 'POST', body: 'bonjour' })).status).toBe(400)
    expect((await submit(witness, 0, 5, { signer: openSigner(pemKey(), 'ailleurs/journal') })).status).toBe(404)
    expect((await submit(witness, 0, 5, { signer: openSigner(pemKey(), ORIGIN) })).status).toBe(403)
    const first = await submit(witness, 0, 5)
    const [line] = [await first.text()]
    expect([first.status, line.startsWith('— temoin.exemple/1 '), line.endsWith('\n')]).toEqual([200, true, true])
    // Kept before it was answered.
    expect(witness.seen()!.size).toBe(5)
    expect(cosignedAt(witness.seen()!.note.text, witness.seen()!.note.signatures, witness.signer.vkey)).toBeGreaterThan(
      1_600_000_000,
    )
    expect((await submit(witness, 6, 5)).status).toBe(400)
    const late = await submit(witness, 3, 9)
    expect([late.status, late.headers.get('content-type'), await late.text()]).toEqual([409, 'text/x.tlog.size', '5\n'])
    const fork = await submit(witness, 5, 5, { root: randomBytes(32) })
    expect([fork.status, fork.headers.get('content-type'), await fork.text()]).toEqual([409, 'text/x.tlog.size', '5\n'])
    expect((await submit(witness, 5, 9, { proof: [] })).status).toBe(422)
    expect((await submit(witness, 5, 9, { root: randomBytes(32) })).status).toBe(422)
    expect((await submit(witness, 5, 5)).status).toBe(200)
    expect((await submit(witness, 5, 9)).status).toBe(200)
    expect(witness.seen()!.size).toBe(9)
    expect((await witness.app.request('/add-checkpoint', { method: 'POST', body: 'x'.repeat(70_000) })).status).toBe(400)
  })

  it('pressés de toutes parts, ne reculent jamais', async () => {
    const witness = newWitness(tree.signer)
    const sizes = Array.from({ length: 40 }, (_, i) => i + 1)
    const answers = await Promise.all(sizes.map((size) => submit(witness, 0, size)))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
  })

  it('gardent leur mémoire sur le disque, et ne signent plus si elle est abîmée', async () => {
    const directory = scratch('temoin')
    const store = openWitnessStore(directory)
    expect(store.read(ORIGIN)).toBeUndefined()
    const note = signCheckpoint(tree.signer, { origin: ORIGIN, size: 1, root: randomBytes(32) })
    store.write(ORIGIN, note)
    expect(openWitnessStore(directory).read(ORIGIN)).toBe(note)
    writeFileSync(path.join(directory, fileOf(ORIGIN)), note.replace('\n1\n', '\nun\n'))
    expect(() => openWitnessStore(directory).read(ORIGIN)).toThrow(fileOf(ORIGIN))
  })

  it('gardent chaque point qu’ils ont signé ; un enregistrement coupé n’a jamais été répondu, et s’ôte', async () => {
    const directory = scratch('temoin')
    const points = path.join(directory, fileOf(ORIGIN, 'points'))
    const notes = [1, 2, 3].map((size) => signCheckpoint(tree.signer, { origin: ORIGIN, size, root: randomBytes(32) }))
    const seen = async () => {
      const read = await readSeen(points, tree.signer.vkey, NO_WITNESS)
      return 'kind' in read ? read : read.map(({ size }) => size)
    }
    openWitnessStore(directory).write(ORIGIN, notes[0]!)
    openWitnessStore(directory).write(ORIGIN, notes[1]!)
    expect(await seen()).toEqual([1, 2])
    const whole = readFileSync(points, 'utf8')
    // As a process killed while it writes, or a full disk, would leave it: at each byte of the last record.
    const second = whole.indexOf('\n') + 1
    for (const length of [second + 1, second + 60, whole.length - 1]) {
      writeFileSync(points, whole.slice(0, length))
      expect(await seen()).toEqual([1])
      openWitnessStore(directory).write(ORIGIN, notes[2]!)
      expect(await seen()).toEqual([1, 3])
    }
    // Damaged anywhere else, it is not what a witness kept.
    writeFileSync(points, whole.replace(/^point \d+ ..../, 'point 1 AAAA'))
    expect(await seen()).toEqual({ kind: 'temoin_illisible', ou: points })
  })

  it('le service garde leur signature une fois vérifiée, reprend d’où ils en sont, et un témoin muet ne bloque rien', async () => {
    const witness = newWitness(tree.signer, 'temoin.exemple/2')
    expect(await tree.cosign(witness)).toBe('temoigne')
    expect(await tree.cosign(witness)).toBe('rien_de_neuf')
    await record()
    await tree.settle()
    expect(await tree.cosign(witness)).toBe('temoigne')
    // It saw more than we remember.
    await record()
    await tree.settle()
    await submit(witness, witness.seen()!.size, (await leaves()).length)
    await record()
    await tree.settle()
    expect(await tree.cosign(witness)).toBe('temoigne')
    await record()
    await tree.settle()
    const signedNote = parseCheckpoint((await tree.db.tx({ kind: 'sequencer' }, (tx) => findPoint(tx)))!.note)!.note
    const with_ = (post: typeof witness.post) => cosign(tree.db, witness.witness, () => {}, post)
    expect(await with_(async () => Promise.reject(new Error('muet')))).toBe('muet')
    expect(await with_(async () => ({ status: 503, body: '' }))).toBe('refuse')
    expect(await with_(async () => ({ status: 200, body: '— temoin.exemple/2 AAAAAAAA\n' }))).toBe('refuse')
    // Its own name and key, over something else: kept by nobody.
    const { text } = signedNote
    const forged = cosignatureLine(witness.signer, text.replace(/\n\d+\n/, '\n1\n'), 1_700_000_000)
    expect(await with_(async () => ({ status: 200, body: forged }))).toBe('refuse')
    expect(await with_(async () => ({ status: 422, body: '' }))).toBe('fourche')
    expect(await with_(async () => ({ status: 409, body: '999999\n' }))).toBe('recul')
    expect(await record()).toBeTruthy()
    const rows = await world.sql`select 1 from journal_temoignage where temoin = ${witness.signer.vkey.text}`
    expect(rows.length).toBe(3)
    expect((await tree.verify([witness.seen()])).fault).toBeUndefined()
  })

  it('qui a tout oublié signe de nouveau, et cela se crie : il signerait aussi bien un autre journal', async () => {
    await record()
    await tree.settle()
    const witness = newWitness(tree.signer, 'temoin.exemple/5')
    expect(await tree.cosign(witness)).toBe('temoigne')
    witness.forget()
    await record()
    await tree.settle()
    const said: string[] = []
    const log: Parameters<typeof cosign>[2] = (_level, { event, reason }) => void said.push(`${event} ${reason}`)
    expect(await cosign(tree.db, witness.witness, log, witness.post)).toBe('temoigne')
    expect(said).toEqual(['journal_contredit oubli'])
  })

  it('montrés à par deux processus du service, qui se dépassent l’un l’autre, ne font crier personne', async () => {
    const witness = newWitness(tree.signer, 'temoin.exemple/4')
    const further = async () => {
      await record()
      await tree.settle()
      return (await leaves()).length
    }
    /** The other process goes by just before each of our questions. */
    const overtaken = (by: (question: number) => Promise<unknown>) => {
      let asked = 0
      return cosign(
        tree.db,
        witness.witness,
        () => {},
        async (url, body) => {
          await by(++asked)
          return witness.post(url, body)
        },
      )
    }
    await further()
    expect(await overtaken(async () => submit(witness, 0, await further()))).toBe('rien_de_neuf')
    const sizes = [await further(), await further()]
    const size = await further()
    expect(await overtaken(async (n) => sizes[n - 1] && submit(witness, witness.seen()!.size, sizes[n - 1]!))).toBe('temoigne')
    expect(witness.seen()!.size).toBe(size)
  })

  it('montrent au service, quand le passé a changé, qu’ils connaissaient un autre journal', async () => {
    const witness = newWitness(tree.signer, 'temoin.exemple/3')
    const said: string[] = []
    const size = (await leaves()).length
    const forked = signCheckpoint(tree.signer, { origin: ORIGIN, size: size - 1, root: randomBytes(32) })
    witness.store.write(ORIGIN, forked)
    expect(
      await cosign(tree.db, witness.witness, (_level, line) => void said.push(`${line.event} ${line.reason}`), witness.post),
    ).toBe('fourche')
    expect(said).toEqual(['journal_contredit fourche'])
  })

  it('sont demandés sans fin, et s’arrêtent quand on le dit', async () => {
    const policy = { witnesses: [{ ...newWitness(tree.signer).witness, url: 'http://127.0.0.1:9' }], isMet: () => false }
    const said: string[] = []
    const running = startCosigning(tree.db, policy, (_level, { event }) => void said.push(event), 20)
    await expect.poll(() => said.length, { timeout: 10_000 }).toBeGreaterThan(1)
    await running.stop()
    expect(new Set(said)).toEqual(new Set(['temoin_muet']))
  })

  it('le sont encore deux fois dans la minute qui suit un échec : une réponse qui manque ne fait pas manquer la minute', async () => {
    const policy = { witnesses: [newWitness(tree.signer).witness], isMet: () => false }
    const closed = openDb({ url: world.database.sequencerUrl, connections: 1 })
    await closed.close()
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
    const said: unknown[] = []
    const running = startCosigning(closed, policy, (_level, { reason }) => void said.push(reason))
    await vi.advanceTimersByTimeAsync(0)
    expect(said).toEqual(['temoins'])
    await vi.advanceTimersByTimeAsync(60_000)
    await running.stop()
    expect(said.length).toBeGreaterThanOrEqual(3)
  })
})

/** One command of ours, with these variables and no others; its two outputs are one text. */
const run = async (script: string, args: string[], env: Record<string, string>) => {
  const { PATH, HOME } = process.env
  const { code, output } = await start(process.execPath, ['src/install.mjs', script, ...args], {
    cwd: ROOT,
    env: { PATH, HOME, ...env } as NodeJS.ProcessEnv,
  }).ended
  return { code, stdout: output, stderr: output }
}

describe('vérifier', () => {
  it('l’auditeur vérifie sans lire un nom ; l’administrateur relit aussi les contenus', async () => {
    await tree.settle()
    const [asAuditor, asAdmin] = [await tree.verify([], 'auditor'), await tree.verify()]
    expect([asAuditor.fault, asAdmin.fault]).toEqual([undefined, undefined])
    expect(asAuditor.counts.lignes).toBe(asAdmin.counts.lignes)
    expect(asAdmin.counts.tuiles).toBe(1)
    expect(asAdmin.size).toBe((await leaves()).length)
  })

  it('une ligne se prouve, même la première, même la dernière', async () => {
    const rows = await leaves()
    const log = { signer: tree.signer, policy: parsePolicy('quorum none') }
    const prove = (id: number) => tree.db.tx({ kind: 'sequencer' }, (tx) => proveLine(tx, id, log, 'non_lu'))
    for (const at of [0, 1, 255, 256, rows.length - 1]) {
      const proven = await prove(Number(rows[at]!.id))
      if (!proven.ok) throw new Error(proven.refusal)
      const proof = parseProof(proven.preuve)!
      expect(verifyProof(proof, leafHash(rows[at]!.entry), tree.signer.vkey)).toMatchObject({ ok: true })
      expect(parseProvenLines(proven.preuve)!.lignes[0]).toMatchObject({ octets: rows[at]!.entry.toString() })
    }
    expect(await prove(999_999)).toEqual({
      ok: false,
      refusal: 'ligne_inconnue',
    })
    await record()
    const [last] = await world.sql<{ id: string }[]>`select max(id) as id from journal`
    expect(await prove(Number(last!.id))).toEqual({
      ok: false,
      refusal: 'pas_encore_rangee',
    })
  })

  it('un paquet se vérifie sans base ; coupé, changé, ou d’une autre clé, il se dit faux', async () => {
    await tree.settle()
    await record() // one line waits
    const admin = openDb({ url: world.database.adminUrl, connections: 1 })
    let text = ''
    for await (const piece of exportJournal(admin, { log: tree.signer.vkey, contenus: true })) text += piece
    await admin.close()
    const check = (bundle: string, log?: typeof tree.signer.vkey) =>
      verifyBundle(
        linesOf(
          (async function* () {
            for (let at = 0; at < bundle.length; at += 1000) yield bundle.slice(at, at + 1000)
          })(),
        ),
        { ...(log && { log }) },
      )
    const whole = await check(text)
    expect([whole.fault, whole.log!.text, whole.counts.attente]).toEqual([undefined, tree.signer.vkey.text, 1])
    expect(whole.counts.lignes).toBe((await leaves()).length)
    const other = openSigner(pemKey(), ORIGIN).vkey
    expect((await check(text, other)).fault).toMatchObject({ kind: 'point_non_signe' })
    expect((await check(text.slice(0, -20))).fault).toBeDefined()
    expect((await check(text.split('\n').slice(0, 40).join('\n'))).fault).toMatchObject({ kind: 'paquet_coupe' })
    const lines = text.split('\n')
    const at = lines.findIndex((line) => line.startsWith('ligne 3 '))
    expect((await check(lines.toSpliced(at, 2).join('\n'))).fault).toMatchObject({ kind: 'rang_manquant', rang: 3 })
    expect((await check(text.replace(/(ligne 5 .*"at":"20)/, '$19').replace('209', '219'))).fault).toBeDefined()
  })

  it('la commande répond par son code de sortie, et en JSON', async () => {
    await tree.settle()
    const env = { DATABASE_AUDITOR_URL: world.database.auditorUrl, JOURNAL_VKEY: tree.signer.vkey.text }
    const clean = await run('src/journal-command.ts', ['verify', '--json'], env)
    expect([clean.code, JSON.parse(clean.stdout)]).toEqual([
      3,
      expect.objectContaining({ ok: true, lignes: (await leaves()).length }),
    ])
    // A witness that looks no more says nothing of what was written since.
    const witness = newWitness(tree.signer)
    const kept = path.join(scratch('temoin'), 'vu')
    const seenBy = async () => {
      expect(await tree.cosign(witness)).toBe('temoigne')
      writeFileSync(kept, witness.store.read(ORIGIN)!)
    }
    const witnessed = () => run('src/journal-command.ts', ['verify', '--temoin', kept], env)
    await seenBy()
    expect(await witnessed()).toMatchObject({ code: 0, stdout: expect.stringContaining('les témoins ont vu le même journal.') })
    await record()
    await tree.settle()
    expect(await witnessed()).toMatchObject({ code: 0, stdout: expect.stringContaining('que personne n’a encore vues') })
    await world.database.travel({ ms: 2 * 3_600_000 })
    await record()
    await tree.settle()
    expect(await witnessed()).toMatchObject({
      code: 3,
      stdout: expect.stringContaining('d’autres s’écrivent depuis plus d’une heure'),
    })
    await seenBy()
    expect((await witnessed()).code).toBe(0)
    const wrong = await run('src/journal-command.ts', ['verify', '--cle', openSigner(pemKey(), ORIGIN).vkey.text], env)
    expect([wrong.code, wrong.stdout]).toEqual([1, expect.stringContaining('n’est pas signé par la clé de ce journal')])
    const nowhere = await run('src/journal-command.ts', ['verify'], {
      DATABASE_AUDITOR_URL: 'postgres://a:b@127.0.0.1:9/x',
      JOURNAL_VKEY: tree.signer.vkey.text,
    })
    expect([nowhere.code, nowhere.stderr]).toEqual([2, expect.stringContaining('ne répond pas')])
    expect((await run('src/journal-command.ts', ['inconnu'], env)).code).toBe(2)
    // On a terminal a long run says how far it is, and wipes that line at its end.
    const terminal = `process.stderr.isTTY = true
      const { now } = performance
      performance.now = () => now.call(performance) + 10_000`
    const watched = await start(
      process.execPath,
      ['--import', `data:text/javascript,${encodeURIComponent(terminal)}`, 'src/install.mjs', 'src/journal-command.ts', 'verify'],
      { cwd: ROOT, env: { PATH: process.env.PATH, ...env } as NodeJS.ProcessEnv },
    ).ended
    // biome-ignore lint/suspicious/noControlCharactersInRegex: what a terminal is told
    expect(watched.output).toMatch(/\r\d+ \/ \d+ lignes\r\x1b\[K/)
    expect(clean.stdout).not.toContain('\r')
    const proof = await run('src/journal-command.ts', ['prove', '3'], env)
    const text = proof.stdout.slice(0, proof.stdout.lastIndexOf('\nLigne 3') + 1)
    expect([proof.code, parseProof(text)?.index !== undefined]).toEqual([0, true])
  })
})
