import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { stat } from 'node:fs/promises'
import { hostname } from 'node:os'
import path from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { beforeAll, describe, expect, it } from 'vitest'
import { bundlePoint } from '../../src/journal/bundle.ts'
import { parseCheckpoint, signCheckpoint } from '../../src/journal/checkpoint.ts'
import { cosignatureLine, openSigner, WITNESS_KEY } from '../../src/journal/note.ts'
import { NO_WITNESS } from '../../src/journal/policy.ts'
import { submissionText } from '../../src/journal/witness.ts'
import { witnessRoutes } from '../../src/journal/witness-routes.ts'
import { fileOf, openWitnessStore } from '../../src/journal/witness-store.ts'
import { readSeen } from '../../src/read-seen.ts'
import { ORIGIN, pemKey } from '../support/arbre.ts'
import { scratch } from '../support/database.ts'
import { startScript } from '../support/processes.ts'

const [MINUTE, HOUR, DAY] = [60, 3_600, 86_400]
const NOW = 1_800_000_000
/** The files that this process has open, where the system says them. */
const FILES = '/proc/self/fd'
const log = openSigner(pemKey(), ORIGIN)
const witness = openSigner(pemKey(), 'temoin.exemple/1', WITNESS_KEY)
const signedAt = (size: number, at: number) => {
  const note = signCheckpoint(log, { origin: ORIGIN, size, root: randomBytes(32) })
  return note + cosignatureLine(witness, parseCheckpoint(note)!.note.text, at)
}

/** When each point of two years was seen: every five minutes, day and night, then every ten seconds of the last nine days. */
const times = [
  ...Array.from({ length: 722 * 288 }, (_, i) => NOW - 731 * DAY + i * 300),
  ...Array.from({ length: 9 * 8_640 }, (_, i) => NOW - 9 * DAY + i * 10),
]
const [sample] = [signedAt(1, NOW)]
let twoYears: string
beforeAll(() => {
  // As long as real ones, their times in their places; nothing here verifies their signatures.
  const lines = parseCheckpoint(sample)!.note.signatures
  const mark = lines.at(-1)!.line
  const bytes = Buffer.from(mark.trim().split(' ')[2]!, 'base64')
  twoYears = times
    .map((at, i) => {
      bytes.writeBigUInt64BE(BigInt(at), 4)
      const note = sample.replace(mark, `— ${witness.vkey.name} ${bytes.toString('base64')}\n`)
      return bundlePoint({ taille: i + 1, note: note.replace('\n1\n', `\n${i + 1}\n`) })
    })
    .join('')
})

const pointsIn = (directory: string) => path.join(directory, fileOf(ORIGIN, 'points'))
const sizesIn = (text: string) =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => Number(line.split(' ')[1]))
const newest = times.length + 1

/** What was left answers for each point that was there, by one of the same minute, hour or day, seen then or after it. */
function expectSound(text: string) {
  const kept = sizesIn(text)
  expect(kept.at(-1)).toBe(newest)
  expect(kept).toEqual(kept.toSorted((a, b) => a - b))
  const seenAt = (size: number) => times[size - 1] ?? NOW
  let next = 0
  let left = 0
  for (let size = 1; size <= times.length; size++) {
    while (kept[next]! < size) next++
    const age = NOW - seenAt(size)
    const every = age > 366 * DAY ? DAY : age > 7 * DAY ? HOUR : MINUTE
    if (Math.floor(seenAt(kept[next]!) / every) !== Math.floor(seenAt(size) / every)) left++
  }
  expect(left).toBe(0)
  return kept
}

