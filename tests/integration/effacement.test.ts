import { execFileSync, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { openDossier } from '../../src/audit/open.ts'
import { type Db, openDb } from '../../src/db.ts'
import { recordDemarche } from '../../src/demarche/record.ts'
import { hashToken, openSession } from '../../src/http/session.ts'
import { append } from '../../src/journal/append.ts'
import { linesOf, verifyBundle } from '../../src/journal/bundle.ts'
import { exportJournal } from '../../src/journal/export.ts'
import { jcs } from '../../src/journal/jcs.ts'
import { NO_WITNESS } from '../../src/journal/policy.ts'
import { parseProvenLines, verifyLine } from '../../src/journal/proof.ts'
import { proveLine } from '../../src/journal/prove.ts'
import { announceBlockedCodes } from '../../src/mandat/announce-blocked.ts'
import { askContact } from '../../src/mandat/ask-contact.ts'
import { changeContact } from '../../src/mandat/change-contact.ts'
import { codeVerification } from '../../src/mandat/code.ts'
import { writeExpired } from '../../src/mandat/expire.ts'
import { stopMandat } from '../../src/mandat/stop.ts'
import { printPapier } from '../../src/papier/print.ts'
import { lotByLot } from '../../src/turns.ts'
import { applyTerms } from '../../src/usager/apply-terms.ts'
import { changeCode } from '../../src/usager/change-code.ts'
import { empreinteDuCodePrive } from '../../src/usager/code-prive.ts'
import { findParCode } from '../../src/usager/code-queries.ts'
import { enterEspace } from '../../src/usager/enter.ts'
import { eraseUsager } from '../../src/usager/erase.ts'
import { forgetAcces } from '../../src/usager/forget.ts'
import { messageDeCodeBloque } from '../../src/usager/messages.ts'
import { openByCode } from '../../src/usager/open-by-code.ts'
import { sendProof } from '../../src/usager/send-proof.ts'
import { giveCodes } from '../../src/verification/give-codes.ts'
import { newWitness, openTree } from '../support/arbre.ts'
import { expectValidHtml } from '../support/html.ts'
import { ROOT } from '../support/processes.ts'
import { newWorld, ok, type Telling, type Told, uneDemarche, type World } from '../support/world.ts'

const DAY = 24 * 3_600_000
/** As long as so many years can be. */
const YEAR = 365.25 * DAY

let world: World
let operator: Db
/** Time only goes forward: each test begins long after the one before, whose persons are all erased by then. */
let year = 2027
beforeAll(async () => {
  world = await newWorld()
  operator = openDb({ url: world.database.operatorUrl, connections: 2 })
})
afterAll(async () => {
  await operator.close()
  await world.close()
})
beforeEach(async () => {
  year += 13
  await world.database.freeze(new Date(Date.UTC(year, 2, 2, 9, 2, 5)))
  await eraseDue()
})
const eraseDue = async () => (await applyTerms(world.db)).effaces
const archiveDossiers = async () => (await applyTerms(world.db)).archives
const later = (ms: number) => world.database.travel({ ms })

const NAMES: Record<string, string[]> = {
  voahangy: ['voahangy', 'rakotondrainibe', 'quetzal@exemple.fr'],
  josiane: ['josiane', 'bousquet'],
}
/** A life here: a mandat, acts, papers, a space opened by code, an opening by the direction, then an end. */
async function live(persona: string, more: Partial<Telling> = {}): Promise<Told & { code: string }> {
  const told = await world.signMandat({
    persona,
    perimetre: ['logement', 'argent'],
    suivi: 'email',
    contact: 'quetzal@exemple.fr',
    ...more,
  })
  const words = { titre: 'Dossier ornithorynque', note: 'Elle dit axolotl', reference: 'pangolin-7' }
  ok(await recordDemarche(world.db, world.as('thomas'), uneDemarche(told.id, 'logement', words)))
  const sheet = ok(await printPapier(world.db, world.as('thomas'), { mandatId: told.id, papier: 'pour-vous' }, world.signer))
  const opening = { usagerId: told.usagerId, motif: 'autre', precision: 'Au sujet de wombat', envoi: told.id } as const
  ok(await openDossier(world.db, world.asReferent('nadia'), opening))
  await world.sessionOf(persona)
  return { ...told, code: sheet.imprime.papier === 'pour-vous' ? sheet.imprime.codePrive : '' }
}
const ended = async (persona: string, more?: Partial<Telling>) => {
  const told = await live(persona, more)
  ok(await stopMandat(world.db, await world.asUsager(persona), { mandatId: told.id }))
  return told
}
const erase = (numero: string, motif: Parameters<typeof eraseUsager>[1]['motif'] = 'demande', confirmed = true) =>
  eraseUsager(operator, { numero, motif, confirmed })
const WORDS = ['ornithorynque', 'axolotl', 'pangolin', 'wombat', 'quetzal']

describe('effacer une personne', () => {
  it('ne laisse aucun mot d’elle dans aucune table ; ses lignes, ses mandats et ses démarches restent, nus', async () => {
    const told = await ended('voahangy')
    const before = await world.lines()
    const erased = ok(await erase(told.id))
    for (const word of [...NAMES.voahangy!, ...WORDS]) expect([word, await world.tablesHolding(word)]).toEqual([word, []])
    const [usager] = await world.sql`select * from usager where id = ${told.usagerId}`
    expect(usager).toMatchObject({ sub: null, prenoms: null, birthdate: null, email: null, erased_at: erased.le })
    for (const table of ['session', 'code_prive', 'acces', 'papier_du', 'mandat_contenu', 'demarche_contenu', 'dossier_mot'])
      expect([table, (await world.sql`select 1 from ${world.sql(table)} where usager_id = ${told.usagerId}`).length]).toEqual([
        table,
        0,
      ])
    expect(await world.sql`select 1 from code_verification where mandat_id = ${told.id}`).toHaveLength(0)
    expect((await world.messages()).filter(({ cle }) => cle.includes(told.id))).toEqual([])

    const after = await world.lines()
    const line = after.at(-1)!
    expect(after.slice(0, -1).map(({ entry }) => entry)).toEqual(before.map(({ entry }) => entry))
    expect(line).toMatchObject({ id: erased.ligne, action: 'donnees_effacees', acteur: 'operateur', usagerId: told.usagerId })
    expect(line).toMatchObject({ acteurId: null, structureId: null, mandatId: null })
    const { mandats, demarches, lignes } = erased.counts!
    expect(line.payload).toBe(jcs({ motif: 'demande', mandats, demarches, lignes }))
    expect(erased.counts).toMatchObject({
      mandats: 1,
      demarches: 1,
      lignes: before.filter((one) => one.usagerId === told.usagerId).length,
    })
    expect(after.filter((one) => one.usagerId === told.usagerId && one.payload !== null)).toEqual([line])
    expect(await world.sql`select 1 from demarche where usager_id = ${told.usagerId}`).toHaveLength(1)
  })

  it('ni le code envoyé à son contact, ni la nouvelle que le sien est bloqué, ne restent dans les messages', async () => {
    const { secretsKey } = world.config
    const told = await ended('voahangy')
    await world.sql`update usager set email_prouve_at = horloge() where id = ${told.usagerId}`
    const [{ annee }] = await world.sql<
      [{ annee: string }]
    >`select left(birthdate, 4) as annee from usager where id = ${told.usagerId}`
    const { token } = ok(await openByCode(world.db, { code: told.code, annee, previousSession: undefined }, secretsKey))
    const [session] = await world.sql<{ id: string }[]>`select id from session where jeton = ${hashToken(token)}`
    ok(await sendProof(world.db, { sessionId: session!.id, usagerIds: [told.usagerId] }, { ...world.config, log: () => {} }))
    // One that she drew herself: no mandat is named when it is said to be blocked.
    const { code } = await changeCode(world.db, await world.asUsager('voahangy'), 'remplacer', secretsKey)
    const empreinte = empreinteDuCodePrive(secretsKey, code!)
    for (let n = 0; n < 15; n++)
      await world.db.tx({ kind: 'portier' }, (tx) => findParCode(tx, { empreinte, annee: '1900', compte: true }))
    await announceBlockedCodes(world.db, () => {})
    const keys = async () =>
      (await world.messages()).map(({ cle }) => /^(connexion(?=:.*:preuve$)|code-bloque)/.exec(cle as string)?.[0])
    expect(await keys()).toEqual(expect.arrayContaining(['connexion', 'code-bloque']))
    ok(await erase(told.id))
    expect((await keys()).filter(Boolean)).toEqual([])
    expect(await world.tablesHolding('quetzal')).toEqual([])
  })

  it('ni le contact qui attendait son code, ni le mot dit à l’ancien', async () => {
    const told = await ended('voahangy')
    const her = await world.asUsager('voahangy')
    const door = { ...world.config, log: () => {} }
    ok(await changeContact(world.db, her, told.usagerId, undefined, door))
    expect((await world.messages()).some(({ cle }) => cle.startsWith(`contact:${told.id}:`))).toBe(true)
    ok(await askContact(world.db, her, told.usagerId, { suivi: 'sms', contact: '+33698700001' }, door))
    expect(await world.tablesHolding('+33698700001')).toEqual(['changement_contact', 'message'])
    ok(await erase(told.id))
    for (const word of ['+33698700001', 'quetzal']) expect([word, await world.tablesHolding(word)]).toEqual([word, []])
  })

  it('deux fois n’efface rien de plus, et le dit ; sans confirmation, rien n’est effacé', async () => {
    const told = await ended('josiane')
    const whole = await world.digest()
    const rehearsed = ok(await erase(told.id, 'demande', false))
    expect(rehearsed.counts).toMatchObject({ mandats: 1, demarches: 1 })
    expect(await world.digest()).toEqual(whole)
    const erased = ok(await erase(told.usagerId))
    expect(erased.counts).toEqual(rehearsed.counts)
    const once = await world.digest()
    await later(DAY)
    const again = ok(await erase(told.usagerId))
    expect(again).toEqual({ ok: true, usagerIds: [told.usagerId], le: erased.le, ligne: erased.ligne, counts: null })
    expect(await world.digest()).toEqual(once)
  })

  it('un mandat venu à sa date, effacé avant que sa ligne de fin soit écrite, ne retient pas celles des autres', async () => {
    const told = await live('voahangy', { duree: 'jour' })
    const other = await world.signMandat({ persona: 'josiane', duree: 'jour' })
    await later(3 * DAY)
    ok(await erase(told.id))
    const failed: unknown[] = []
    expect(await writeExpired(world.db, (_, line) => failed.push(line))).toBe(1)
    expect(failed).toEqual([])
    const ends = (await world.lines()).filter(({ action }) => action === 'mandat_expire')
    expect(ends.at(-1)).toMatchObject({ mandatId: other.id })
  })

  it('ne laisse pas ce qui lui a été écrit d’un code qu’elle a tiré elle-même, et qu’on a trop essayé', async () => {
    const told = await ended('voahangy')
    await changeCode(world.db, await world.asUsager('voahangy'), 'remplacer', world.config.secretsKey)
    await world.sql`
      insert into code_prive_essai (code_prive_id, faux, bloque_at)
      select id, 15, now() from code_prive where usager_id = ${told.usagerId} and replaced_at is null`
    await announceBlockedCodes(world.db, () => {})
    const hers = async () => (await world.messages()).filter(({ destinataire }) => destinataire === 'quetzal@exemple.fr')
    expect((await hers()).map(({ sujet }) => sujet)).toContain(messageDeCodeBloque.sujet)
    ok(await erase(told.id))
    expect(await hers()).toEqual([])
  })

  /** Erases her, and does this before the commit; what `meanwhile` waits for is the erasure. */
  const whileErasing = async <T>({ usagerId }: Told, meanwhile: () => Promise<T>): Promise<T> => {
    let going!: Promise<T>
    await operator.tx({ kind: 'operator' }, async ({ sql }) => {
      await sql`select efface(${usagerId}, 'demande')`
      going = meanwhile()
      going.catch(() => {})
      await waiting()
    })
    return going
  }
  const waiting = async () => {
    const found = () => world.sql`select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`
    while ((await found()).length === 0) await sleep(10)
  }

  it('deux effacements à la fois n’en font qu’un', async () => {
    const told = await ended('voahangy')
    expect(ok(await whileErasing(told, () => erase(told.id))).counts).toBeNull()
    const lines = await world.lines()
    expect(lines.filter((one) => one.usagerId === told.usagerId && one.action === 'donnees_effacees')).toHaveLength(1)
  })

  it('une démarche notée en même temps est effacée avec le reste, ou refusée : jamais gardée', async () => {
    for (let i = 0; i < 6; i++) {
      const told = await ended('voahangy')
      const noted = { titre: 'Dossier ornithorynque', doneAt: told.signedAt }
      const attempts = Array.from({ length: 3 }, () =>
        recordDemarche(world.db, world.as('thomas'), uneDemarche(told.id, 'logement', noted)).catch(() => {}),
      )
      ok(await erase(told.id))
      await Promise.all(attempts)
      await recordDemarche(world.db, world.as('thomas'), uneDemarche(told.id, 'logement', noted)).catch(() => {})
      expect(await world.tablesHolding('ornithorynque')).toEqual([])
      expect(
        await world.sql`select 1 from journal_contenu where usager_id = ${told.usagerId} and payload is not null`,
      ).toHaveLength(1)
    }
  })

  it('ce qui s’écrit d’elle à cet instant est attendu, puis effacé avec le reste ; ensuite, plus rien ne s’écrit', async () => {
    const told = await ended('voahangy')
    const mandat = { id: told.id, structureId: told.structureId, usagerId: told.usagerId }
    const line = { action: 'attestation_imprimee', mandat, contenu: { papier: 'mandat' } } as const
    let erasing!: ReturnType<typeof erase>
    await world.db.tx(world.as('thomas'), async (tx) => {
      await append(tx, line)
      erasing = erase(told.id)
      await waiting()
    })
    ok(await erasing)
    expect(
      await world.sql`select 1 from journal_contenu where usager_id = ${told.usagerId} and payload is not null`,
    ).toHaveLength(1)
    const late = world.db.tx(world.as('thomas'), (tx) => append(tx, line))
    await expect(late).rejects.toMatchObject({ constraint_name: 'personne_effacee' })
  })

  it('qui entre dans son espace à cet instant est inconnue', async () => {
    const told = await ended('voahangy')
    const { identite } = await world.identified('voahangy', 'nonce')
    const entered = await whileErasing(told, () => enterEspace(world.db, identite, undefined))
    expect(entered).toEqual({ ok: false, refusal: 'personne_inconnue' })
  })

  it('un espace que son code ouvre à cet instant se referme', async () => {
    const told = await ended('voahangy')
    const [{ annee, empreinte } = { annee: '', empreinte: Buffer.of() }] = await world.sql<
      { annee: string; empreinte: Buffer }[]
    >`
      select left(u.birthdate, 4) as annee, c.empreinte
      from usager u join code_prive c on c.usager_id = u.id where u.id = ${told.usagerId} and c.replaced_at is null`
    let erasing!: ReturnType<typeof erase>
    await world.db.tx({ kind: 'portier' }, async (tx) => {
      const found = await findParCode(tx, { empreinte, annee, compte: true })
      erasing = erase(told.id)
      await waiting()
      await openSession(tx, { ...found!, niveau: 'code_prive' })
    })
    ok(await erasing)
    expect(await world.sql`select 1 from session where usager_id = ${told.usagerId}`).toHaveLength(0)
    expect(await world.sql`select 1 from acces where usager_id = ${told.usagerId}`).toHaveLength(0)
  })

  it('n’est pas effacée, et pourquoi : mandat en cours, conservation, numéro inconnu', async () => {
    const told = await live('josiane')
    const whole = await world.digest()
    for (const motif of ['conservation', 'demande', 'decision', 'erreur'] as const)
      expect(await erase(told.id, motif)).toMatchObject({ ok: false, refusal: 'mandat_en_cours' })
    expect(await erase('00000000-0000-4000-8000-000000000000')).toEqual({ ok: false, refusal: 'personne_inconnue', le: null })
    await world.database.freeze(told.expiresAt)
    const until = new Date(told.expiresAt)
    until.setUTCFullYear(until.getUTCFullYear() + 6)
    expect(await erase(told.id, 'conservation')).toEqual({ ok: false, refusal: 'conservation', le: until })
    expect(await world.digest()).toEqual(whole)
    await world.database.freeze(new Date(until.getTime() - 1))
    expect(await erase(told.id, 'conservation')).toMatchObject({ ok: false, refusal: 'conservation' })
    await world.database.freeze(until)
    expect(ok(await erase(told.id, 'conservation')).counts).toMatchObject({ mandats: 1 })
  })

  it('un second mandat, même d’une autre structure, garde tout', async () => {
    const first = await ended('ibrahim')
    await later(5 * YEAR)
    const second = await world.signMandat({ persona: 'ibrahim', aidant: 'fabrice', perimetre: ['papiers'], duree: 'jour' })
    expect(second.usagerId).toBe(first.usagerId)
    await later(2 * YEAR)
    expect(await erase(first.id, 'conservation')).toMatchObject({ ok: false, refusal: 'conservation' })
    await later(5 * YEAR)
    expect(ok(await erase(first.id, 'conservation')).counts).toMatchObject({ mandats: 2, demarches: 1 })
  })
})

describe('personne d’autre ne peut effacer', () => {
  const attempt = (steps: string[]) =>
    world.sql
      .begin(async (tx) => {
        for (const step of steps) await tx.unsafe(step)
        throw new Error('passed')
      })
      .catch((error: Error & { code?: string }) => error.code ?? error.message)
  const WHO = ['worker', 'operator', 'referent', 'usager', 'traitdunion_effaceur']
  const pretending = (who: string) => [
    'set local role traitdunion_app',
    `select set_config('app.who', '${who}', true), set_config('role', 'traitdunion_app', true), set_config('traitdunion.effacement', 'on', true)`,
  ]

  it('ni l’application, quoi qu’elle règle ; ni l’opérateur et le propriétaire, table par table', async () => {
    const told = await ended('voahangy')
    const statements = [
      'update journal_contenu set payload = null, salt = null',
      'delete from journal_contenu',
      'delete from mandat_contenu',
      'delete from demarche_contenu',
      'update usager set sub = null, erased_at = horloge()',
    ]
    for (const who of WHO)
      for (const statement of [...statements, `select efface('${told.usagerId}', 'demande')`])
        expect([who, statement, await attempt([...pretending(who), statement])]).toEqual([who, statement, '42501'])
    for (const role of ['traitdunion_operator', 'traitdunion_auditor', 'traitdunion_sequencer'])
      for (const statement of statements) expect(await attempt([`set local role ${role}`, statement])).toBe('42501')
    for (const statement of statements.slice(0, 4))
      expect(
        await attempt(['set local role traitdunion_owner', `select set_config('app.who', 'operator', true)`, statement]),
      ).toBe('42501')
    for (const role of ['traitdunion_app', 'traitdunion_owner', 'traitdunion_operator'])
      expect(await attempt([`set session authorization ${role}`, 'set role traitdunion_effaceur'])).toBe('42501')
  })

  it('… et sans l’exception au nom du rôle, ou avec une autre, l’essai le verrait', async () => {
    await ended('voahangy')
    const disarmed = `create or replace trigger insertion_seule before update or delete on mandat_contenu for each row
      when (current_setting('traitdunion.effacement', true) is distinct from 'on') execute function refuse_modification()`
    const bypass = [`select set_config('traitdunion.effacement', 'on', true)`, 'delete from mandat_contenu']
    expect(await attempt(['set local role traitdunion_owner', ...bypass])).toBe('42501')
    expect(await attempt([disarmed, 'set local role traitdunion_owner', ...bypass])).toBe('passed')
  })

  it('ce rôle lui-même ne récrit ni une ligne, ni un mandat, ni des mots : il ne fait que vider', async () => {
    await ended('voahangy')
    for (const statement of [
      `update journal set action = 'export'`,
      'delete from journal',
      `insert into journal (action, acteur, commitment) values ('export', 'operateur', decode(repeat('00', 32), 'hex'))`,
      `update mandat_contenu set texte = 'autre'`,
      `update demarche_contenu set titre = 'autre'`,
      'update mandat set ended_at = null',
      'delete from journal_contenu',
    ])
      expect([statement, await attempt(['set local role traitdunion_effaceur', statement])]).toEqual([statement, '42501'])
    // Nor does an identity disappear without the line that says so: checked at commit, whoever wrote it.
    const silent = attempt([
      `update usager set sub = null, prenoms = null, nom_naissance = null, nom_usage = null, birthdate = null, birthplace = null, birthcountry = null,
        email = null, telephone = null, email_prouve_at = null, telephone_prouve_at = null, contact_lecteur = null, erased_at = horloge()`,
      'set constraints all immediate',
    ])
    expect(await silent).toBe('23514')
  })

  it('l’application ne fait effacer que ce dont le terme est venu', async () => {
    const told = await ended('voahangy')
    await later(5 * YEAR)
    expect(await eraseDue()).toBe(0)
    expect(await world.sql`select 1 from usager where id = ${told.usagerId} and erased_at is null`).toHaveLength(1)
  })
})

describe('au terme', () => {
  it('le service efface seul, à l’heure et pas une seconde avant ; deux à la fois se partagent le travail', async () => {
    const told: Told[] = []
    for (const persona of [
      'odette',
      'josiane',
      'marcel',
      'fatma',
      'camille',
      'moussa',
      'aissatou',
      'lucienne',
      'didier',
      'toussaint',
      'conceicao',
      'abdelkader',
    ])
      told.push(await world.signMandat({ persona, duree: 'jour' }))
    const until = new Date(told[0]!.expiresAt)
    until.setUTCFullYear(until.getUTCFullYear() + 6)
    await world.database.freeze(new Date(until.getTime() - 1000))
    expect(await eraseDue()).toBe(0)
    const kept = () =>
      world.sql`select 1 from usager where id = any (${told.map(({ usagerId }) => usagerId)}) and erased_at is null`
    expect(await kept()).toHaveLength(told.length)
    await world.database.freeze(until)
    const counts = await Promise.all([eraseDue(), eraseDue(), eraseDue()])
    expect(counts.reduce((a, b) => a + b)).toBe(told.length)
    expect(await kept()).toHaveLength(0)
    expect(await eraseDue()).toBe(0)
    const lines = (await world.lines()).filter(
      ({ action, usagerId }) => action === 'donnees_effacees' && told.some((one) => one.usagerId === usagerId),
    )
    expect(lines).toHaveLength(told.length)
    for (const { acteur, payload } of lines) expect([acteur, JSON.parse(payload!).motif]).toEqual(['systeme', 'conservation'])
  })

  it('se redemande pour moins de personnes quand une instruction n’a pas le temps', async () => {
    await ended('voahangy')
    await ended('josiane')
    await later(7 * YEAR)
    let asked = 0
    // The server ends the statement of the first two lots, as it does after 3 s.
    const slow: Db = {
      ...world.db,
      tx: (who, work, options) =>
        world.db.tx(
          who,
          async (tx) => {
            if (asked++ < 2) await tx.sql`set local statement_timeout = '1ms'`
            if (asked <= 2) await tx.sql`select pg_sleep(1)`
            return work(tx)
          },
          options,
        ),
    }
    expect((await applyTerms(slow)).effaces).toBe(2)
    expect(asked).toBeGreaterThan(2)
  })

  it('la liste des accès est oubliée au bout de douze mois', async () => {
    const told = await live('josiane')
    const thomas = await world.sessionOf('thomas')
    expect((await world.get(`/personnes/${told.usagerId}`, thomas)).status).toBe(200)
    const seen = () => world.sql`select 1 from acces where usager_id = ${told.usagerId} and genre = 'dossier_consulte'`
    const forget = () => lotByLot(() => world.db.tx({ kind: 'worker' }, forgetAcces))
    await later(364 * DAY)
    await forget()
    expect(await seen()).toHaveLength(1)
    await later(3 * DAY)
    await Promise.all([forget(), forget()])
    expect(await seen()).toHaveLength(0)
  })
})

describe('deux ans après la fin, le dossier est archivé', () => {
  const readBy = async (aidant: 'thomas' | 'nadia', told: Told) => {
    const cookie = await world.sessionOf(aidant)
    const statusOf = async (path: string) => (await world.get(path, cookie)).status
    return {
      personne: await statusOf(`/personnes/${told.usagerId}`),
      mandat: await statusOf(`/mandats/${told.id}`),
      preuve: (await world.post(`/mandats/${told.id}/preuve.json`, {}, cookie)).status,
      noter: await statusOf(`/mandats/${told.id}/demarches/nouvelle`),
    }
  }
  const contents = (who: Parameters<Db['tx']>[0], { usagerId }: Told) =>
    world.db.tx(who, async ({ sql }) => {
      const [row] = await sql<Record<string, number>[]>`
        select
          (select count(*)::int from usager where id = ${usagerId}) as usager,
          (select count(*)::int from mandat where usager_id = ${usagerId}) as mandat,
          (select count(*)::int from mandat_contenu where usager_id = ${usagerId}) as accords,
          (select count(*)::int from demarche_contenu where usager_id = ${usagerId}) as demarches,
          (select count(*)::int from journal_contenu where usager_id = ${usagerId}) as lignes`
      return row!
    })

  it('plus aucun aidant, ni la direction, ne lit rien d’elle ; elle lit tout ; et qui signe de nouveau rouvre', async () => {
    const told = await ended('francoise')
    const [end] = await world.sql<{ at: Date }[]>`select ended_at as at from mandat where id = ${told.id}`
    const [aidant, referent, hers] = [world.as('thomas'), world.asReferent('nadia'), await world.asUsager('francoise')]
    const two = new Date(end!.at)
    two.setUTCFullYear(two.getUTCFullYear() + 2)
    await world.database.freeze(new Date(two.getTime() - 1000))
    await archiveDossiers()
    expect(await contents(aidant, told)).toMatchObject({ usager: 1, mandat: 1, accords: 1, demarches: 1 })
    // The direction has it open, for a quarter of an hour.
    const opening = { usagerId: told.usagerId, motif: 'controle', precision: null, envoi: randomUUID() } as const
    ok(await openDossier(world.db, world.asReferent('nadia'), opening))
    expect(await contents(referent, told)).toMatchObject({ usager: 1, mandat: 1, accords: 1, demarches: 1 })
    const all = await contents(hers, told)

    await world.database.freeze(two)
    const counts = await Promise.all([archiveDossiers(), archiveDossiers()])
    expect(counts.reduce((a, b) => a + b)).toBeGreaterThan(0)
    expect(await archiveDossiers()).toBe(0)
    const nothing = { usager: 0, mandat: 0, accords: 0, demarches: 0, lignes: 0 }
    expect(await contents(aidant, told)).toEqual(nothing)
    expect(await contents(referent, told)).toEqual(nothing)
    expect(await contents(hers, told)).toEqual(all)
    for (const one of ['thomas', 'nadia'] as const)
      expect(await readBy(one, told)).toEqual({ personne: 404, mandat: 404, preuve: 404, noter: 404 })
    const list = await (await world.get('/personnes', await world.sessionOf('thomas'))).text()
    expect(list).not.toMatch(new RegExp(`/personnes/${told.usagerId}`))
    const journal = await (await world.get('/structure/journal', await world.sessionOf('nadia'))).text()
    expect(journal).toContain('une personne dont le dossier est archivé ou effacé')
    expect(journal).not.toContain(told.usagerId)
    expect((await world.get(`/mon-espace/mandats/${told.id}`, await world.sessionOf('francoise'))).status).toBe(200)

    const again = await world.signMandat({ persona: 'francoise' })
    expect(again.usagerId).toBe(told.usagerId)
    expect(await contents(aidant, told)).toMatchObject({ usager: 1, mandat: 2, accords: 2, demarches: 1 })
  })

  it('l’application n’archive ni ne rouvre un dossier à sa guise', async () => {
    for (const archived of ['horloge()', 'null'])
      await expect(
        world.db.tx(
          { kind: 'worker' },
          async ({ sql }) => void (await sql`update dossier set archived_at = ${archived === 'null' ? null : new Date(0)}`),
        ),
      ).rejects.toMatchObject({ code: '42501' })
  })
})

describe('ce qui reste après elle', () => {
  it('les preuves des autres lignes, la racine, et tout le journal se vérifient ; le paquet compte ce qui manque', async () => {
    const other = await live('marcel')
    const told = await ended('voahangy')
    const tree = openTree(world.database)
    const witness = newWitness(tree.signer)
    await tree.settle()
    expect(await tree.cosign(witness)).toBe('temoigne')
    const seen = witness.seen()!
    const whole = await tree.verify([seen])
    expect(whole.fault).toBeUndefined()
    const mine = (await world.lines(other.id)).concat(await world.lines(told.id))
    const proofs = await tree.db.tx({ kind: 'sequencer' }, async (tx) => {
      const proven = []
      for (const { id } of mine) proven.push(ok(await proveLine(tx, id, { signer: tree.signer, policy: NO_WITNESS }, 'non_lu')))
      return proven
    })

    const { counts } = ok(await erase(told.id))
    for (const { preuve } of proofs) expect(verifyLine(parseProvenLines(preuve)!.lignes[0]!, tree.signer.vkey).ok).toBe(true)
    await tree.settle()
    for (const as of ['admin', 'auditor'] as const) {
      const after = await tree.verify([seen], as)
      expect(after.fault).toBeUndefined()
      expect(after.counts).toMatchObject({
        personnes: whole.counts.personnes + 1,
        effaces: whole.counts.effaces + counts!.lignes,
        contenus: whole.counts.contenus - counts!.lignes + 1,
      })
    }
    // A bundle, with contents and without: what is gone is said, and counted.
    const reader = openDb({ url: world.database.adminUrl, connections: 1 })
    const bundled = async (contenus: boolean, meanwhile = async () => {}) => {
      const pieces = exportJournal(reader, { log: tree.signer.vkey, contenus })
      let text = (await pieces.next()).value ?? ''
      await meanwhile()
      for await (const piece of pieces) text += piece
      return verifyBundle(
        linesOf(
          (async function* () {
            yield text
          })(),
        ),
        { log: tree.signer.vkey, seen: [seen] },
      )
    }
    for (const contenus of [true, false]) {
      const { fault, counts: found } = await bundled(contenus)
      expect(fault).toBeUndefined()
      expect(found).toMatchObject({ personnes: whole.counts.personnes + 1, effaces: whole.counts.effaces + counts!.lignes })
    }
    // Erased while it is being exported: the line that says so is in it too.
    ok(await stopMandat(world.db, await world.asUsager('marcel'), { mandatId: other.id }))
    await tree.settle()
    const meanwhile = async () => void ok(await erase(other.id))
    expect((await bundled(true, meanwhile)).fault).toBeUndefined()
    await reader.close()
    await tree.close()
  })

  it('ses écrans, son code, son papier, ses preuves : en français, et jamais une erreur', async () => {
    const told = await ended('voahangy')
    const [thomas, nadia] = [await world.sessionOf('thomas'), await world.sessionOf('nadia')]
    const hers = await world.sessionOf('voahangy')
    const [{ year: annee } = { year: '' }] = await world.sql<{ year: string }[]>`
      select left(birthdate, 4) as year from usager where id = ${told.usagerId}`
    const code = codeVerification(world.config.secretsKey, told.id)
    const check = async () => plain(await (await world.post('/verifier', { code, annee })).text())
    const unknown = async () => plain(await (await world.post('/verifier', { code: '369BDFGHJKMP', annee })).text())
    expect(await check()).toMatch(/Rakotondrainibe/i)
    ok(await erase(told.id))
    await giveCodes(world.db, world.config.secretsKey)

    const door = await world.get('/mon-espace', hers)
    expect([door.status, door.headers.get('location')]).toEqual([303, '/mon-espace/connexion?suite=%2Fmon-espace'])
    const opening = await world.post('/mon-espace/code', { code: told.code, annee })
    expect([opening.status, plain(await opening.text())]).toEqual([409, expect.stringMatching(/code/)])
    expect(await check()).toBe(await unknown())
    expect(await world.sql`select 1 from code_verification where mandat_id = ${told.id}`).toHaveLength(0)
    for (const path of [`/personnes/${told.usagerId}`, `/mandats/${told.id}`, `/mandats/${told.id}/demarches/nouvelle`])
      expect([path, (await world.get(path, thomas)).status]).toEqual([path, 404])
    for (const path of [`/structure/personnes/${told.usagerId}`, `/structure/personnes/${told.usagerId}/ouvrir`])
      expect([path, (await world.get(path, nadia)).status]).toEqual([path, 404])
    for (const papier of ['mandat', 'arret', 'releve', 'pour-vous', 'preuve.json'])
      expect(
        (await world.post(`/mandats/${told.id}/${papier.includes('.') ? papier : `papiers/${papier}`}`, {}, thomas)).status,
      ).toBe(404)
    for (const path of ['/personnes', '/personnes?q=rakotondrainibe', '/', '/mandats/a-remettre', '/structure/aidants'])
      expect([path, (await world.get(path, nadia)).status]).not.toEqual([path, 500])
    const page = await world.get('/structure/journal', nadia)
    const html = await page.text()
    expect(page.status).toBe(200)
    await expectValidHtml(html)
    expect(plain(html)).toContain('pour une personne dont le dossier est archivé ou effacé')
    expect(html).not.toContain(told.usagerId)
  })

  it('qui revient est une personne nouvelle, et ne retrouve rien de l’ancienne', async () => {
    const told = await ended('josiane')
    ok(await erase(told.id))
    const again = await world.signMandat({ persona: 'josiane' })
    expect(again.usagerId).not.toBe(told.usagerId)
    const hers = await world.sessionOf('josiane')
    const html = await (await world.get('/mon-espace', hers)).text()
    expect(html).not.toContain(told.id)
    expect((await world.get(`/mon-espace/mandats/${told.id}`, hers)).status).toBe(404)
  })
})

const plain = (html: string) =>
  html
    .slice(html.indexOf('<main'), html.indexOf('</main>'))
    .replace(/<[^>]*>/g, ' ')
    .replace(/[\s\u00a0\u202f]+/g, ' ')

describe('npm run journal -- erase', () => {
  const run = async (args: string[], env: Record<string, string> = { DATABASE_OPERATOR_URL: world.database.operatorUrl }) => {
    const child = spawn(process.execPath, ['src/install.mjs', 'src/journal-command.ts', 'erase', ...args], {
      cwd: ROOT,
      env: { PATH: process.env.PATH, ...env },
    })
    let [stdout, stderr] = ['', '']
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
    const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
    return { code, stdout, stderr }
  }

  it('demande ce qui manque, dit ce qui serait effacé, efface, et le redit sans rien faire', async () => {
    const told = await ended('voahangy')
    expect(await run([])).toMatchObject({ code: 2, stderr: expect.stringContaining('Qui effacer ?') })
    expect(await run([told.id])).toMatchObject({ code: 2, stderr: expect.stringContaining('Pourquoi ? --motif') })
    expect(await run([told.id, '--motif', 'demande'], { DATABASE_AUDITOR_URL: world.database.auditorUrl })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('DATABASE_OPERATOR_URL'),
    })
    const refused = await run([told.id, '--motif', 'conservation', '--confirmer'])
    expect(refused).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('Rien n’est effacé. Ses données se gardent jusqu’au'),
    })
    const rehearsed = await run([told.id, '--motif', 'demande'])
    expect(rehearsed).toMatchObject({ code: 3, stdout: expect.stringContaining('Rien n’est effacé : ajoutez --confirmer.') })
    expect(await world.tablesHolding('rakotondrainibe')).not.toEqual([])
    const done = await run([told.id.toUpperCase(), '--motif', 'demande', '--confirmer', '--json'])
    expect(done.code).toBe(0)
    expect(JSON.parse(done.stdout)).toMatchObject({
      ok: true,
      fait: true,
      deja: false,
      personnes: [told.usagerId],
      motif: 'demande',
      comptes: { mandats: 1, demarches: 1 },
    })
    expect(await world.tablesHolding('rakotondrainibe')).toEqual([])
    expect(await run([told.usagerId, '--motif', 'demande', '--confirmer'])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('Déjà effacée le'),
    })
    // Under a number of hers that no mandat bears, as « Mes données » shows it.
    const [alone] = await world.sql<{ id: string }[]>`
      insert into usager (sub, prenoms, nom_naissance, birthdate) values ('sans-mandat', '{Noé}', 'SANSMANDAT', '1990-01-01') returning id`
    expect(await run([alone!.id, '--motif', 'demande', '--confirmer', '--json'])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(`"personnes":["${alone!.id}"]`),
    })
    const unknown = await run(['00000000-0000-4000-8000-000000000000', '--motif', 'erreur', '--json'])
    expect([unknown.code, JSON.parse(unknown.stdout)]).toEqual([
      1,
      expect.objectContaining({ ok: false, refus: 'personne_inconnue' }),
    ])
  })

  it('ce que la documentation rejoue après une restauration : chaque identité de chaque compte rendu, et seule', async () => {
    const doc = await readFile(join(ROOT, 'docs/exploitation.md'), 'utf8')
    const [, replay] = /```sh\n([^`]*effacements\.jsonl[^`]*)```/.exec(doc.slice(doc.indexOf('Rejouez tout')))!
    const dir = await mkdtemp(join(tmpdir(), 'rejouer-'))
    const report = (fait: boolean, personnes: string[], motif: string) =>
      JSON.stringify({
        ok: true,
        fait,
        deja: !fait,
        personnes,
        motif,
        le: new Date(0),
        ligne: 7,
        comptes: null,
        phrase: 'Restent',
      })
    const reports = [report(true, ['u1'], 'erreur'), report(false, ['u2'], 'demande'), report(true, ['u3', 'u4'], 'demande')]
    await writeFile(join(dir, 'effacements.jsonl'), `${reports.join('\n')}\n`)
    const done = execFileSync('sh', ['-c', `npm() { echo "$*"; }\n${replay}`], { cwd: dir, encoding: 'utf8' })
    const args = (qui: string, motif: string) => `run -s journal -- erase ${qui} --seule --motif ${motif} --confirmer --json`
    expect(done.trim().split('\n')).toEqual([args('u1', 'erreur'), args('u3', 'demande'), args('u4', 'demande')])
    await rm(dir, { recursive: true })
  })
})
