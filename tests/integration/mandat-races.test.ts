import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { openDb } from '../../src/db.ts'
import { recordDemarche } from '../../src/demarche/record.ts'
import { type AidantKey, STRUCTURES } from '../../src/demo/people.ts'
import { closeStructure } from '../../src/mandat/close-structure.ts'
import { writeExpired } from '../../src/mandat/expire.ts'
import { openIdentification } from '../../src/mandat/identify.ts'
import { pauseMandat } from '../../src/mandat/pause.ts'
import { recordPause } from '../../src/mandat/record-pause.ts'
import { recordStop } from '../../src/mandat/record-stop.ts'
import { renewMandat } from '../../src/mandat/renew.ts'
import { resumeMandat } from '../../src/mandat/resume.ts'
import { signMandat } from '../../src/mandat/sign.ts'
import { stopMandat } from '../../src/mandat/stop.ts'
import { terminateMandat } from '../../src/mandat/terminate.ts'
import { archiveJwks, claimConnexion, openConnexion } from '../../src/oidc/connexion.ts'
import type { Identite } from '../../src/usager/identite.ts'
import { recognizeUsager } from '../../src/usager/recognize.ts'
import { newWorld, ok, uneDemarche, type World } from '../support/world.ts'

let world: World
beforeAll(async () => {
  world = await newWorld({ connections: 8 })
})
afterAll(() => world.close())
beforeEach(() => world.database.freeze(null))

const ROUNDS = 150
/** Of each race between two ends. */
const ENDS = 40

/** What must be true of every mandat, whatever happened at the same time. */
async function holds() {
  const late = await world.sql`
    select d.id
    from demarche d
    join autorisation a on a.mandat_id = d.mandat_id and a.thematique = d.thematique
    where d.genre = 'reguliere' and (d.done_at >= a.revoked_at or d.recorded_at >= a.revoked_at)`
  expect(late, 'a regular démarche after the end').toHaveLength(0)
  const counts = await world.sql`
    select m.id, (m.ended_at is not null)::int as ended,
      (select count(*)::int from journal j where j.mandat_id = m.id and j.action = 'mandat_termine') as lines
    from mandat m`
  expect(
    counts.filter(({ ended, lines }) => ended !== lines),
    'one line for each end',
  ).toEqual([])
  const gaps = await world.sql`
    select mandat_id
    from journal
    where mandat_id is not null
    group by mandat_id
    having min(mandat_seq) <> 1 or max(mandat_seq) <> count(*)`
  expect(gaps, 'a counter without a gap').toHaveLength(0)
  const paused = await world.sql`
    select d.id
    from demarche d
    join autorisation a on a.mandat_id = d.mandat_id and a.thematique = d.thematique
    join suspension s on s.autorisation_id = a.id
    where d.genre = 'reguliere' and d.done_at >= s.from_at and (s.until_at is null or d.done_at < s.until_at)`
  expect(paused, 'a use of a suspended autorisation').toHaveLength(0)
  const twice = await world.sql`
    select 1
    from autorisation
    where revoked_at is null and expires_at > horloge()
    group by structure_id, usager_id, thematique
    having count(*) > 1`
  expect(twice, 'two autorisations in force for one thématique').toHaveLength(0)
  const undone = await world.sql`
    select a.id
    from autorisation a
    where (a.revoked_at is null) <> (a.revoked_journal_id is null)
      or (a.revoked_journal_id is not null and not exists (select 1 from journal j where j.id = a.revoked_journal_id and j.mandat_id = a.mandat_id))`
  expect(undone).toHaveLength(0)
}

