import { randomUUID } from 'node:crypto'
import { Hono } from 'hono'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { code6, MAX_FIELDS } from '../../src/form.ts'
import type { Env } from '../../src/http/env.ts'
import { SAID_ANEW } from '../../src/http/kept-form.ts'
import { limitRate } from '../../src/http/limit-rate.ts'
import { publicPage, requireAidant } from '../../src/http/rules.ts'
import { PAGE_OF } from '../../views/kit/page.ts'
import { BEGUN_IN } from '../../views/public/kept.ts'
import { listForms } from '../support/forms.ts'
import { expectValidHtml } from '../support/html.ts'
import { type Fields, newWorld, PUBLIC_URL, type Told, type World } from '../support/world.ts'

const CONNECTIONS = 2
let world: World
let mandat: Told
let address: string
beforeAll(async () => {
  world = await newWorld({
    connections: CONNECTIONS,
    more: (db) =>
      new Hono<Env>()
        .post(
          '/essai/trop',
          requireAidant,
          limitRate(db, 'code', () => 'essai'),
          (c) => c.text('fait'),
        )
        .post('/essai/panne', requireAidant, () => {
          throw new Error('panne')
        })
        .post('/essai/occupe', requireAidant, async (c) => {
          await db.tx({ kind: 'portier' }, ({ sql }) => sql`select 1 from session where id = ${c.var.sessionId!} for update`)
          return c.text('fait')
        })
        .post(
          '/essai/public',
          publicPage,
          limitRate(db, 'code', () => 'public'),
          (c) => c.text('fait'),
        ),
  })
  mandat = await world.signMandat()
  address = `/mandats/${mandat.id}/demarches/nouvelle`
})
afterAll(() => world?.close())

const NOTE = '"><script>alert(1)</script> l’« APL » d’Odette & co\r\nseconde ligne'
const typed = (): Record<string, string> => ({
  envoi: randomUUID(),
  demarche: 'autre',
  titre: 'Un courrier au bailleur <b>',
  thematique: 'logement',
  resultat: 'deposee',
  note: NOTE,
  encore: 'oui',
})

