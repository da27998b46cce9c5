import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openDossier } from '../../src/audit/open.ts'
import { constraintOf, type Db, openDb, type Tx, type Who } from '../../src/db.ts'
import { recordActeHorsMandat, recordDemarche } from '../../src/demarche/record.ts'
import { append } from '../../src/journal/append.ts'
import { ACTEURS, ACTIONS, type Action, commitmentOf, type EntryFields, parseEntry } from '../../src/journal/entry.ts'
import { writeExpired } from '../../src/mandat/expire.ts'
import { stopMandat } from '../../src/mandat/stop.ts'
import { type Line, newWorld, ok, type Told, uneDemarche, type World } from '../support/world.ts'
import { VECTEURS } from '../unit/journal-vectors.ts'

let world: World
let told: Told
beforeAll(async () => {
  world = await newWorld()
  await world.database.freeze(new Date('2026-03-02T09:02:05.007Z'))
  // A lived-in world: signed, used, replaced, stopped, expired, used after the end, opened by the direction.
  told = await world.signMandat({ persona: 'josiane', perimetre: ['logement', 'famille'], suivi: 'email' })
  const by = world.as('ines')
  ok(await recordDemarche(world.db, by, uneDemarche(told.id)))
  await world.database.travel({ ms: 86_400_000 })
  await world.signMandat({ persona: 'josiane', aidant: 'ines', perimetre: ['logement'], suivi: 'sms' })
  const short = await world.signMandat({ persona: 'marcel', duree: 'jour' })
  ok(await recordActeHorsMandat(world.db, by, uneDemarche(short.id, 'argent'), 'Le rendez-vous était pris depuis longtemps.'))
  ok(await stopMandat(world.db, await world.asUsager('josiane'), { mandatId: told.id }))
  await world.signMandat({ persona: 'ibrahim', aidant: 'fabrice', perimetre: ['etranger', 'papiers'] })
  await world.database.travel({ ms: 5 * 86_400_000 })
  expect(await writeExpired(world.db, () => {})).toBe(1)
  ok(
    await openDossier(world.db, world.asReferent('nadia'), {
      usagerId: told.usagerId,
      motif: 'controle',
      precision: null,
      envoi: randomUUID(),
    }),
  )
})
afterAll(() => world.close())

const fieldsOf = (line: Line) =>
  ({
    at: line.at.toISOString(),
    action: line.action,
    acteur: line.acteur,
    acteurId: line.acteurId ?? undefined,
    structureId: line.structureId ?? undefined,
    usagerId: line.usagerId ?? undefined,
    mandatId: line.mandatId ?? undefined,
    mandatSeq: line.mandatSeq ?? undefined,
    cibleAidantId: line.cibleAidantId ?? undefined,
    commitment: line.commitment.toString('base64url'),
  }) as EntryFields
/** The constraint that was violated, or the server's code; 'done' when nothing refused. */
const met = (act: Promise<unknown>) =>
  act.then(
    () => 'done',
    (error) => constraintOf(error) ?? (error as { code?: string }).code ?? String(error),
  )

