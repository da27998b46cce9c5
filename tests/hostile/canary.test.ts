import { randomUUID } from 'node:crypto'
import { Secret, TOTP } from 'otpauth'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createApp } from '../../src/app.ts'
import { openDb } from '../../src/db.ts'
import { AIDANTS } from '../../src/demo/people.ts'
import { openLog } from '../../src/http/log.ts'
import { codeVerification } from '../../src/mandat/code.ts'
import { THEMATIQUES } from '../../src/mandat/mandat.ts'
import { sendCode } from '../../src/mandat/send-code.ts'
import { deliverDue } from '../../src/notification/deliver.ts'
import { eraseUsager } from '../../src/usager/erase.ts'
import { THEMATIQUE } from '../../views/kit/words.ts'
import { type Browser, newWorld, type Page, type World } from '../support/world.ts'

/** What the person is and what is said of her, in words that stand nowhere else. */
const NAMES = ['voahangy', 'lalaina', 'rakotondrainibe', 'razafindrakotoarison', 'voahangy.r@example.org']
const CONTACTS = ['quetzal', '+33698765432', '98765432', '98 76 54 32']
const WORDS = {
  titre: 'ornithorynque',
  note: 'axolotl',
  reference: 'pangolin-7',
  motif: 'tapir',
  etapeQuoi: 'okapi',
  orientation: 'narval',
  administration: 'fennec',
  precision: 'wombat',
  recherche: 'dugong',
  erreur: 'lamantin',
  invitee: 'gypaete',
  inviteeNom: 'casoar',
}
/** Every mailbox of this file, the aidants' included; and whoever is erased below. */
const OTHERS = ['@figeac.demo', '@exemple.fr', '@example.org', 'camille', 'benhaddou']
const CANARIES = [...NAMES, ...CONTACTS, ...OTHERS, ...Object.values(WORDS)]
/** Tokens and codes met on the way: none may be told either. */
const secrets = new Set<string>()

let world: World
/** Everything the process says, its technical log included. */
const said: string[] = []
const restore: (() => void)[] = []
let twist: 'none' | 'token' | 'return' = 'none'

beforeAll(async () => {
  for (const stream of [process.stdout, process.stderr]) {
    const write = stream.write.bind(stream)
    stream.write = ((text: string | Uint8Array, ...rest: never[]) => {
      said.push(String(text))
      return write(text, ...rest)
    }) as typeof stream.write
    restore.push(() => {
      stream.write = write
    })
  }
  // Vitest's own console does not write to them.
  for (const method of ['log', 'info', 'warn', 'error', 'debug'] as const) {
    const write = console[method]
    console[method] = (...words: unknown[]) => void said.push(words.map(String).join(' '))
    restore.push(() => {
      console[method] = write
    })
  }
  const warned = (warning: Error) => void said.push(String(warning.stack))
  process.on('warning', warned)
  restore.push(() => process.off('warning', warned))
  world = await newWorld({
    simulator: true,
    intercept(endpoint, ctx) {
      if (twist === 'token' && endpoint === 'token') {
        ctx.status = 400
        ctx.body = { error: 'invalid_grant', error_description: `${WORDS.erreur} RAKOTONDRAINIBE` }
      }
      if (twist === 'return' && endpoint === 'retour') {
        const url = new URL(ctx.response.get('location') ?? '')
        url.searchParams.delete('code')
        url.searchParams.set('error', 'server_error')
        url.searchParams.set('error_description', `${WORDS.erreur} RAKOTONDRAINIBE`)
        ctx.set('location', url.href)
      }
    },
  })
})
afterAll(async () => {
  for (const undo of restore) undo()
  await world.close()
})

const logged = () => `${world.log.map((line) => JSON.stringify(line)).join('\n')}\n${said.join('')}`.toLowerCase()
/** Words of the person that were told by the log; what was said is then forgotten. */
const told = (): string[] => {
  const text = logged()
  return [...CANARIES, ...secrets].filter((word) => text.includes(word.toLowerCase()))
}

const remember = (browser: Browser, page?: Page) => {
  for (const value of browser.cookies.values()) secrets.add(value)
  for (const name of ['state', 'code', 'nonce', 'id_token_hint']) {
    const value = page?.location && new URL(page.location).searchParams.get(name)
    if (value && value.length > 20) secrets.add(value)
  }
}
const status = (page: Page, expected: number) => {
  if (page.status !== expected) throw new Error(`${page.url}: ${page.status}, not ${expected}`)
  return page
}