describe('la mémoire d’un témoin, après deux ans', { timeout: 120_000 }, () => {
  it('tient en quelques mégaoctets, sans qu’un point disparaisse que rien ne remplace', async () => {
    const directory = scratch('temoin')
    writeFileSync(pointsIn(directory), twoYears)
    expect(statSync(pointsIn(directory)).size).toBeGreaterThan(100_000_000)
    const store = openWitnessStore(directory)
    store.write(ORIGIN, signedAt(newest, NOW))
    const app = witnessRoutes({ signer: witness, logs: [log.vkey], store, now: () => new Date() })
    const text = await (await app.request(`/${fileOf(ORIGIN, 'points')}`)).text()
    expect(text).toBe(readFileSync(pointsIn(directory), 'utf8'))
    const kept = expectSound(text)
    // A minute of a week, an hour of a year, a day of what is older; one more where two of them meet.
    expect(kept.length).toBeLessThanOrEqual(7 * 1_440 + 359 * 24 + 365 + 3)
    expect(text.length).toBeLessThan(10_000_000)
    const mega = (bytes: number) => Math.round(bytes / 1_000_000)
    console.log(
      `mémoire d’un témoin, deux ans : ${mega(twoYears.length)} Mo, éclaircie ${mega(text.length)} Mo, ${kept.length} points`,
    )
    // Kept as they were, one after another.
    const were = new Set(twoYears.split('\n'))
    expect(
      text
        .split('\n')
        .slice(0, -2)
        .every((line) => were.has(line)),
    ).toBe(true)
    expect(existsSync(`${pointsIn(directory)}.nouveau`)).toBe(false)
  })

  it('s’éclaircit par morceaux : un programme de 48 Mio y suffit', async () => {
    const directory = scratch('temoin')
    writeFileSync(pointsIn(directory), twoYears)
    const ran = await startScript(
      `import { openWitnessStore } from '@/src/journal/witness-store.ts'
       openWitnessStore(${JSON.stringify(directory)}).write('${ORIGIN}', ${JSON.stringify(signedAt(newest, NOW))})`,
      { env: { ...process.env, NODE_OPTIONS: '--max-old-space-size=48' } },
    ).ended
    expect(ran).toEqual({ code: 0, output: '' })
    expectSound(readFileSync(pointsIn(directory), 'utf8'))
  })

  it('tué au milieu, n’a rien perdu, et recommence', async () => {
    const directory = scratch('temoin')
    writeFileSync(pointsIn(directory), twoYears)
    const last = signedAt(newest, NOW)
    const { child, ended } = startScript(
      `import { openWitnessStore } from '@/src/journal/witness-store.ts'
       openWitnessStore(${JSON.stringify(directory)}).write('${ORIGIN}', ${JSON.stringify(last)})`,
    )
    const aside = `${pointsIn(directory)}.nouveau`
    while (!(existsSync(aside) && statSync(aside).size > 100_000) && child.exitCode === null) await turn()
    child.kill('SIGKILL')
    await ended
    expect(child.signalCode).toBe('SIGKILL')
    expect(readFileSync(pointsIn(directory), 'utf8')).toBe(twoYears + bundlePoint({ taille: newest, note: last }))
    const store = openWitnessStore(directory)
    expect(store.read(ORIGIN)).toBe(last)
    store.write(ORIGIN, last)
    expect(existsSync(aside)).toBe(false)
    expectSound(readFileSync(pointsIn(directory), 'utf8'))
  })
})