describe('les octets d’une ligne', () => {
  it.each(VECTEURS)('dans la base comme dans le code : $nom', async ({ fields, salt, payload, commitment, entry }) => {
    const {
      at,
      action,
      acteur,
      acteurId = null,
      structureId = null,
      usagerId = null,
      mandatId = null,
      mandatSeq = null,
      cibleAidantId = null,
    } = fields
    const bytes = Buffer.from(commitment, 'hex')
    const [row] = await world.sql<{ entry: Buffer; committed: Buffer }[]>`
      select journal_entry(${at}, ${action}, ${acteur}, ${acteurId}, ${structureId}, ${usagerId}, ${mandatId}, ${mandatSeq}, ${cibleAidantId},
          ${bytes}) as entry,
        sha256(${Buffer.from(salt, 'hex')}::bytea || convert_to(${payload}, 'UTF8')) as committed`
    expect(row!.entry.toString('utf8')).toBe(entry)
    expect(parseEntry(entry)).toEqual({ ...fields, commitment: bytes.toString('base64url') })
    expect(row!.committed.equals(bytes)).toBe(true)
  })

  it('ne dépendent ni du fuseau, ni de la langue, ni du style des dates de qui écrit', async () => {
    const { fields, commitment, entry } = VECTEURS[1]!
    await world.sql.begin(async (tx) => {
      await tx.unsafe(
        `set local timezone = 'Pacific/Marquesas'; set local datestyle = 'German, DMY'; set local bytea_output = 'escape'`,
      )
      const [row] = await tx<{ text: string }[]>`
        select convert_from(journal_entry(${fields.at}, ${fields.action}, ${fields.acteur}, ${fields.acteurId!}, ${fields.structureId!},
          ${fields.usagerId!}, ${fields.mandatId!}, ${fields.mandatSeq!}, null, ${Buffer.from(commitment, 'hex')}), 'UTF8') as text`
      expect(row!.text).toBe(entry)
    })
  })

  it('de chaque ligne d’une base qui a vécu : exactement ceux du code, et l’engagement de son contenu', async () => {
    const lines = await world.lines()
    expect(lines.length).toBeGreaterThan(20)
    for (const line of lines) {
      expect(parseEntry(line.entry.toString('utf8'))).toEqual(fieldsOf(line))
      expect(commitmentOf(line.salt!, line.payload!)).toBe(line.commitment.toString('base64url'))
      expect(JSON.parse(line.entry.toString('utf8')).commitment).toBe(
        createHash('sha256').update(line.salt!).update(line.payload!).digest('base64url'),
      )
    }
    const actions = new Set(lines.map(({ action }) => action))
    for (const action of [
      'mandat_signe',
      'autorisation_remplacee',
      'autorisation_revoquee',
      'mandat_termine',
      'mandat_expire',
      'demarche_realisee',
      'acte_hors_mandat',
      'contact_modifie',
      'dossier_ouvert',
      'structure_ajoutee',
      'aidant_ajoute',
      'cle_publiee',
      'jwks_archive',
    ])
      expect(actions).toContain(action)
    expect(new Set(lines.map(({ salt }) => salt!.toString('hex'))).size).toBe(lines.length)
  })

  it('ne nomment personne', async () => {
    const text = (await world.lines()).map(({ entry }) => entry.toString('utf8')).join('\n')
    for (const name of [
      'josiane',
      'bousquet',
      'delpech',
      'marcel',
      'garrigues',
      'example.org',
      '33612345678',
      'figeac',
      'logement',
      'lacombe',
    ])
      expect(text.toLowerCase()).not.toContain(name)
  })

  it('un compteur par mandat, sans trou ni doublon', async () => {
    const rows = await world.sql`
      select mandat_id, min(mandat_seq) as first, max(mandat_seq) as last, count(*)::int as count, count(distinct mandat_seq)::int as distinct
      from journal where mandat_id is not null group by mandat_id`
    for (const { first, last, count, distinct } of rows) expect([first, last, distinct]).toEqual([1, count, count])
  })
})

describe('personne ne réécrit', () => {
  const CALLERS = (): Who[] => [
    world.as('thomas'),
    world.asReferent('nadia'),
    { kind: 'usager', usagerIds: [told.usagerId], niveau: 'identite' },
    { kind: 'portier' },
    { kind: 'worker' },
    { kind: 'verifier' },
    { kind: 'sequencer' },
    { kind: 'operator' },
  ]
  const REWRITES = [
    `update journal set at = at`,
    `delete from journal`,
    `truncate journal cascade`,
    `update journal_contenu set payload = '{}'`,
    `delete from journal_contenu`,
    `update journal_compteur set seq = 0`,
    `insert into journal_compteur (mandat_id, seq) values (gen_random_uuid(), 9)`,
    `alter table journal disable trigger insertion_seule`,
    `drop trigger insertion_seule on journal`,
    `set session_replication_role = replica`,
    `create table autre (id int)`,
  ]

  it('l’application, quel que soit l’appelant', async () => {
    const before = await world.digest()
    for (const who of CALLERS())
      for (const rewrite of REWRITES) {
        const words = Object.assign([rewrite], { raw: [rewrite] })
        expect([who.kind, rewrite, await met(world.db.tx(who, (tx) => tx.sql(words as never) as never))]).toEqual([
          who.kind,
          rewrite,
          '42501',
        ])
      }
    expect(await world.digest()).toEqual(before)
  })

  it('l’exploitant, le séquenceur et l’auditeur non plus', async () => {
    for (const url of [world.database.operatorUrl, world.database.sequencerUrl, world.database.auditorUrl]) {
      const db = openDb({ url, connections: 1 })
      for (const rewrite of REWRITES) {
        const words = Object.assign([rewrite], { raw: [rewrite] })
        expect(await met(db.tx({ kind: 'operator' }, (tx) => tx.sql(words as never) as never))).toBe('42501')
      }
      await db.close()
    }
  })

  it('le propriétaire et le super-utilisateur rencontrent un déclencheur, même en réplication', async () => {
    for (const role of ['traitdunion_owner', null])
      for (const rewrite of [
        'update journal set at = at',
        'delete from journal',
        'truncate journal cascade',
        'delete from journal_contenu',
        `update journal_contenu set payload = '{}'`,
      ]) {
        const act = world.sql.begin(async (tx) => {
          if (role) await tx.unsafe(`set local role ${role}`)
          else await tx.unsafe(`set local session_replication_role = replica`)
          await tx.unsafe(rewrite)
        })
        expect([role, rewrite, await met(act)]).toEqual([role, rewrite, 'insertion_seule'])
      }
  })
})