describe(`la personne arrête pendant que l’aidante note, ${ROUNDS} fois`, () => {
  it('aucune démarche régulière après l’arrêt, une seule ligne d’arrêt, aucun blocage', async () => {
    const kinds: Record<string, number> = {}
    const ended: number[] = []
    for (let round = 0; round < ROUNDS; round++) {
      // Another second than the last stop's: a mandat begins at a whole one.
      await world.database.travel({ ms: 1000 })
      const { id, usagerId } = await world.signMandat()
      const person = { kind: 'usager', usagerIds: [usagerId], niveau: 'identite' } as const
      const note = (aidant: AidantKey) => recordDemarche(world.db, world.as(aidant), uneDemarche(id))
      // Each round starts them in another order.
      const acts = [
        () => note('thomas'),
        () => stopMandat(world.db, person, { mandatId: id }),
        () => note('ines'),
        () => stopMandat(world.db, person, { mandatId: id }),
      ]
      const order = acts.map((_, i) => acts[(i + round) % acts.length]!)
      const results = await Promise.all(order.map((act) => act()))
      const stops = results.filter((result) => 'ended' in result || ('refusal' in result && result.refusal === 'deja_termine'))
      expect(stops).toHaveLength(2)
      ended.push(stops.filter(({ ok }) => ok).length)
      for (const result of results) {
        const kind = 'genre' in result ? result.genre : result.ok ? 'arret' : result.refusal
        kinds[kind] = (kinds[kind] ?? 0) + 1
      }
    }
    expect(ended).toEqual(Array(ROUNDS).fill(1))
    // Both outcomes were met: noted just before the stop, and refused just after.
    expect(kinds.reguliere, JSON.stringify(kinds)).toBeGreaterThan(0)
    expect(kinds.hors_mandat, JSON.stringify(kinds)).toBeGreaterThan(0)
    expect(Object.keys(kinds).sort()).toEqual(['arret', 'deja_termine', 'hors_mandat', 'reguliere'])
    await holds()
  }, 60_000)
})

describe('deux signatures pour la même personne', () => {
  it('au même instant, par deux aidantes : les deux sont faites, une seule thématique en cours', async () => {
    for (let round = 0; round < 20; round++) {
      const drafts = await Promise.all(
        (['thomas', 'ines'] as const).map(async (aidant) => ({
          aidant,
          id: await world.draft({ aidant, persona: round % 3 ? 'marcel' : 'camille', perimetre: ['logement', 'famille'] }),
          code: await world.freshCode(aidant),
        })),
      )
      const signed = await Promise.all(
        drafts.map(({ aidant, id, code }) => signMandat(world.db, world.as(aidant), { brouillonId: id, code }, world.signer)),
      )
      expect(signed).toEqual(drafts.map(({ id }) => ({ ok: true, id })))
      const standing = await world.sql`
        select thematique from autorisation where mandat_id = any (${drafts.map(({ id }) => id)}) and revoked_at is null`
      expect(standing).toHaveLength(2)
    }
    await holds()
  }, 60_000)

  it('la même aidante, deux brouillons, un seul code : un seul mandat', async () => {
    const drafts = await Promise.all(
      ['logement', 'famille'].map((one) => world.draft({ persona: 'teiki', perimetre: [one as 'logement'] })),
    )
    const code = await world.freshCode('thomas')
    const signed = await Promise.all(
      drafts.map((id) => signMandat(world.db, world.as('thomas'), { brouillonId: id, code }, world.signer)),
    )
    expect(signed.filter(({ ok }) => ok)).toHaveLength(1)
    expect(signed.find(({ ok }) => !ok)).toMatchObject({ refusal: 'second_facteur_refuse' })
  })

  it('dans deux structures, son état civil ayant changé : aucune n’attend l’autre', async () => {
    await world.signMandat({ aidant: 'thomas', persona: 'ibrahim' })
    await world.signMandat({ aidant: 'fabrice', persona: 'ibrahim' })
    for (let round = 0; round < 15; round++) {
      const drafts = await Promise.all(
        (['thomas', 'fabrice'] as const).map(async (aidant) => {
          const id = await world.draft({ aidant, persona: 'ibrahim' })
          await world.sql`update brouillon set identite = identite || ${world.sql.json({ nomUsage: `NOM ${round} ${aidant}` })} where id = ${id}`
          return { aidant, id, code: await world.freshCode(aidant) }
        }),
      )
      const signed = await Promise.all(
        drafts.map(({ aidant, id, code }) => signMandat(world.db, world.as(aidant), { brouillonId: id, code }, world.signer)),
      )
      expect(signed.every(({ ok }) => ok)).toBe(true)
    }
  }, 60_000)

  it('une première fois dans deux structures : une seule personne', async () => {
    const personas = ['conceicao', 'toussaint', 'laetitia', 'jean-daniel', 'nassimah', 'voahangy'] as const
    for (const persona of personas) {
      const drafts = await Promise.all(
        (['thomas', 'fabrice'] as const).map(async (aidant) => ({
          aidant,
          id: await world.draft({ aidant, persona }),
          code: await world.freshCode(aidant),
        })),
      )
      const signed = await Promise.all(
        drafts.map(({ aidant, id, code }) => signMandat(world.db, world.as(aidant), { brouillonId: id, code }, world.signer)),
      )
      expect(signed.every(({ ok }) => ok)).toBe(true)
      const people = await world.sql`select distinct usager_id from mandat where id = any (${drafts.map(({ id }) => id)})`
      expect(people).toHaveLength(1)
    }
  })
})

