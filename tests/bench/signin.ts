import { randomBytes, randomInt } from 'node:crypto'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import postgres from 'postgres'
import { encryptSecret } from '../../src/aidant/secret.ts'
import { createApp } from '../../src/app.ts'
import { parseConfig } from '../../src/config.ts'
import { openDb } from '../../src/db.ts'
import { startDemo } from '../../src/demo/demo.ts'
import { AIDANTS, codeOf, totpSecretOf } from '../../src/demo/people.ts'
import { seed } from '../../src/demo/seed.ts'
import { codeVerification } from '../../src/mandat/code.ts'
import { franceconnect } from '../../src/oidc/franceconnect.ts'
import { openProvider } from '../../src/oidc/provider.ts'
import { empreinteDuCodePrive } from '../../src/usager/code-prive.ts'

const SAMPLES = 300
const WARM = 30
const UNKNOWN = { email: 'thomaz@figeac.demo', code: '7K3M-RQXB-9F8T' }

type Ask = { path: string; fields: Record<string, string>; status: number; before?: () => Promise<unknown> }

/**
 * Does the time of an answer tell what the answer does not? Two questions with one answer, asked in turn, `SAMPLES` times each, in this process:
 * their medians must stand closer than a twentieth of the spread (5th to 95th centile of both together).
 */
export async function signInTimes(say: (line: string) => void): Promise<void> {
  const dataDir = mkdtempSync(path.join(tmpdir(), 'traitdunion-bench-'))
  chmodSync(dataDir, 0o711)
  const demo = await startDemo({
    dataDir,
    port: 3940,
    reset: false,
    say: () => {},
    seed: (environment) => seed(environment, path.join(dataDir, 'franceconnect.json')),
  })
  const config = parseConfig(demo.environment)
  const { secretsKey } = config
  const admin = postgres(config.database.adminUrl!, { max: 1, onnotice: () => {} })
  const db = openDb({ url: config.database.url, connections: 2, random: randomBytes })
  const log = () => {}
  const oidc = { franceconnect: openProvider({ profile: franceconnect, ...config.franceconnect, log }) }
  const app = createApp({ db, config, oidc, log })
  const headers = { origin: config.publicUrl, 'content-type': 'application/x-www-form-urlencoded' }

  const ask = async ({ path, fields, status, before }: Ask): Promise<number> => {
    await admin`delete from limite`
    await before?.()
    const body = new URLSearchParams(fields).toString()
    const begun = performance.now()
    const answer = await app.request(path, { method: 'POST', headers, body })
    await answer.text()
    const ms = performance.now() - begun
    if (answer.status !== status) throw new Error(`${path}: ${answer.status}, not ${status}`)
    return ms
  }
  const compare = async (what: string, one: Ask, other: Ask) => {
    const times: [number[], number[]] = [[], []]
    for (let round = -WARM; round < SAMPLES; round++)
      // Who comes first is drawn: what one leaves behind must not fall on the other alone.
      for (const side of randomInt(2) ? ([0, 1] as const) : ([1, 0] as const)) {
        const ms = await ask(side ? other : one)
        if (round >= 0) times[side].push(ms)
      }
    const [a, b] = times.map((list) => centile(list, 50)) as [number, number]
    const all = times.flat()
    const spread = centile(all, 95) - centile(all, 5)
    const part = (100 * Math.abs(a - b)) / spread
    say(
      `${what} : médianes ${a.toFixed(2)} et ${b.toFixed(2)} ms, étendue (5e au 95e centile) ${spread.toFixed(2)} ms, écart ${part.toFixed(1)} % de l’étendue (visé : <= 5)`,
    )
  }

  try {
    const [told] = await admin<{ id: string; usagerId: string; annee: string }[]>`
      select m.id, m.usager_id as "usagerId", left(u.birthdate::text, 4) as annee
      from mandat_etat m join usager u on u.id = m.usager_id where m.etat = 'actif' limit 1`
    const otherYear = String(Number(told!.annee) - 1)
    const printed = codeVerification(secretsKey, told!.id)
    const hers = 'FKDF-7RMX-9WPT'
    await admin`insert into code_prive (usager_id, empreinte) values (${told!.usagerId}, ${empreinteDuCodePrive(secretsKey, hers)})`
    const aidant = (await admin<{ id: string }[]>`select id from aidant where email = ${AIDANTS.thomas.email}`)[0]!.id
    const freshFactor = async () => {
      const sealed = encryptSecret(secretsKey, randomBytes(12), totpSecretOf('thomas'))
      await admin`delete from facteur where aidant_id = ${aidant}`
      await admin`insert into facteur (aidant_id, genre, secret) values (${aidant}, 'totp', ${sealed})`
    }
    const signIn = (email: string, code: string): Ask => ({
      path: '/connexion',
      fields: { email, code },
      status: 303,
      before: freshFactor,
    })
    const right = { ...signIn(AIDANTS.thomas.email, ''), fields: { email: AIDANTS.thomas.email, code: '' } }
    const wrong = '000000'
    const typed = (path: string, code: string, annee: string): Ask => ({
      path,
      fields: { code, annee },
      status: 409,
      before: () => admin`delete from code_prive_essai`,
    })

    await admin`vacuum analyze`
    await compare('adresse connue, inconnue (code faux)', signIn(AIDANTS.thomas.email, wrong), signIn(UNKNOWN.email, wrong))
    await compare(
      'adresse connue : code bon, faux',
      {
        ...right,
        before: async () => {
          await freshFactor()
          right.fields.code = codeOf('thomas', new Date())
        },
      },
      signIn(AIDANTS.thomas.email, wrong),
    )
    await compare(
      'papier : code connu avec une autre année, code inconnu',
      typed('/verifier', printed, otherYear),
      typed('/verifier', UNKNOWN.code, otherYear),
    )
    await compare(
      'code privé : connu avec une autre année, inconnu',
      typed('/mon-espace/code', hers, otherYear),
      typed('/mon-espace/code', UNKNOWN.code, otherYear),
    )
  } finally {
    await Promise.all([db.close(), admin.end()])
    await demo.stop()
    rmSync(dataDir, { recursive: true, force: true })
  }
}

const centile = (list: readonly number[], n: number) =>
  list.toSorted((x, y) => x - y)[Math.min(list.length - 1, Math.floor((n * list.length) / 100))]!