describe('une ligne', () => {
  const by = () => world.as('thomas')
  const insert = (tx: Tx, line: Record<string, unknown>) =>
    tx.sql`insert into journal ${tx.sql({ commitment: randomBytes(32), ...line } as never)}`
  const asThomas = (line: Record<string, unknown>) =>
    met(
      world.db.tx(by(), (tx) =>
        insert(tx, {
          acteur: 'aidant',
          acteur_id: world.aidants.thomas,
          structure_id: told.structureId,
          usager_id: told.usagerId,
          ...line,
        }),
      ),
    )

  it('reçoit de la base son heure, son numéro et ses octets, quoi que dise qui peut tout y écrire', async () => {
    const now = await world.now()
    const salt = randomBytes(32)
    const [row] = await world.sql<{ at: Date; mandatSeq: number; entry: Buffer }[]>`
      insert into journal ${world.sql({
        at: new Date(0),
        entry: Buffer.from('{}'),
        mandat_seq: 1,
        action: 'attestation_imprimee',
        acteur: 'aidant',
        acteur_id: world.aidants.thomas,
        structure_id: told.structureId,
        usager_id: told.usagerId,
        mandat_id: told.id,
        commitment: Buffer.from(commitmentOf(salt, '{}'), 'base64url'),
      } as never)}
      returning at, mandat_seq as "mandatSeq", entry`
    const written = row!
    const last = (await world.lines(told.id)).at(-1)!
    expect(written.at).toEqual(now)
    expect(written.mandatSeq).toBe(last.mandatSeq)
    expect(written.mandatSeq).toBeGreaterThan(1)
    expect(parseEntry(written.entry.toString('utf8'))).toEqual(fieldsOf(last))
  })

  it.each<[string, Record<string, unknown>]>([
    ['une action inconnue', { action: 'mandat_falsifie' }],
    ['un acteur inconnu', { action: 'export', acteur: 'robot' }],
    ['un fait de mandat sans mandat', { action: 'mandat_signe' }],
    ['une démarche sans acteur', { action: 'export', acteur_id: null }],
    ['une ouverture sans personne', { action: 'dossier_ouvert', usager_id: null }],
    ['une identité sans personne', { action: 'identite_modifiee', usager_id: null }],
    ['un aidant ajouté sans lui', { action: 'aidant_ajoute' }],
    ['une clé publiée par un aidant', { action: 'cle_publiee' }],
  ])('sans grammaire est refusée : %s', async (_, line) => {
    expect(await asThomas(line)).toMatch(/^journal_|^42501$/)
  })

  it('au nom d’un autre, ou d’une autre structure, est refusée', async () => {
    for (const line of [
      { acteur_id: world.aidants.ines },
      { acteur: 'systeme', acteur_id: null, action: 'cle_publiee' },
      { structure_id: world.structures.saintDenis },
    ])
      expect(await asThomas({ action: 'export', ...line })).toMatch(/^42501$|journal_/)
    const usager = { kind: 'usager', usagerIds: [told.usagerId], niveau: 'identite' } as const
    const foreign = { action: 'export', acteur: 'usager', acteur_id: randomUUID(), usager_id: told.usagerId }
    expect(await met(world.db.tx(usager, (tx) => insert(tx, foreign)))).toBe('42501')
    expect(
      await met(
        world.db.tx({ kind: 'worker' }, (tx) =>
          insert(tx, { action: 'export', acteur: 'aidant', acteur_id: world.aidants.thomas }),
        ),
      ),
    ).toBe('42501')
    expect(await met(world.db.tx({ kind: 'verifier' }, (tx) => insert(tx, { action: 'jwks_archive', acteur: 'systeme' })))).toBe(
      '42501',
    )
  })

  it('une démarche n’est jamais d’un système, une expiration jamais d’un aidant', async () => {
    expect(await asThomas({ action: 'mandat_expire', mandat_id: told.id })).toBe('journal_acteur_action')
    const line = {
      action: 'demarche_realisee',
      acteur: 'systeme',
      structure_id: told.structureId,
      usager_id: told.usagerId,
      mandat_id: told.id,
    }
    expect(await met(world.db.tx({ kind: 'worker' }, (tx) => insert(tx, line)))).toBe('journal_acteur_action')
  })

  it('les listes d’actions et d’acteurs sont les mêmes dans la base et dans le code', async () => {
    const [row] = await world.sql<{ actions: string; acteurs: string }[]>`
      select
        (select pg_get_constraintdef(oid) from pg_constraint where conname = 'journal_action') as actions,
        (select pg_get_constraintdef(oid) from pg_constraint where conname = 'journal_acteur') as acteurs`
    const words = (text: string) => [...text.matchAll(/'([a-z_]+)'/g)].map(([, word]) => word).sort()
    expect(words(row!.actions)).toEqual([...ACTIONS].sort())
    expect(words(row!.acteurs)).toEqual([...ACTEURS].sort())
  })
})