describe('signer tient le dossier de la personne', () => {
  it('noter et arrêter n’attendent pas : sinon chacun attendrait ce que l’autre tient', async () => {
    const { id, usagerId } = await world.signMandat({ persona: 'josiane' })
    const draft = await world.draft({ persona: 'josiane', perimetre: ['social'] })
    const [row] = await world.sql<{ identite: Identite }[]>`select identite from brouillon where id = ${draft}`
    await world.db.tx(world.as('thomas'), async (tx) => {
      expect(await recognizeUsager(tx, row!.identite, { suivi: 'papier', contact: null })).toMatchObject({ id: usagerId })
      ok(await recordDemarche(world.db, world.as('ines'), uneDemarche(id)))
      ok(await stopMandat(world.db, { kind: 'usager', usagerIds: [usagerId], niveau: 'identite' }, { mandatId: id }))
    })
  })
})

describe('elle arrête pendant qu’un nouveau mandat remplace l’ancien', () => {
  it('l’un puis l’autre, jamais un blocage ni une erreur', async () => {
    const outcomes: Record<string, number> = {}
    for (let round = 0; round < 6; round++) {
      const first = await world.signMandat({ persona: 'fatma', perimetre: ['logement'] })
      const id = await world.draft({ persona: 'fatma', perimetre: ['logement', 'social'] })
      const code = await world.freshCode('thomas')
      // Well inside a second, where a whole-second signature meets a stop of the same second.
      const [row] = await world.sql<{ ms: number }[]>`select extract(milliseconds from horloge())::int % 1000 as ms`
      await world.database.travel({ ms: 1300 - row!.ms })
      const person = await world.asUsager('fatma')
      const [stopped, signed] = await Promise.all([
        stopMandat(world.db, person, { mandatId: first.id }),
        signMandat(world.db, world.as('thomas'), { brouillonId: id, code }, world.signer),
      ])
      ok(signed)
      const outcome = stopped.ok ? 'arrete' : stopped.refusal
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1
      const [ended] = await world.sql<{ ended_how: string }[]>`select ended_how from mandat where id = ${first.id}`
      expect(ended!.ended_how).toBe(stopped.ok ? 'revoque' : 'remplace')
      const standing = await world.sql`
        select thematique from autorisation where usager_id = ${person.usagerIds[0]!} and revoked_at is null and expires_at > horloge()`
      expect(standing).toHaveLength(2)
    }
    expect(Object.keys(outcomes).every((outcome) => ['arrete', 'deja_termine'].includes(outcome))).toBe(true)
    await holds()
  }, 60_000)
})