/** What the button of a kept page would send, as a browser reads it; undefined when the page keeps nothing. */
function keptIn(html: string): { address: string; fields: Record<string, string | string[]> } | undefined {
  const [, action, inputs] =
    /<form method="post" action="([^"]*)" novalidate>((?:<input[^>]*>)+)<button[^>]*><span>Envoyer à nouveau/.exec(html) ?? []
  if (action === undefined) return undefined
  const fields: Record<string, string | string[]> = {}
  for (const [, name, value] of inputs!.matchAll(/ name="([^"]*)" value="([^"]*)"/g)) {
    const read = unescaped(value!)
    fields[name!] = name! in fields ? [fields[name!]!, read].flat() : read
  }
  return { address: unescaped(action), fields }
}
const unescaped = (text: string) =>
  text.replace(/&(quot|lt|gt|amp|#39);/g, (_, name: string) => ({ quot: '"', lt: '<', gt: '>', amp: '&', '#39': "'" })[name]!)

const tokenOf = (cookie: string) => cookie.slice(cookie.indexOf('=') + 1)
const session = (cookie: string) => world.sql`jeton = sha256(convert_to(${tokenOf(cookie)}, 'UTF8'))`
const goIdle = async (cookie: string) => {
  const { count } = await world.sql`update session set last_seen_at = horloge() - interval '31 minutes' where ${session(cookie)}`
  expect(count).toBe(1)
}
const noted = async () => {
  const [row] = await world.sql<{ n: number }[]>`select count(*)::int as n from demarche where mandat_id = ${mandat.id}`
  return row!.n
}
const said = async (response: Response) => (await response.text()).replace(/[\u00a0\u202f]/g, ' ')

/** Thomas's form, sent after his session went idle: the page shown, and what it would send again. */
async function interrupted(fields: Fields = typed(), to = address) {
  const cookie = await world.sessionOf('thomas')
  await goIdle(cookie)
  const response = await world.post(to, fields, cookie)
  const html = await response.text()
  return { cookie, status: response.status, headers: response.headers, html, kept: keptIn(html) }
}

describe('un formulaire interrompu par la fermeture de la session', () => {
  it('revient entier, et s’enregistre une seule fois après la reconnexion', async () => {
    const before = await noted()
    const fields = typed()
    const { status, headers, html, kept } = await interrupted({ ...fields, code: '123456', totp: '654321' })
    expect(status).toBe(403)
    expect(headers.get('cache-control')).toBe('no-store')
    expect(html).toContain(
      'Votre session s’est fermée après 30 minutes sans activité. Rien de ce que vous avez écrit n’est perdu.',
    )
    expect(html).toContain('<a class="button secondary" href="/connexion" target="_blank" rel="noopener">')
    await expectValidHtml(html)
    expect(html).not.toMatch(/<script>alert|<b>|123456|654321/)
    const { [BEGUN_IN]: begunIn, ...again } = kept!.fields
    expect(kept!.address).toBe(address)
    expect(again).toEqual(fields)
    expect(begunIn).toMatch(/^[\w-]{43}$/)
    expect(await noted()).toBe(before)

    const back = await world.sessionOf('thomas')
    const sent = await world.post(kept!.address, kept!.fields, back)
    expect(sent.status).toBe(303)
    expect((await world.post(kept!.address, kept!.fields, back)).headers.get('location')).toBe(sent.headers.get('location'))
    expect(await noted()).toBe(before + 1)
    const [row] = await world.sql<{ titre: string; note: string; aidantId: string }[]>`
      select c.titre, c.note, d.aidant_id as "aidantId" from demarche d join demarche_contenu c on c.demarche_id = d.id where d.envoi = ${fields.envoi!}`
    expect(row).toEqual({ titre: fields.titre, note: NOTE.replace('\r\n', '\n'), aidantId: world.aidants.thomas })
  })

  it('envoyé de nouveau trop tôt, revient encore, de la même session', async () => {
    const { cookie, kept } = await interrupted()
    for (const caller of [cookie, undefined]) {
      const again = await world.post(kept!.address, kept!.fields, caller)
      expect(again.status).toBe(403)
      expect(keptIn(await again.text())).toEqual(kept)
    }
  })

  it('n’est pas pris au nom d’une autre, ni d’une autre structure, ni d’une personne : il lui est rendu tel quel', async () => {
    const before = await noted()
    const { kept } = await interrupted()
    await world.signMandat({ persona: 'josiane' })
    for (const caller of ['nadia', 'samira', 'fabrice', 'josiane'] as const) {
      const cookie = await world.sessionOf(caller)
      const answer = await world.post(kept!.address, kept!.fields, cookie)
      expect([caller, answer.status]).toEqual([caller, 409])
      const html = await answer.text()
      expect(html).toContain('Ce formulaire n’est pas à votre nom')
      expect(keptIn(html)).toEqual(kept)
      await expectValidHtml(html)
      // Her own session may close in turn: whose it is does not change.
      await goIdle(cookie)
      expect(keptIn(await (await world.post(kept!.address, kept!.fields, cookie)).text())).toEqual(kept)
    }
    expect(await noted()).toBe(before)
    expect((await world.post(kept!.address, kept!.fields, await world.sessionOf('thomas'))).status).toBe(303)
  })

  it('laissé ouvert sur un poste partagé, n’est pas envoyé au nom de la suivante, ni pour l’autre structure', async () => {
    const formOf = async (cookie: string) => {
      const html = await (await world.get(address, cookie)).text()
      await expectValidHtml(html)
      const [main] = /<main[\s\S]*<\/main>/.exec(html)!
      const shown = [
        ...main.matchAll(new RegExp(`<form method="post"[^>]*><input type="hidden" name="${PAGE_OF}" value="([^"]+)">`, 'g')),
      ]
      expect([shown.length, main.split('method="post"').length]).toEqual([1, 2])
      return { ...typed(), [PAGE_OF]: shown[0]![1]! }
    }
    for (const [began, next] of [
      [() => world.sessionOf('thomas'), () => world.sessionOf('samira', 'figeac')],
      [() => world.sessionOf('samira', 'figeac'), () => world.sessionOf('samira', 'saintDenis')],
    ] as const) {
      const before = await noted()
      const cookie = await began()
      const fields = await formOf(cookie)
      await world.post('/deconnexion', {}, cookie)
      const answer = await world.post(address, fields, await next())
      const html = await answer.text()
      expect([answer.status, html.includes('Ce formulaire n’est pas à votre nom')]).toEqual([409, true])
      const { address: again, fields: kept } = keptIn(html)!
      const { [PAGE_OF]: _, ...written } = fields
      expect(kept).toMatchObject(written)
      // Herself, signed in again, sends it whole.
      expect((await world.post(again, kept, await began())).status).toBe(303)
      expect(await noted()).toBe(before + 1)
    }
  })

  it('commencé pour une structure, n’est pas pris pour l’autre ; avant de la choisir, il attend', async () => {
    const drafts = async () => (await world.sql`select 1 from brouillon where aidant_id = ${world.aidants.samira}`).length
    const before = await drafts()
    const cookie = await world.sessionOf('samira', 'figeac')
    await goIdle(cookie)
    const choix = { protegee: 'non', thematiques: ['logement', 'papiers'], duree: 'mois' }
    const first = await (await world.post('/mandats/nouveau', choix, cookie)).text()
    await expectValidHtml(first)
    const kept = keptIn(first)!
    expect(kept.fields).toMatchObject(choix)

    const undecided = await world.sessionOf('samira', 'figeac')
    await world.sql`update session set structure_id = null where ${session(undecided)}`
    const waiting = await world.post(kept.address, kept.fields, undecided)
    expect(waiting.status).toBe(403)
    const html = await waiting.text()
    expect(html).toContain('href="/structures" target="_blank"')
    expect(keptIn(html)).toEqual(kept)
    expect((await world.post(kept.address, kept.fields, await world.sessionOf('samira', 'saintDenis'))).status).toBe(409)
    expect(await drafts()).toBe(before)
    expect((await world.post(kept.address, kept.fields, await world.sessionOf('samira', 'figeac'))).status).toBe(303)
    expect(await drafts()).toBe(before + 1)
  })

  it('dont on ne sait plus qui l’a commencé est refusé', async () => {
    const before = await noted()
    const { kept } = await interrupted()
    const thomas = await world.sessionOf('thomas')
    for (const forged of ['', 'x', 'A'.repeat(43), `${kept!.fields[BEGUN_IN]}AAAA`, '<script>']) {
      const answer = await world.post(address, { ...kept!.fields, [BEGUN_IN]: forged }, thomas)
      expect([forged, answer.status]).toEqual([forged, 409])
      expect(keptIn(await answer.text())).toBeUndefined()
      expect((await world.post(address, { ...kept!.fields, [BEGUN_IN]: forged })).status).toBe(303)
    }
    expect(await noted()).toBe(before)
  })

  it('envoyé en plusieurs parties revient aussi', async () => {
    const cookie = await world.sessionOf('thomas')
    await goIdle(cookie)
    const body = new FormData()
    for (const [name, value] of Object.entries(typed())) body.append(name, value)
    body.append('piece', new File(['x'], 'x.txt'))
    const headers = { origin: PUBLIC_URL, 'sec-fetch-site': 'same-origin', cookie }
    const answer = await world.app.request(address, { method: 'POST', headers, body })
    expect(keptIn(await answer.text())!.fields).toMatchObject({ titre: 'Un courrier au bailleur <b>', note: NOTE })
  })

  it('le oui de la personne n’est pas gardé : elle le redit devant les mots', async () => {
    const id = await world.draft({ upTo: 'identite' })
    const { kept } = await interrupted(
      { reponse: 'oui', redit: 'oui', thematiques: 'logement', lues: 'logement', dernierJour: '2030-01-01', suivi: 'papier' },
      `/mandats/brouillons/${id}/accord`,
    )
    expect(kept!.fields).toMatchObject({ redit: 'oui', suivi: 'papier' })
    expect(kept!.fields.reponse).toBeUndefined()
    const again = await world.post(kept!.address, kept!.fields, await world.sessionOf('thomas'))
    expect(again.status).toBe(422)
    const [row] = await world.sql`select accord_at from brouillon where id = ${id}`
    expect(row!.accord_at).toBeNull()
  })

  it('aucun code d’un formulaire n’est gardé', async () => {
    const fields = (await listForms()).flatMap(({ shape }) => Object.entries(shape))
    const codes = fields.filter(([, field]) => field === code6).map(([name]) => name)
    expect(codes.length).toBeGreaterThan(2)
    expect(codes.filter((name) => !SAID_ANEW.includes(name))).toEqual([])
  })
})

describe('rien n’est gardé', () => {
  const towards = async (fields: Fields, cookie: string | undefined, to = address) => {
    const answer = await world.post(to, fields, cookie)
    const html = await answer.text()
    expect(html).not.toContain('courrier au bailleur')
    return [answer.status, answer.headers.get('location')]
  }
  const door = () => [303, `/connexion?suite=${encodeURIComponent(address)}`]

  it('après une déconnexion voulue', async () => {
    const cookie = await world.sessionOf('thomas')
    expect((await world.post('/deconnexion', {}, cookie)).status).toBe(303)
    expect(await towards(typed(), cookie)).toEqual(door())
    await goIdle(cookie)
    expect(await towards(typed(), cookie)).toEqual(door())
  })

  it('de qui n’a pas de session, ou une que personne ne connaît', async () => {
    expect(await towards(typed(), undefined)).toEqual(door())
    expect(await towards(typed(), `session=${'A'.repeat(43)}`)).toEqual(door())
  })

  it('d’un aidant suspendu', async () => {
    const cookie = await world.sessionOf('ines')
    await goIdle(cookie)
    await world.sql`update aidant set suspended_at = horloge() where id = ${world.aidants.ines}`
    expect(await towards(typed(), cookie)).toEqual(door())
  })

  it('d’un formulaire qui n’a qu’un code, ou que son bouton', async () => {
    for (const [to, fields] of [
      [`/mandats/brouillons/${randomUUID()}/acceptation`, { code: '123456' }],
      [`/mandats/brouillons/${randomUUID()}/identification`, {}],
    ] as const) {
      const cookie = await world.sessionOf('thomas')
      await goIdle(cookie)
      expect((await towards(fields, cookie, to))[0]).toBe(303)
    }
  })

  it('de ce qui, renvoyé, serait trop long', async () => {
    const cookie = await world.sessionOf('thomas')
    await goIdle(cookie)
    const many = Object.fromEntries(Array.from({ length: MAX_FIELDS }, (_, i) => [`champ${i}`, 'x']))
    expect((await towards(many, cookie))[0]).toBe(303)
    expect((await towards({ note: 'x'.repeat(65_500) }, cookie))[0]).toBe(303)
  })

  it('dans la base, ni dans le journal technique', async () => {
    const secret = 'chrysanthème-7731'
    const { kept } = await interrupted({ ...typed(), note: secret })
    expect(kept!.fields.note).toBe(secret)
    expect(await world.tablesHolding(secret)).toEqual([])
    expect(JSON.stringify(world.log)).not.toContain(secret)
  })
})

describe('ce que la personne demandait dans son espace', () => {
  it('n’est pas perdu non plus, et n’est fait que pour elle', async () => {
    const told = await world.signMandat({ persona: 'marcel' })
    await world.signMandat({ persona: 'odette', perimetre: ['papiers'] })
    const to = `/mon-espace/mandats/${told.id}/arreter`
    const cookie = await world.sessionOf('marcel')
    await goIdle(cookie)
    const answer = await world.post(to, { quoi: 'tout' }, cookie)
    const html = await answer.text()
    expect(html).toContain('href="/mon-espace/connexion" target="_blank" rel="noopener"')
    const kept = keptIn(html)!
    for (const caller of ['odette', 'thomas'])
      expect((await world.post(to, kept.fields, await world.sessionOf(caller))).status).toBe(409)
    const sent = await world.post(to, kept.fields, await world.sessionOf('marcel'))
    expect([sent.status, sent.headers.get('location')]).toEqual([303, `/mon-espace/mandats/${told.id}/arret`])
  })
})

describe('quand le service est occupé', () => {
  /** Every connection is taken meanwhile, longer than a request waits for one. */
  async function busy<T>(work: () => Promise<T>): Promise<T> {
    let release = () => {}
    const released = new Promise<void>((resolve) => {
      release = resolve
    })
    const taken = Array.from({ length: CONNECTIONS }, () => world.db.tx({ kind: 'worker' }, () => released))
    try {
      return await work()
    } finally {
      release()
      await Promise.allSettled(taken)
    }
  }

  it('avant même de savoir qui demande, la page garde ce qui était écrit, sans les codes', async () => {
    const before = await noted()
    const fields = typed()
    const cookie = await world.sessionOf('thomas')
    const answer = await busy(() => world.post(address, { ...fields, code: '123456' }, cookie))
    expect(answer.status).toBe(503)
    expect(answer.headers.get('retry-after')).toBe('2')
    const html = await answer.text()
    expect(html).toContain('Rien de ce que vous avez écrit n’est perdu : attendez une minute')
    expect(html).toContain('class="reference"')
    await expectValidHtml(html)
    const { [BEGUN_IN]: _, ...again } = keptIn(html)!.fields
    expect(again).toEqual(fields)
    const { address: to, fields: kept } = keptIn(html)!
    expect((await world.post(to, kept, await world.sessionOf('nadia'))).status).toBe(409)
    expect((await world.post(to, kept, cookie)).status).toBe(303)
    expect(await noted()).toBe(before + 1)
  })

  it('une fois qu’on sait qui demande, aussi', async () => {
    const cookie = await world.sessionOf('thomas')
    const fields = typed()
    const answer = await world.sql.begin(async (tx) => {
      await tx`select 1 from session where jeton = sha256(convert_to(${tokenOf(cookie)}, 'UTF8')) for update`
      return world.post('/essai/occupe', fields, cookie)
    })
    expect(answer.status).toBe(503)
    expect(keptIn(await (answer as Response).text())!.fields).toMatchObject(fields)
  })

  it('une page ouverte à tous ne garde rien, ni une page demandée, ni un envoi sans session', async () => {
    const cookie = await world.sessionOf('thomas')
    await busy(async () => {
      const answers = await Promise.all([
        world.post('/connexion', { email: 'thomas@figeac.demo', code: '123456' }, cookie),
        world.get(address, cookie),
      ])
      for (const answer of answers) {
        expect(answer.status).toBe(503)
        expect(await answer.text()).not.toContain('Envoyer à nouveau')
      }
    })
    expect(await busy(async () => (await world.post(address, typed())).text())).not.toContain('Envoyer à nouveau')
  })

  it('une panne, elle, ne se renvoie pas', async () => {
    const answer = await world.post('/essai/panne', typed(), await world.sessionOf('thomas'))
    expect([answer.status, keptIn(await answer.text())]).toEqual([500, undefined])
  })

  it('ce qui n’est jamais arrivé en entier n’est pas promis', async () => {
    const body = new ReadableStream({ start: (stream) => stream.enqueue(new TextEncoder().encode('note=un+d')) })
    const headers = {
      'content-type': 'application/x-www-form-urlencoded',
      origin: PUBLIC_URL,
      'sec-fetch-site': 'same-origin',
      'content-length': '20',
      cookie: await world.sessionOf('thomas'),
    }
    const answer = await world.app.request(
      new Request(PUBLIC_URL + address, { method: 'POST', headers, body, duplex: 'half' } as RequestInit),
    )
    expect(answer.status).toBe(503)
    expect(answer.headers.get('retry-after')).toBe('5')
    expect(await said(answer)).toContain('vérifiez d’abord si c’est fait')
  })
})

describe('après trop d’essais', () => {
  it('la page garde ce qui était écrit et dit combien attendre', async () => {
    const cookie = await world.sessionOf('thomas')
    const send = async (to: string) => {
      let answer = await world.post(to, { note: NOTE, code: '123456' }, cookie)
      for (let tries = 0; tries < 5 && answer.status === 200; tries++)
        answer = await world.post(to, { note: NOTE, code: '123456' }, cookie)
      return answer
    }
    const answer = await send('/essai/trop')
    expect(answer.status).toBe(429)
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0)
    const html = await answer.text()
    expect(html).not.toContain('123456')
    expect(keptIn(html)).toMatchObject({ address: '/essai/trop', fields: { note: NOTE } })
    await expectValidHtml(html)
    const open = await send('/essai/public')
    expect([open.status, keptIn(await open.text())]).toEqual([429, undefined])
  })
})