describe('la mémoire d’un témoin', () => {
  it('garde une fois le point qu’on lui montre mille fois, tel qu’il l’a vu d’abord', async () => {
    const directory = scratch('temoin')
    const store = openWitnessStore(directory)
    const first = signedAt(1, NOW)
    const again = first.split('\n\n')[0]!
    store.write(ORIGIN, first)
    for (let i = 1; i <= 20; i++) {
      const own = parseCheckpoint(first)!.note
      store.write(ORIGIN, `${again}\n\n${own.signatures[0]!.line}${cosignatureLine(witness, own.text, NOW + i)}`)
    }
    expect(readFileSync(pointsIn(directory), 'utf8')).toBe(bundlePoint({ taille: 1, note: first }))
    // Another tree of the same size is another point, which nobody may lose.
    store.write(ORIGIN, signedAt(1, NOW + 30))
    expect(sizesIn(readFileSync(pointsIn(directory), 'utf8'))).toEqual([1, 1])
  })

  it('ne garde du journal qu’une signature, combien de fois qu’on l’écrive, et un seul point', async () => {
    const directory = scratch('temoin')
    const store = openWitnessStore(directory)
    const app = witnessRoutes({ signer: witness, logs: [log.vkey], store, now: () => new Date() })
    const note = signCheckpoint(log, { origin: ORIGIN, size: 1, root: randomBytes(32) })
    const [text = '', line = ''] = note.split('\n\n')
    const show = async (times: number, old: number) => {
      const body = submissionText(old, [], `${text}\n\n${line.repeat(times)}`)
      return (await app.request('/add-checkpoint', { method: 'POST', body })).status
    }
    expect([await show(400, 0), await show(400, 1), await show(1, 1)]).toEqual([200, 200, 200])
    expect(parseCheckpoint(store.read(ORIGIN)!)!.note.signatures).toHaveLength(2)
    const kept = readFileSync(pointsIn(directory), 'utf8')
    expect([sizesIn(kept), kept.length < 1_000]).toEqual([[1], true])
  })

  it('n’écrit rien au terminal de ce que dit un inconnu', async () => {
    const said: string[] = []
    const store = openWitnessStore(scratch('temoin'))
    const app = witnessRoutes({ signer: witness, logs: [log.vkey], store, now: () => new Date(), say: (line) => said.push(line) })
    const origin = `\u009b2J${ORIGIN} 5 → 6 : 200`
    const body = submissionText(0, [], signCheckpoint(log, { origin, size: 1, root: randomBytes(32) }))
    expect((await app.request('/add-checkpoint', { method: 'POST', body })).status).toBe(404)
    expect(said).toEqual(['journal inconnu : 404'])
  })

  it('deux programmes dans un même dossier ne signent pas deux journaux', async () => {
    const directory = scratch('temoin')
    const other = openWitnessStore(directory)
    let wrote: unknown
    // While the first has read what it remembers, and has not answered yet.
    const read = (origin: string) => {
      const last = openWitnessStore(directory).read(origin)
      wrote = other.alone(origin, new Date(), () => {
        other.write(origin, signedAt(7, NOW))
        return true
      })
      return last
    }
    const [store, lock] = [{ ...openWitnessStore(directory), read }, `${path.join(directory, fileOf(ORIGIN))}.verrou`]
    const app = witnessRoutes({ signer: witness, logs: [log.vkey], store, now: () => new Date() })
    const note = signCheckpoint(log, { origin: ORIGIN, size: 1, root: randomBytes(32) })
    const show = () => app.request('/add-checkpoint', { method: 'POST', body: submissionText(0, [], note) })
    expect([(await show()).status, wrote]).toEqual([200, undefined])
    expect(sizesIn(readFileSync(pointsIn(directory), 'utf8'))).toEqual([1])
    // Nothing is signed while another writes; what died there is not waited for, longer than a minute when nobody can ask whether it did.
    const dead = spawnSync(process.execPath, ['--version']).pid
    for (const [left, taken] of [
      [`${hostname()} ${process.ppid}`, true],
      [`${hostname()} ${dead}`, false],
      [`${hostname()} ${process.pid}`, false],
      ['ailleurs 1', true],
      ['', true],
    ] as const) {
      writeFileSync(lock, left)
      expect([left, (await show()).status]).toEqual([left, taken ? 503 : 409])
    }
    utimesSync(lock, 0, 0)
    expect([(await show()).status, existsSync(lock)]).toEqual([409, false])
  })

  it.runIf(existsSync(FILES))('ne laisse pas de fichier ouvert à qui n’en lit pas le contenu', async () => {
    const directory = scratch('temoin')
    writeFileSync(pointsIn(directory), twoYears.slice(0, 1_000_000))
    const store = openWitnessStore(directory)
    const app = witnessRoutes({ signer: witness, logs: [log.vkey], store, now: () => new Date() })
    const address = `/${fileOf(ORIGIN, 'points')}`
    for (let i = 0; i < 20; i++) {
      expect((await app.request(address, { method: 'HEAD' })).status).toBe(200)
      const answer = await app.request(address)
      await answer.body!.cancel()
    }
    // What would open a file does so in its own time.
    for (let i = 0; i < 50; i++) await turn()
    await stat(pointsIn(directory))
    const open = readdirSync(FILES).filter((handle) => {
      const file = path.join(FILES, handle)
      return existsSync(file) && readlinkSync(file) === pointsIn(directory)
    })
    expect(open).toEqual([])
  })

  it('sans la place de s’éclaircir, signe encore, et rend celle qu’elle a prise', ({ skip }) => {
    const directory = scratch('temoin')
    mkdirSync(directory, { recursive: true })
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', directory]).status === 0
    skip(!mounted, 'ce compte ne peut pas monter de petit disque')
    try {
      const minutes = Array.from({ length: 3_000 }, (_, i) => signedAt(i + 1, NOW - (3_000 - i) * MINUTE))
      writeFileSync(pointsIn(directory), minutes.map((note, i) => bundlePoint({ taille: i + 1, note })).join(''))
      const store = openWitnessStore(directory)
      for (const size of [3_001, 3_002]) {
        const signed = signedAt(size, NOW + size)
        store.write(ORIGIN, signed)
        expect([store.read(ORIGIN), readdirSync(directory).length]).toEqual([signed, 2])
      }
      expect(sizesIn(readFileSync(pointsIn(directory), 'utf8'))).toHaveLength(3_002)
    } finally {
      spawnSync('umount', [directory])
    }
  })

  it('ne touche pas à un enregistrement abîmé : qui la lit le dira', async () => {
    const directory = scratch('temoin')
    const good = Array.from({ length: 3_000 }, (_, i) => bundlePoint({ taille: i + 1, note: signedAt(i + 1, NOW - 3_000 + i) }))
    writeFileSync(pointsIn(directory), good.with(1_500, 'point 1501 é\npoint 1501 è\n').join(''), 'latin1')
    appendFileSync(pointsIn(directory), bundlePoint({ taille: 3_001, note: signedAt(3_001, NOW) }))
    openWitnessStore(directory).write(ORIGIN, signedAt(3_002, NOW + 1))
    const left = readFileSync(pointsIn(directory), 'latin1')
    expect(left).toContain('\npoint 1501 é\npoint 1501 è\n')
    expect(left.split('\n').length).toBeLessThan(60)
    expect(await readSeen(pointsIn(directory), log.vkey, NO_WITNESS)).toMatchObject({ kind: 'temoin_illisible' })
  })
})