describe('une aidante note pendant que', () => {
  it('un nouveau mandat remplace le sien : noté, avant ou hors de l’ancien, jamais un blocage', async () => {
    const kinds: Record<string, number> = {}
    for (let round = 0; round < 8; round++) {
      await world.database.travel({ ms: 1000 })
      const first = await world.signMandat({ persona: 'abdelkader', perimetre: ['logement'] })
      const id = await world.draft({ persona: 'abdelkader', perimetre: ['logement'] })
      const code = await world.freshCode('thomas')
      const [noted, , signed] = await Promise.all([
        recordDemarche(world.db, world.as('ines'), uneDemarche(first.id)),
        recordDemarche(world.db, world.as('samira'), uneDemarche(first.id)),
        signMandat(world.db, world.as('thomas'), { brouillonId: id, code }, world.signer),
      ])
      ok(signed)
      const kind = noted.ok ? noted.genre : noted.refusal
      kinds[kind] = (kinds[kind] ?? 0) + 1
    }
    expect(
      Object.keys(kinds).every((kind) => ['reguliere', 'hors_mandat'].includes(kind)),
      JSON.stringify(kinds),
    ).toBe(true)
    await holds()
  }, 60_000)

  it('la tâche écrit la fin de son mandat : noté après coup, jamais un blocage', async () => {
    for (let round = 0; round < 10; round++) {
      const told = await world.signMandat({ persona: 'jean-daniel', duree: 'jour' })
      const doneAt = new Date(told.signedAt.getTime() + 60_000)
      await world.database.travel({ ms: 3 * 86_400_000 })
      const [noted] = await Promise.all([
        recordDemarche(world.db, world.as('ines'), uneDemarche(told.id, 'logement', { doneAt })),
        writeExpired(world.db, () => {}),
      ])
      expect(noted).toMatchObject({ ok: true, genre: 'apres_coup' })
      expect((await world.lines(told.id)).map(({ action }) => action).sort()).toEqual([
        'demarche_realisee',
        'mandat_expire',
        'mandat_signe',
      ])
    }
    await holds()
  }, 60_000)
})