describe('un contenu', () => {
  const contenu = (line: { id: number; structureId: string | null; usagerId: string | null }, payload: string, salt: Buffer) =>
    met(
      world.db.tx(
        world.as('thomas'),
        (tx) => tx.sql`
          insert into journal_contenu (journal_id, structure_id, usager_id, payload, salt)
          values (${line.id}, ${line.structureId}, ${line.usagerId}, ${payload}, ${salt})`,
      ),
    )
  /** A line of Thomas's whose content is still to be written. */
  const bare = async (salt: Buffer, payload: string) =>
    world.db.tx(world.as('thomas'), async (tx) => {
      const [row] = await tx.sql<{ id: number; structureId: string; usagerId: string }[]>`
        insert into journal ${tx.sql({
          action: 'export',
          acteur: 'aidant',
          acteur_id: world.aidants.thomas,
          structure_id: told.structureId,
          usager_id: told.usagerId,
          commitment: Buffer.from(commitmentOf(salt, payload), 'base64url'),
        } as never)}
        returning id, structure_id, usager_id`
      return row!
    })

  it('d’une ligne qui n’existe pas, d’une autre, ou qui ne l’engage pas, est refusé', async () => {
    const salt = randomBytes(32)
    const line = await bare(salt, '{"a":1}')
    expect(await contenu({ ...line, id: 999_999 }, '{"a":1}', salt)).toMatch(/journal_contenu/)
    expect(await contenu(line, '{"a":2}', salt)).toBe('journal_contenu_engage')
    expect(await contenu(line, '{"a":1}', randomBytes(32))).toBe('journal_contenu_engage')
    expect(await contenu({ ...line, usagerId: null }, '{"a":1}', salt)).toBe('journal_contenu_engage')
    expect(await contenu(line, '{"a":1}', salt)).toBe('done')
    expect(await contenu(line, '{"a":1}', salt)).toMatch(/journal_contenu/)
  })
})