/** Signs in as an aidant does, with a mistake or two on the way. */
async function signIn(aidant: 'thomas' | 'nadia'): Promise<Browser> {
  const browser = world.browser()
  status(await browser.post('/connexion', { email: `${WORDS.recherche}@exemple.fr`, code: '123456' }), 303)
  status(await browser.post('/connexion', { email: `pas une adresse ${WORDS.recherche}`, code: 'x' }), 422)
  status(await browser.post('/connexion', { email: AIDANTS[aidant].email, code: await world.freshCode(aidant) }), 303)
  remember(browser)
  status(await browser.post('/connexion/code', { code: '000000' }), 409)
  const { corps } = (await world.messages()).findLast(({ destinataire }) => destinataire === AIDANTS[aidant].email)!
  const [, a, b] = /: (\d{3}) (\d{3})\n/.exec(corps)!
  secrets.add(/connexion\/lien\/(\S+)/.exec(corps)![1]!)
  status(await browser.post('/connexion/code', { code: `${a}${b}` }), 303)
  remember(browser)
  return browser
}

const dernierJourLu = (page: Page) => /name="dernierJour" value="([^"]*)"/.exec(page.html)?.[1] ?? ''
const lues = (page: Page) => /name="lues" value="([^"]*)"/.exec(page.html)?.[1] ?? ''
async function identified(browser: Browser, persona: string): Promise<Page> {
  const chosen = await browser.post('/mandats/nouveau', { protegee: 'non', thematiques: ['logement', 'argent'], duree: 'mois' })
  const to = await browser.post(chosen.location!, {})
  remember(browser, to)
  const back = await browser.atFranceConnect(to, persona)
  remember(browser, back)
  const received = await browser.get(back.location!)
  remember(browser, received)
  return browser.follow(received)
}
const demarche = (more: Record<string, string> = {}) => ({
  demarche: 'autre',
  titre: `Dossier ${WORDS.titre}`,
  thematique: 'logement',
  resultat: 'deposee',
  reference: WORDS.reference,
  administration: `Office ${WORDS.administration}`,
  note: `Elle dit ${WORDS.note}`,
  etapeQuoi: `Rappeler ${WORDS.etapeQuoi}`,
  orientation: `Vers ${WORDS.orientation}`,
  encore: 'oui',
  envoi: randomUUID(),
  ...more,
})

const wrongOf = (code: string) => (code === '000000' ? '111111' : '000000')

let mandatId: string
let usagerId: string