describe('le retour de FranceConnect', () => {
  const MINUTE = 60_000
  const open = async (navigateur: string | undefined = undefined) => {
    const brouillonId = await world.draft({ upTo: 'choix' })
    return ok(await openIdentification(world.db, world.as('thomas'), { brouillonId, navigateur }))
  }

  it('vingt fois au même instant : un seul aboutit', async () => {
    const { state, navigateur } = await open()
    const claims = await Promise.all(
      Array.from({ length: 20 }, () => claimConnexion(world.db, 'franceconnect', { state, navigateur })),
    )
    expect(claims.filter(({ ok }) => ok)).toHaveLength(1)
    expect(claims.filter((claim) => !claim.ok && claim.refusal === 'deja_utilise')).toHaveLength(19)
  })

  it.each([
    [30 * MINUTE - 1000, true],
    [30 * MINUTE + 1000, false],
  ])('%i ms après : accepté %s', async (ms, accepted) => {
    const start = new Date()
    await world.database.freeze(start)
    const { state, navigateur } = await open()
    await world.database.freeze(new Date(start.getTime() + ms))
    const before = await world.digest()
    const claim = await claimConnexion(world.db, 'franceconnect', { state, navigateur })
    expect(claim).toMatchObject(accepted ? { ok: true } : { ok: false, refusal: 'retour_tardif' })
    if (!accepted) expect(await world.digest()).toEqual(before)
  })

  it('d’un autre navigateur, sans navigateur, ou d’un état inconnu : refusé, rien n’est écrit, et le bon passe encore', async () => {
    const { state, navigateur } = await open('le-temoin-de-ce-navigateur')
    expect(navigateur).toBe('le-temoin-de-ce-navigateur')
    const before = await world.digest()
    for (const [back, refusal] of [
      [{ state, navigateur: 'un-autre' }, 'autre_navigateur'],
      [{ state, navigateur: '' }, 'autre_navigateur'],
      [{ state, navigateur: undefined }, 'autre_navigateur'],
      [{ state: '', navigateur }, 'retour_inconnu'],
      [{ state: `${state} `, navigateur }, 'retour_inconnu'],
      [{ state: state.toUpperCase(), navigateur }, 'retour_inconnu'],
    ] as const)
      expect(await claimConnexion(world.db, 'franceconnect', back)).toEqual({ ok: false, refusal })
    expect(await world.digest()).toEqual(before)
    ok(await claimConnexion(world.db, 'franceconnect', { state, navigateur }))
    expect(await claimConnexion(world.db, 'franceconnect', { state, navigateur })).toEqual({ ok: false, refusal: 'deja_utilise' })
  })

  it('utilisé une fois, la base ne le rend pas neuf', async () => {
    const { state, navigateur } = await open()
    const claimed = ok(await claimConnexion(world.db, 'franceconnect', { state, navigateur }))
    await expect(
      world.db.tx({ kind: 'portier' }, (tx) => tx.sql`update connexion set used_at = null where id = ${claimed.connexion.id}`),
    ).rejects.toMatchObject({ constraint_name: 'usage_unique' })
  })

  it('la base ne garde ni l’état ni le témoin du navigateur', async () => {
    const { state, navigateur } = await world.db.tx({ kind: 'portier' }, (tx) =>
      openConnexion(tx, { but: 'espace', navigateur: undefined, nonce: 'n'.repeat(64) }),
    )
    expect(await world.tablesHolding(state)).toEqual([])
    expect(await world.tablesHolding(navigateur)).toEqual([])
  })

  it('deux premiers retours archivent une seule fois les clés, avec une ligne', async () => {
    const jwks = JSON.stringify({ keys: [] })
    const ids = await Promise.all(Array.from({ length: 6 }, () => archiveJwks(world.db, jwks)))
    expect(new Set(ids).size).toBe(1)
    expect(await world.sql`select 1 from jwks_archive where id = ${ids[0]!}`).toHaveLength(1)
    const lines = (await world.lines()).filter(({ action, payload }) => action === 'jwks_archive' && payload?.includes(ids[0]!))
    expect(lines).toHaveLength(1)
  })
})

it('une base sans connexion libre n’est jamais un refus', async () => {
  const narrow = openDb({ url: world.database.url, connections: 1, waitMs: 300 })
  const { state, navigateur } = ok(
    await openIdentification(world.db, world.as('thomas'), {
      brouillonId: await world.draft({ upTo: 'choix' }),
      navigateur: undefined,
    }),
  )
  let free = () => {}
  let held: Promise<void> | undefined
  await new Promise<void>((taken, failed) => {
    held = narrow.tx({ kind: 'portier' }, () => {
      taken()
      return new Promise<void>((resolve) => {
        free = resolve
      })
    })
    held.catch(failed)
  })
  await expect(claimConnexion(narrow, 'franceconnect', { state, navigateur })).rejects.toMatchObject({ code: 'DATABASE_BUSY' })
  free()
  await held
  await narrow.close()
  ok(await claimConnexion(world.db, 'franceconnect', { state, navigateur }))
})