describe('un fait sans sa ligne ne se commet pas', () => {
  it('ni mandat, ni fin, ni démarche, ni archive de clés', async () => {
    const by = world.as('thomas')
    const now = await world.now()
    const fresh = await world.signMandat({ persona: 'toussaint', perimetre: ['logement', 'argent'] })
    const attempt = (act: (tx: Tx) => Promise<unknown>, who: Who = by) => met(world.db.tx(who, act))
    const usager: Who = { kind: 'usager', usagerIds: [fresh.usagerId], niveau: 'identite' }
    expect(
      await attempt(
        (tx) => tx.sql`
          insert into mandat (id, structure_id, usager_id, aidant_id, duree, signed_at, expires_at, statut_bloc, journal_id)
          select gen_random_uuid(), structure_id, usager_id, aidant_id, duree, signed_at, expires_at, 6249, journal_id
          from mandat where id = ${fresh.id}`,
      ),
    ).not.toBe('done')
    expect(
      await attempt((tx) => tx.sql`update mandat set ended_at = ${now}, ended_how = 'revoque' where id = ${fresh.id}`, usager),
    ).toMatch(/mandat_fin_entiere|check/)
    expect(
      await attempt(
        (tx) => tx.sql`update autorisation set revoked_at = ${now}, revoked_how = 'revoque' where mandat_id = ${fresh.id}`,
        usager,
      ),
    ).toMatch(/autorisation_fin_entiere|check/)
    expect(
      await attempt(
        (tx) => tx.sql`
          insert into jwks_archive (id, fournisseur, jwks, journal_id)
          values (${createHash('sha256').update('{}').digest('base64url')}, 'franceconnect', '{}', 999999)`,
        { kind: 'portier' },
      ),
    ).toMatch(/fkey/)
    const demarche = await world.db.tx(by, (tx) => append(tx, { action: 'attestation_imprimee', mandat: fresh, contenu: {} }))
    expect(
      await attempt(
        (tx) => tx.sql`
          insert into demarche (mandat_id, structure_id, usager_id, aidant_id, genre, thematique, sensible, reclamation, nature, mode, presence, canal,
            done_at, recorded_at, resultat, envoi, journal_id)
          values (${fresh.id}, ${fresh.structureId}, ${fresh.usagerId}, ${by.aidantId}, 'reguliere', 'logement', false, false, 'demande',
            'avec_la_personne', 'presente', 'courrier', ${now}, ${now}, 'deposee', gen_random_uuid(), ${demarche.id})`,
      ),
    ).toBe('ligne_du_fait')
    expect(await world.sql`select 1 from demarche where mandat_id = ${fresh.id}`).toHaveLength(0)
  })

  it('une ligne annulée avec son fait ne laisse pas de trou dans le compteur', async () => {
    const before = (await world.lines(told.id)).length
    const cut: Db['tx'] = (who, work) =>
      world.db.tx(who, async (tx) => {
        await work(tx)
        throw new Error('coupure')
      })
    await expect(
      cut(world.as('thomas'), (tx) => append(tx, { action: 'attestation_imprimee' as Action, mandat: told, contenu: {} })),
    ).rejects.toThrow('coupure')
    const line = await world.db.tx(world.as('thomas'), (tx) =>
      append(tx, { action: 'attestation_imprimee', mandat: told, contenu: {} }),
    )
    expect(line.mandatSeq).toBe(before + 1)
  })
})

describe('qui lit', () => {
  it('un aidant sa structure, une personne ses lignes, le service aucun contenu', async () => {
    const read = (who: Who) =>
      world.db.tx(who, async (tx) => ({
        lines: await tx.sql<
          { structureId: string | null; usagerId: string | null }[]
        >`select structure_id, usager_id from journal`,
        contents: await tx.sql<{ usagerId: string | null; sensible: boolean }[]>`select usager_id, sensible from journal_contenu`,
      }))
    const aidant = await read(world.as('thomas'))
    expect(aidant.lines.length).toBeGreaterThan(5)
    expect(aidant.lines.every(({ structureId }) => structureId === told.structureId)).toBe(true)
    const person = await read({ kind: 'usager', usagerIds: [told.usagerId], niveau: 'identite' })
    expect(person.lines.length).toBeGreaterThan(3)
    expect(person.lines.every(({ usagerId }) => usagerId === told.usagerId)).toBe(true)
    for (const kind of ['worker', 'portier', 'verifier', 'sequencer', 'operator'] as const)
      expect((await read({ kind })).contents).toHaveLength(0)
    expect((await read({ kind: 'verifier' })).lines).toHaveLength(0)
  })
})