describe('rien de la personne dans le journal technique', { timeout: 120_000 }, () => {
  it('ni de l’accord à l’arrêt, ni quand on se trompe', async () => {
    const thomas = await signIn('thomas')
    const accord = await identified(thomas, 'voahangy')
    const yes = {
      reponse: 'oui',
      redit: 'oui',
      suivi: 'email',
      lues: lues(accord),
      dernierJour: dernierJourLu(accord),
      thematiques: lues(accord).split(' '),
    }
    status(await thomas.post(accord.url, { ...yes, email: 'quetzal@@nulle part' }), 422)
    status(await thomas.post(accord.url, { ...yes, suivi: 'sms', mobile: '98 76 54 32' }), 422)
    const agreed = status(await thomas.post(accord.url, { ...yes, email: 'quetzal@exemple.fr' }), 303)
    const [mail] = (await world.messages()).filter(({ cle }) => cle.startsWith('connexion:contact:'))
    const received = /(\d{3}) (\d{3})/.exec(mail!.corps)!.slice(1).join('')
    status(await thomas.get(agreed.location!), 200)
    status(await thomas.post(agreed.location!, { geste: 'prouver', code: wrongOf(received) }), 409)
    const proven = status(await thomas.post(agreed.location!, { geste: 'prouver', code: received }), 303)
    status(await thomas.post(proven.location!, { code: '000000' }), 409)
    const signed = status(await thomas.post(proven.location!, { code: await world.freshCode('thomas') }), 303)
    mandatId = new URL(signed.location!).pathname.split('/').at(-1)!
    usagerId = (await world.usagerIdOf('voahangy'))!

    const noting = `/mandats/${mandatId}/demarches/nouvelle`
    for (const more of [{}, { nature: 'reclamation' }, { thematique: 'argent' }])
      status(await thomas.post(noting, demarche(more)), 303)
    status(await thomas.post(noting, demarche({ note: WORDS.note.repeat(60), montant: WORDS.note })), 422)
    status(await thomas.post(noting, demarche({ thematique: 'justice' })), 409)
    const outside = `/mandats/${mandatId}/demarches/hors-mandat`
    status(await thomas.post(outside, demarche({ thematique: 'justice', motif: `Parce que ${WORDS.motif}` })), 303)
    for (const page of [
      `/personnes?q=${WORDS.recherche}`,
      '/personnes?q=rakotondrainibe',
      `/personnes/${usagerId}`,
      `/mandats/${mandatId}`,
    ])
      status(await thomas.get(page), 200)

    const nadia = await signIn('nadia')
    const opening = `/structure/personnes/${usagerId}/ouvrir`
    const why = { motif: 'autre', precision: `Au sujet de ${WORDS.precision}`, envoi: randomUUID() }
    status(await nadia.post(opening, { ...why, precision: WORDS.precision.repeat(60) }), 422)
    status(await nadia.post(opening, why), 303)
    status(await nadia.get(`/structure/personnes/${usagerId}`), 200)
    status(await nadia.get('/structure/journal'), 200)

    const voahangy = world.browser()
    const back = await voahangy.atFranceConnect(await voahangy.post('/connexion/franceconnect', {}), 'voahangy')
    remember(voahangy, back)
    const espace = status(await voahangy.follow(await voahangy.get(back.location!)), 200)
    remember(voahangy)
    expect(espace.html.toLowerCase()).toContain('voahangy')
    for (const page of ['/mon-espace/acces', '/mon-espace/donnees', `/mon-espace/mandats/${mandatId}`])
      status(await voahangy.get(page), 200)
    status(await voahangy.post(`/mon-espace/mandats/${mandatId}/arreter`, { quoi: 'argent' }), 303)
    status(await voahangy.post('/mon-espace/deconnexion', {}), 303)

    expect(world.log.length).toBeGreaterThan(40)
    expect(told()).toEqual([])
  })

  it('ni quand tout va mal : adresses, base, fournisseur, messages', async () => {
    const thomas = world.browser(await world.sessionOf('thomas'))
    for (const [page, expected] of [
      ['/rakotondrainibe/axolotl', 404],
      [`/personnes/rakotondrainibe`, 404],
      [`/personnes/${usagerId}?q=${WORDS.note}&notee=${WORDS.note}&apres=${WORDS.note}`, 200],
      [`/personnes?q=${WORDS.note.repeat(400)}`, 414],
      [`/connexion/franceconnect/retour?error=access_denied&error_description=${WORDS.erreur}&state=${WORDS.note}`, 409],
      [`/structure/journal?aidant=${WORDS.note}`, 404],
    ] as const)
      status(await thomas.get(page), expected)
    const post = async (headers: Record<string, string>, body: string) => {
      const cookie = await world.sessionOf('thomas')
      const sent = { origin: 'http://localhost:3000', cookie, ...headers }
      return (await world.app.request(`/mandats/${mandatId}/demarches/nouvelle`, { method: 'POST', headers: sent, body })).status
    }
    expect(await post({ 'content-type': 'application/json' }, JSON.stringify(demarche()))).toBe(415)
    expect(await post({ 'content-type': 'multipart/form-data; boundary=x' }, WORDS.note)).toBe(400)
    expect(await post({ origin: `https://${WORDS.note}.example` }, WORDS.note)).toBe(403)

    // A refused row is quoted whole in the server's message.
    const noting = `/mandats/${mandatId}/demarches/nouvelle`
    await world.sql`alter table demarche_contenu add constraint canari check (note not like '%axolotl%') not valid`
    status(await thomas.post(noting, demarche()), 500)
    await world.sql`alter table demarche_contenu drop constraint canari`
    await world.sql`alter table demarche_contenu rename column note to autre`
    status(await thomas.post(noting, demarche()), 500)
    await world.sql`alter table demarche_contenu rename column autre to note`
    await world.sql`revoke execute on function mots(text) from public, traitdunion_app`
    status(await thomas.get('/personnes?q=rakotondrainibe'), 500)
    await world.sql`grant execute on function mots(text) to public`
    const failures = world.log.filter(({ event }) => event === 'erreur')
    expect(failures.map(({ error, constraint }) => [error, constraint])).toEqual([
      ['PostgresError:23514', 'canari'],
      ['PostgresError:42703', undefined],
      ['PostgresError:42501', undefined],
    ])

    const down = openDb({ url: world.database.url.replace(/:\d+\//, ':9/'), connections: 1, waitMs: 1 })
    const log = openLog((line) => void world.log.push(JSON.parse(line) as Record<string, unknown>))
    const broken = createApp({ db: down, config: world.config, oidc: { franceconnect: world.provider }, log })
    const cookie = await world.sessionOf('thomas')
    expect((await broken.request('/personnes?q=rakotondrainibe', { headers: { cookie } })).status).toBe(503)
    await down.close()

    for (const mode of ['token', 'return'] as const) {
      twist = mode
      const page = await identified(thomas, 'voahangy')
      expect(page.html).not.toMatch(/lamantin|rakotondrainibe/i)
    }
    twist = 'none'

    const refusing = async ({ destinataire, corps }: { destinataire: string; corps: string }) => {
      throw Object.assign(new Error(`550 ${destinataire} unknown: ${corps}`), { code: `EENVELOPE ${destinataire}` })
    }
    expect(await deliverDue(world.db, refusing, log, world.config)).toBeGreaterThan(0)
    expect(world.log.filter(({ event }) => event === 'message_refuse')).not.toEqual([])
    expect(told()).toEqual([])
  })

  it('ni par une invitation, ProConnect, une feuille et ses codes, des fichiers, un SMS retenu, un effacement', async () => {
    const { sql, config } = world
    await sql`delete from limite`

    // The team: invited, paired with an authenticator, wrong at each step.
    const nadia = world.browser(await world.sessionOf('nadia'))
    const invitee = { prenom: WORDS.invitee, nom: WORDS.inviteeNom, email: `${WORDS.invitee}@exemple.fr` }
    status(await nadia.post('/structure/inviter', { ...invitee, email: `${WORDS.invitee}@nulle part` }), 422)
    status(await nadia.post('/structure/inviter', invitee), 303)
    status(await nadia.post('/structure/inviter', invitee), 409)
    const lien = /\/invitation\/\S+/.exec((await world.messages()).find(({ cle }) => cle.startsWith('invitation:'))!.corps)![0]
    secrets.add(lien.split('/').at(-1)!)
    const joining = world.browser()
    status(await joining.post(`${lien.slice(0, -2)}xx`, {}), 409)
    const shown = status(await joining.post(lien, {}), 200)
    const sel = /name="sel" value="([^"]+)"/.exec(shown.html)![1]!
    const key = /<strong class="code">([^<]+)</.exec(shown.html)![1]!.replaceAll(' ', '')
    for (const secret of [sel, key]) secrets.add(secret)
    status(await joining.post(lien, { geste: 'accepter', sel, code: '12' }), 422)
    status(await joining.post(lien, { geste: 'accepter', sel, code: '000000' }), 409)
    const totp = new TOTP({ secret: Secret.fromBase32(key) }).generate({ timestamp: (await world.now()).getTime() })
    const joined = status(await joining.post(lien, { geste: 'accepter', sel, code: totp }), 200)
    const secours = [...joined.html.matchAll(/<li><strong class="code">([\d ]+)</g)].map(([, one]) => one!)
    expect(secours).toHaveLength(10)
    for (const one of secours) secrets.add(one.replaceAll(' ', ''))
    remember(joining)

    // ProConnect: who may not enter, by what may not be enough, who may, and one that came back changed.
    for (const [agent, expected] of [
      ['inconnue', 409],
      ['thomas-courriel', 409],
      ['thomas-figeac', 200],
    ] as const) {
      const browser = world.browser()
      const back = await browser.atProConnect(await browser.post('/connexion/proconnect', { suite: WORDS.note }), agent)
      remember(browser, back)
      if (expected === 200) {
        const { pathname, search } = new URL(back.location!)
        status(await world.browser().get(pathname + search), 409)
      }
      const received = await browser.get(back.location!)
      remember(browser, received)
      status(await browser.follow(received), expected)
      remember(browser)
    }

    // Her sheet, her private code, the code sent to her.
    const thomas = world.browser(await world.sessionOf('thomas'))
    status(await thomas.post(`/mandats/${mandatId}/papiers/pour-vous`, {}), 200)
    const voahangy = world.browser(await world.sessionOf('voahangy'))
    const drawn = status(await voahangy.post('/mon-espace/code-papier', { geste: 'remplacer' }), 200)
    const code = /[36789BDFGHJKMPQRTVWXY]{4}(?:-[36789BDFGHJKMPQRTVWXY]{4}){2}/.exec(drawn.html)![0]
    const [born] = await sql<{ annee: string }[]>`select left(birthdate, 4) as annee from usager where id = ${usagerId}`
    const annee = born!.annee
    const autre = String(Number(annee) - 1)
    const verification = codeVerification(config.secretsKey, mandatId)
    for (const secret of [code, verification].flatMap((one) => [one, one.replaceAll('-', '')])) secrets.add(secret)
    for (const [path, right] of [
      ['/verifier', verification],
      ['/mon-espace/code', code],
    ] as const) {
      const holder = world.browser()
      status(await holder.post(path, { code: right, annee: 'hier' }), 422)
      status(await holder.post(path, { code: right, annee: autre }), 409)
      status(await holder.post(path, { code: right, annee }), path === '/verifier' ? 200 : 303)
      remember(holder)
      if (path === '/verifier') continue
      status(await holder.post('/mon-espace/confirmer', {}), 303)
      const sent = (await world.messages()).findLast(({ cle }) => /^connexion:.*:preuve$/.test(cle))!
      const digits = /(\d{3}) (\d{3})/.exec(sent.corps)!.slice(1).join('')
      secrets.add(digits)
      status(await holder.post('/mon-espace/confirmer/code', { code: wrongOf(digits) }), 409)
      status(await holder.post('/mon-espace/confirmer/code', { code: digits }), 303)
      remember(holder)
    }

    // What leaves as a file.
    for (const papier of ['mandat', 'releve', 'arret']) {
      status(await thomas.post(`/mandats/${mandatId}/papiers/${papier}`, {}), 200)
      status(await voahangy.post(`/mon-espace/mandats/${mandatId}/papiers/${papier}`, {}), 200)
    }
    status(await thomas.post(`/mandats/${mandatId}/preuve.json`, {}), 200)
    status(await voahangy.get(`/mon-espace/mandats/${mandatId}/preuve.json`), 200)

    // An SMS that the day has no room for, and a code refused.
    const say = openLog((line) => void world.log.push(JSON.parse(line) as Record<string, unknown>))
    await sql`
      insert into message (cle, canal, destinataire, corps, fuseau, due_at)
      values ('canari', 'sms', '+33698765432', 'axolotl', 'Europe/Paris', '-infinity')`
    const noon = await world.now()
    await world.database.freeze(new Date(noon.toISOString().slice(0, 10).concat('T11:00:00Z')))
    await deliverDue(world.db, async () => {}, say, { ...config, smsParJour: 0 })
    await world.database.freeze(null)
    await sql`delete from message where cle = 'canari'`
    const draft = await world.draft({ persona: 'voahangy', suivi: 'sms', contact: '+33698765432' })
    const by = world.as('thomas')
    expect(await sendCode(world.db, by, draft, { ...config, smsParJour: 0, log: say })).toMatchObject({ refusal: 'plus_de_sms' })
    expect(world.log.map(({ event }) => event)).toEqual(expect.arrayContaining(['sms_retenu', 'sms_refuse']))

    await sql`delete from brouillon where id = ${draft}`

    // Her contact, changed by herself.
    const elle = world.browser(await world.sessionOf('voahangy'))
    remember(elle)
    status(await elle.post('/mon-espace/contacts', { suivi: 'sms', mobile: '06 98 76 54 32' }), 303)
    const [last] = (await world.messages()).filter(({ cle }) => cle.startsWith('connexion:contact:'))
    const recu = /(\d{3}) (\d{3})/.exec(last!.corps)!.slice(1).join('')
    secrets.add(recu)
    status(await elle.post('/mon-espace/contacts/code', { geste: 'prouver', recu: wrongOf(recu) }), 409)
    status(await elle.post('/mon-espace/contacts/code', { geste: 'prouver', recu }), 303)
    status(await elle.get('/mon-espace/contacts'), 200)

    // Erased, and refused to be.
    const fatma = await world.signMandat({ persona: 'fatma' })
    const operator = openDb({ url: world.database.operatorUrl, connections: 1 })
    const erase = (motif: 'demande' | 'conservation') => eraseUsager(operator, { numero: fatma.id, motif, confirmed: true })
    expect(await erase('demande')).toMatchObject({ ok: false, refusal: 'mandat_en_cours' })
    const herself = world.browser(await world.sessionOf('fatma'))
    remember(herself)
    status(await herself.post(`/mon-espace/mandats/${fatma.id}/arreter`, { quoi: 'tout' }), 303)
    expect(await erase('conservation')).toMatchObject({ ok: false, refusal: 'conservation' })
    expect(await erase('demande')).toMatchObject({ ok: true })
    await operator.close()
    status(await herself.get('/mon-espace'), 303)

    expect(secrets.size).toBeGreaterThan(25)
    expect(told()).toEqual([])
  })

  it('et le canari chante quand on l’écrit : le contrôle voit', async () => {
    world.log.push({ event: 'requete', route: '/personnes?q=Rakotondrainibe' })
    expect(told()).toEqual(['rakotondrainibe'])
    world.log.pop()
  })
})

describe('rien de la personne là où elle ne doit pas être', () => {
  it('aucun nom, contact ni texte dans les lignes du journal', async () => {
    const lines = await world.sql<{ line: string }[]>`
      select j::text || convert_from(entry, 'UTF8') as line
      from journal j`
    expect(lines.length).toBeGreaterThan(10)
    const text = lines.map(({ line }) => line.toLowerCase()).join('\n')
    expect(CANARIES.filter((word) => text.includes(word))).toEqual([])
  })

  it('les messages ne disent ni démarche, ni thématique, ni nom', async () => {
    // But for those that open a door, which greet an aidant by her name.
    const messages = (await world.messages()).filter(({ cle }) => !/^(?:connexion|invitation):/.test(cle))
    expect(messages.map(({ cle }) => cle.split(':')[0])).toEqual(expect.arrayContaining(['mandat-signe', 'arret', 'contact']))
    const words = [...THEMATIQUES, ...Object.values(THEMATIQUE).map(({ titre }) => titre.toLowerCase()), ...CANARIES]
    for (const { sujet, corps } of messages)
      expect(words.filter((word) => `${sujet} ${corps}`.toLowerCase().includes(word))).toEqual([])
  })

  it('après son refus, plus rien d’elle dans aucune table, ni de son passage dans son espace', async () => {
    const thomas = world.browser(await world.sessionOf('thomas'))
    const accord = await identified(thomas, 'josiane')
    expect(await world.tablesHolding('bousquet')).toEqual(['brouillon'])
    const email = { reponse: 'oui', redit: 'oui', suivi: 'email', email: 'coelacanthe@exemple.fr' }
    const read = { lues: lues(accord), dernierJour: dernierJourLu(accord), thematiques: lues(accord).split(' ') }
    status(await thomas.post(accord.url, { ...email, ...read }), 303)
    const [{ sub } = { sub: '' }] = await world.sql<
      { sub: string }[]
    >`select identite ->> 'sub' as sub from brouillon where identite is not null`
    status(await thomas.post(accord.url, { reponse: 'non' }), 200)

    const josiane = world.browser()
    const back = await josiane.atFranceConnect(await josiane.post('/connexion/franceconnect', {}), 'josiane')
    const door = await josiane.follow(await josiane.get(back.location!))
    expect(door.status).toBe(409)

    expect(sub.length).toBeGreaterThan(20)
    for (const word of ['josiane', 'bousquet', 'delpech', 'coelacanthe', sub]) expect(await world.tablesHolding(word)).toEqual([])
    const text = logged()
    for (const word of ['josiane', 'bousquet', 'delpech', 'coelacanthe', sub]) expect(text).not.toContain(word.toLowerCase())
  })
})