describe(`les fins entre elles, ${ENDS} fois chacune`, () => {
  type Result = { ok: boolean; refusal?: string }
  /** Each round starts its acts in another order, on a mandat of its own; tells what each answered, sorted. */
  const race = async (
    tell: Parameters<World['signMandat']>[0],
    acts: (mandat: { id: string; usagerId: string; signedAt: Date }) => (() => Promise<Result>)[],
  ) => {
    const outcomes: Record<string, number> = {}
    const first = await world.signMandat(tell)
    await world.database.travel({ ms: 1000 })
    let mandat = first
    for (let round = 0; round < ENDS; round++) {
      const all = acts(mandat)
      const order = all.map((_, i) => (i + round) % all.length)
      const answers: string[] = Array(all.length)
      await Promise.all(
        order.map(async (i) => {
          const { ok: done, refusal } = await all[i]!()
          answers[i] = done ? 'fait' : refusal!
        }),
      )
      outcomes[answers.join(', ')] = (outcomes[answers.join(', ')] ?? 0) + 1
      await world.database.travel({ ms: 1000 })
      await world.forgetFins()
      mandat = await world.signMandat(tell)
    }
    await holds()
    return outcomes
  }
  const her = (usagerId: string) => ({ kind: 'usager', usagerIds: [usagerId], niveau: 'identite' }) as const

  it('deux arrêts, l’un par elle, l’autre par un aidant au reçu de sa lettre : un seul compte', async () => {
    const outcomes = await race({ persona: 'nassimah' }, ({ id, usagerId, signedAt }) => [
      () => stopMandat(world.db, her(usagerId), { mandatId: id }),
      () => recordStop(world.db, world.as('ines'), { mandatId: id, maniere: 'courrier', recuLe: signedAt }),
    ])
    // Hers first: the letter that had come before is still noted, and ends nothing twice.
    expect(Object.keys(outcomes).sort()).toEqual(['deja_termine, fait', 'fait, fait'])
  }, 60_000)

  it('elle met en pause pendant que deux aidants notent : jamais une démarche régulière dans la pause', async () => {
    const outcomes = await race({ persona: 'toussaint' }, ({ id, usagerId }) => [
      () => recordDemarche(world.db, world.as('thomas'), uneDemarche(id)),
      () => pauseMandat(world.db, her(usagerId), { mandatId: id }),
      () => recordDemarche(world.db, world.as('ines'), uneDemarche(id)),
    ])
    expect(Object.keys(outcomes).join(', ')).toMatch(/hors_mandat/)
    expect(Object.keys(outcomes).every((outcome) => outcome.split(', ')[1] === 'fait')).toBe(true)
  }, 60_000)

  it('sa pause, enregistrée par un aidant pendant qu’un autre note et qu’elle la demande aussi : de même', async () => {
    const outcomes = await race({ persona: 'toussaint' }, ({ id, usagerId }) => [
      () => recordDemarche(world.db, world.as('thomas'), uneDemarche(id)),
      () => recordPause(world.db, world.as('ines'), { mandatId: id, maniere: 'telephone' }),
      () => pauseMandat(world.db, her(usagerId), { mandatId: id }),
    ])
    expect(Object.keys(outcomes).join(', ')).toMatch(/hors_mandat/)
    expect(Object.keys(outcomes).every((outcome) => /, (fait, deja_en_pause|deja_en_pause, fait)$/.test(outcome))).toBe(true)
  }, 60_000)

  it('elle met en pause et arrête, ou met en pause et remet en route : l’un puis l’autre', async () => {
    const stops = await race({ persona: 'laetitia' }, ({ id, usagerId }) => [
      () => pauseMandat(world.db, her(usagerId), { mandatId: id }),
      () => stopMandat(world.db, her(usagerId), { mandatId: id }),
    ])
    expect(Object.keys(stops).sort()).toEqual(['deja_termine, fait', 'fait, fait'])
    const resumes = await race({ persona: 'laetitia' }, ({ id, usagerId }) => [
      () => pauseMandat(world.db, her(usagerId), { mandatId: id }),
      () => resumeMandat(world.db, her(usagerId), { mandatId: id }),
      () => pauseMandat(world.db, her(usagerId), { mandatId: id }),
    ])
    expect(Object.keys(resumes).every((outcome) => /^(fait|deja_en_pause|pas_en_pause)(, |$)/.test(outcome))).toBe(true)
  }, 60_000)

  it('elle arrête pendant qu’un aidant renouvelle : un brouillon avant, un refus après ; deux renouvellements, deux brouillons', async () => {
    const choix = { thematiques: ['logement'], duree: 'mois' }
    const stops = await race({ persona: 'voahangy' }, ({ id, usagerId }) => [
      () => stopMandat(world.db, her(usagerId), { mandatId: id }),
      () => renewMandat(world.db, world.as('ines'), id, choix),
    ])
    expect(Object.keys(stops).sort()).toEqual(['fait, fait', 'fait, termine_avant'])
    const twice = await race({ persona: 'voahangy' }, ({ id }) => [
      () => renewMandat(world.db, world.as('ines'), id, choix),
      () => renewMandat(world.db, world.as('thomas'), id, choix),
    ])
    expect(Object.keys(twice)).toEqual(['fait, fait'])
  }, 60_000)

  it('un décès enregistré pendant qu’elle aurait arrêté l’un de ses mandats : tous finis, une ligne chacun, aucun blocage', async () => {
    const outcomes = await race({ persona: 'teiki', perimetre: ['social'] }, ({ id, usagerId }) => [
      () => terminateMandat(world.db, world.as('ines'), { mandatId: id, how: 'deces' }),
      () => stopMandat(world.db, her(usagerId), { mandatId: id }),
      () => terminateMandat(world.db, world.as('thomas'), { mandatId: id, how: 'protection' }),
    ])
    // One ends; the others find it ended.
    for (const outcome of Object.keys(outcomes)) expect(outcome.split(', ').filter((one) => one === 'fait')).toHaveLength(1)
  }, 60_000)

  it('la structure ferme, ou un décès s’enregistre, pendant qu’un mandat se signe : aucun mandat en cours après', async () => {
    const operator = openDb({ url: world.database.operatorUrl, connections: 1 })
    const outcomes: Record<string, number> = {}
    for (const what of ['fermeture', 'deces'] as const)
      for (let round = 0; round < 16; round++) {
        await world.database.freeze(null)
        await world.database.travel({ ms: 1000 })
        const first = await world.signMandat({ aidant: 'fabrice', persona: 'ibrahim', perimetre: ['papiers'] })
        const draft = await world.draft({ aidant: 'fabrice', persona: 'ibrahim', perimetre: ['logement'] })
        const code = await world.freshCode('fabrice')
        await world.database.freeze(new Date(Math.ceil((await world.now()).getTime() / 1000) * 1000))
        const sign = () => signMandat(world.db, world.as('fabrice'), { brouillonId: draft, code }, world.signer)
        const end = (): Promise<{ ok: boolean }> =>
          what === 'deces'
            ? terminateMandat(world.db, world.as('fabrice'), { mandatId: first.id, how: 'deces' })
            : closeStructure(operator, STRUCTURES.saintDenis.siret)
        // Each before the other, in turn: by little at first, then by more and more, at last by all that it takes.
        const lateBy = (one: Promise<unknown>) => (round < 14 ? sleep(round ** 2) : one)
        const signing = round % 2 ? undefined : sign()
        const ending = signing ? lateBy(signing).then(end) : end()
        const [signed, ended] = await Promise.all([signing ?? lateBy(ending).then(sign), ending])
        ok(ended)
        const outcome = `${what} ${signed.ok ? 'signe' : signed.refusal}`
        outcomes[outcome] = (outcomes[outcome] ?? 0) + 1
        const standing = await world.sql`
          select id from mandat where structure_id = ${world.structures.saintDenis} and ended_at is null and expires_at > horloge()`
        expect(standing, outcome).toHaveLength(0)
        await world.sql`update structure set suspended_at = null, closed_at = null where id = ${world.structures.saintDenis}`
        await world.forgetFins()
      }
    await operator.close()
    await world.database.freeze(null)
    expect(Object.keys(outcomes).sort()).toEqual([
      'deces deces_note',
      'deces signe',
      'fermeture signe',
      'fermeture structure_suspendue',
    ])
    await holds()
  }, 60_000)

  it.each([
    ['sa fermeture', 'structure_suspendue', `suspended_at = horloge()`],
    ['le retrait de la thématique', 'thematique_desactivee', `thematiques_desactivees = '{logement}'`],
  ])('une signature attend %s écrite et pas encore validée, et la voit', async (_, refusal, change) => {
    const brouillonId = await world.draft({ aidant: 'fabrice', persona: 'nassimah', perimetre: ['logement'] })
    const code = await world.freshCode('fabrice')
    let signing!: ReturnType<typeof signMandat>
    await world.sql.begin(async (tx) => {
      await tx.unsafe(`update structure set ${change} where id = '${world.structures.saintDenis}'`)
      signing = signMandat(world.db, world.as('fabrice'), { brouillonId, code }, world.signer)
      await sleep(400)
    })
    expect(await signing).toEqual({ ok: false, refusal })
    await world.sql`update structure set suspended_at = null, thematiques_desactivees = '{}' where id = ${world.structures.saintDenis}`
  })

  it('une protection enregistrée depuis son identification refuse ; identifiée à nouveau, il faut dire qu’elle a pris fin', async () => {
    await world.forgetFins()
    const first = await world.signMandat({ persona: 'marcel', perimetre: ['papiers'] })
    const sign = async (brouillonId: string, mesureFinie = false) =>
      signMandat(world.db, world.as('thomas'), { brouillonId, code: await world.freshCode('thomas'), mesureFinie }, world.signer)
    const draft = await world.draft({ persona: 'marcel', perimetre: ['logement'] })
    await world.database.travel({ ms: 2000 })
    ok(await terminateMandat(world.db, world.as('ines'), { mandatId: first.id, how: 'protection' }))
    const before = await world.digest()
    const { facteur: _, ...same } = before
    expect(await sign(draft, true)).toEqual({ ok: false, refusal: 'fin_enregistree' })
    expect(await world.digest()).toMatchObject(same)
    await world.database.travel({ ms: 2000 })
    const again = await world.draft({ persona: 'marcel', perimetre: ['logement'] })
    expect(await sign(again)).toEqual({ ok: false, refusal: 'protection_notee' })
    ok(await sign(again, true))
    expect(JSON.parse((await world.lines(again))[0]!.payload!)).toMatchObject({ mesure_finie: true })
    await world.forgetFins()
  })

  it('elle met en pause, ou arrête, pendant son nouvel accord : jamais deux autorisations pour une thématique', async () => {
    const outcomes: Record<string, number> = {}
    for (let round = 0; round < ENDS; round++) {
      await world.database.freeze(null)
      await world.database.travel({ ms: 1000 })
      const first = await world.signMandat({ persona: 'jean-daniel', perimetre: ['papiers'] })
      const draft = await world.draft({ persona: 'jean-daniel', perimetre: ['papiers'] })
      const code = await world.freshCode('thomas')
      // At the first instant of a second: inside one, a signature waits for the next (tested above, one second each time).
      await world.database.freeze(new Date(Math.ceil((await world.now()).getTime() / 1000) * 1000))
      const change = round % 4 < 2 ? pauseMandat : stopMandat
      const sign = () => signMandat(world.db, world.as('thomas'), { brouillonId: draft, code }, world.signer)
      const stop = () => change(world.db, her(first.usagerId), { mandatId: first.id })
      const [signed, changed] =
        round % 2
          ? await Promise.all([sign(), stop()])
          : await Promise.all([stop(), sign()]).then(([one, other]) => [other, one] as const)
      ok(signed)
      const outcome = changed.ok ? 'fait' : changed.refusal
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1
      const standing = await world.sql`
        select a.mandat_id
        from autorisation a
        where a.usager_id = ${first.usagerId} and a.thematique = 'papiers' and a.revoked_at is null and a.expires_at > horloge()`
      expect(standing.map(({ mandat_id }) => mandat_id)).toEqual([draft])
    }
    await world.database.freeze(null)
    expect(Object.keys(outcomes).every((outcome) => ['fait', 'deja_termine'].includes(outcome))).toBe(true)
    await holds()
  }, 60_000)
})
