import { randomBytes, randomUUID } from 'node:crypto'
import postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openDossier } from '../../src/audit/open.ts'
import { openDb } from '../../src/db.ts'
import { answerContestation } from '../../src/demarche/answer.ts'
import { contestDemarche } from '../../src/demarche/contest.ts'
import { listContestations } from '../../src/demarche/contestation-queries.ts'
import { correctDemarche } from '../../src/demarche/correct.ts'
import { recordActeHorsMandat, recordDemarche } from '../../src/demarche/record.ts'
import { append } from '../../src/journal/append.ts'
import { signCheckpoint } from '../../src/journal/checkpoint.ts'
import { jcs } from '../../src/journal/jcs.ts'
import { growTree, leafHash } from '../../src/journal/merkle.ts'
import { openSigner, type Signer } from '../../src/journal/note.ts'
import { restoreJournal } from '../../src/journal/restore.ts'
import { collectTiles } from '../../src/journal/tiles.ts'
import { type Fault, type FaultKind, openAudit, type SeenPoint } from '../../src/journal/verify.ts'
import { pauseMandat } from '../../src/mandat/pause.ts'
import { recordPause } from '../../src/mandat/record-pause.ts'
import { recordStop } from '../../src/mandat/record-stop.ts'
import { resumeMandat } from '../../src/mandat/resume.ts'
import { stopMandat } from '../../src/mandat/stop.ts'
import { closeDatabase, onDatabase } from '../../src/migrate.ts'
import { eraseUsager } from '../../src/usager/erase.ts'
import { declareCompromise } from '../../src/verification/compromise.ts'
import { newWitness, ORIGIN, openTree, pemKey } from '../support/arbre.ts'
import { newWorld, ok, type Told, uneDemarche, type World } from '../support/world.ts'

/*
 * Whoever is superuser can disarm every trigger and write anything. The claim is that it shows: each falsification below is done so, on a copy of
 * one and the same journal, and `verify` must find it, and name the first broken line where there is one.
 */

let world: World
let told: Told
/** Another's mandat, stopped by a letter, and his dossier opened by the direction. */
let marcel: Told
/** Hers was ended by the operator, at her request. */
let lucienne: Told
let pem: string
let signer: Signer
let witness: ReturnType<typeof newWitness>
/** Database names: the journal as it is, and as it was yesterday. */
let today = ''
let yesterday = ''
let server: postgres.Sql
/** Ids of lines by what they say, in order. */
let lines: { id: number; action: string; mandatId: string | null; seq: number | null; leaf: number }[]
/** Contents of the person who was erased, as somebody may have kept them. */
let before: { journalId: string; payload: string; salt: Buffer }[]

beforeAll(async () => {
  world = await newWorld()
  pem = pemKey()
  const tree = openTree(world.database, openSigner(pem, ORIGIN))
  signer = tree.signer
  witness = newWitness(signer)
  server = postgres(onDatabase(world.database.adminUrl, 'postgres'), { max: 1, onnotice: () => {} })
  told = await world.signMandat({ persona: 'josiane', perimetre: ['logement', 'famille', 'papiers', 'loisirs'] })
  const by = world.as('thomas')
  for (let i = 0; i < 4; i++) ok(await recordDemarche(world.db, by, uneDemarche(told.id, 'logement', { titre: `Courrier ${i}` })))
  await tree.settle()
  expect(await tree.cosign(witness)).toBe('temoigne')
  marcel = await world.signMandat({ persona: 'marcel' })
  ok(await recordStop(world.db, by, { mandatId: marcel.id, maniere: 'courrier', recuLe: marcel.signedAt }))
  const teiki = await world.signMandat({ persona: 'teiki', aidant: 'fabrice' })
  ok(await recordDemarche(world.db, world.as('fabrice'), uneDemarche(teiki.id)))
  ok(await stopMandat(world.db, await world.asUsager('teiki'), { mandatId: teiki.id }))
  before = await world.sql`
    select journal_id as "journalId", payload, salt from journal_contenu where usager_id = ${teiki.usagerId} order by journal_id`
  const operator = openDb({ url: world.database.operatorUrl, connections: 1 })
  ok(await eraseUsager(operator, { numero: teiki.id, motif: 'demande', confirmed: true }))
  const hers = await world.asUsager('josiane')
  ok(await pauseMandat(world.db, hers, { mandatId: told.id, thematique: 'famille' }))
  ok(await resumeMandat(world.db, hers, { mandatId: told.id, thematique: 'famille' }))
  ok(await stopMandat(world.db, hers, { mandatId: told.id, thematique: 'papiers' }))
  ok(await recordPause(world.db, world.as('ines'), { mandatId: told.id, thematique: 'famille', maniere: 'telephone' }))
  lucienne = await world.signMandat({ persona: 'lucienne' })
  ok(await recordStop(operator, { kind: 'operator' }, { mandatId: lucienne.id, maniere: 'courrier', recuLe: lucienne.signedAt }))
  ok(await recordActeHorsMandat(world.db, by, uneDemarche(told.id, 'papiers'), 'Le rendez-vous était pris depuis longtemps.'))
  for (const { usagerId } of [marcel, told])
    ok(
      await openDossier(world.db, world.asReferent('nadia'), {
        usagerId,
        motif: 'controle',
        precision: null,
        envoi: randomUUID(),
      }),
    )
  const contestee = ok(await recordDemarche(world.db, by, uneDemarche(told.id, 'loisirs', { titre: 'Contesté' }))).id
  const contest = { demarcheId: contestee, motif: 'inexact', note: 'Ce n’est pas cela.', pause: true } as const
  ok(await contestDemarche(world.db, hers, contest))
  ok(await correctDemarche(world.db, by, { demarcheId: contestee, faits: null, raison: 'Noté deux fois.' }))
  const [asked] = await world.db.tx(hers, (tx) => listContestations(tx, contestee))
  const reply = { contestationId: asked!.id, reponse: 'maintenue', note: 'Voici pourquoi.' } as const
  ok(await answerContestation(world.db, world.asReferent('nadia'), reply))
  ok(await contestDemarche(world.db, hers, contest))
  ok(await declareCompromise(operator, { kid: world.signer.seal.current.kid }))
  await operator.close()
  await world.db.tx({ kind: 'worker' }, async (tx) => {
    for (let i = 0; i < 280; i++)
      await append(tx, { action: 'structure_modifiee', structureId: told.structureId, contenu: { i } })
  })
  await tree.settle()
  expect(await tree.cosign(witness)).toBe('temoigne')
  yesterday = await clone(new URL(world.database.adminUrl).pathname.slice(1))
  for (let i = 0; i < 3; i++) {
    ok(await recordDemarche(world.db, by, uneDemarche(told.id, 'logement', { titre: `Suite ${i}` })))
    await tree.settle()
  }
  expect(await tree.cosign(witness)).toBe('temoigne')
  const rows = await world.sql<{ id: string; action: string; mandatId: string | null; seq: number | null; leaf: string }[]>`
    select j.id, j.action, j.mandat_id as "mandatId", j.mandat_seq as seq, f.leaf_index as leaf
    from journal j join journal_feuille f on f.journal_id = j.id order by f.leaf_index`
  lines = rows.map((row) => ({ ...row, id: Number(row.id), leaf: Number(row.leaf) }))
  today = await clone(new URL(world.database.adminUrl).pathname.slice(1))
  await tree.close()
})
afterAll(async () => {
  for (const name of [today, yesterday]) await server.unsafe(`drop database if exists ${name} with (force)`)
  await server.end()
  await world.close()
})

/** While it is open a database cannot be copied: whoever is in it is put out. */
async function clone(name: string): Promise<string> {
  const copy = `essai_${randomBytes(6).toString('hex')}`
  for (let tries = 0; ; tries++) {
    await server`select pg_terminate_backend(pid) from pg_stat_activity where datname = ${name}`
    try {
      await server.unsafe(`create database ${copy} template ${name} strategy file_copy`)
      break
    } catch (error) {
      if (tries > 20) throw error
    }
  }
  await closeDatabase(server, copy)
  return copy
}

const ARMED = [
  'journal',
  'journal_contenu',
  'journal_compteur',
  'journal_feuille',
  'journal_tuile',
  'journal_point',
  'journal_temoignage',
  'mandat',
  'autorisation',
  'suspension',
  'demarche',
  'demarche_contenu',
  'mandat_contenu',
  'arret_recu',
  'ouverture',
  'contestation',
  'correction',
  'cle',
  'jwks_archive',
]

type Copy = { sql: postgres.Sql; urls: Parameters<typeof openTree>[0] }
/** A copy of the journal, with nothing armed. */
async function copyOf(name: string): Promise<Copy & { drop(): Promise<void> }> {
  const copy = await clone(name)
  const at = (url: string) => onDatabase(url, copy)
  const sql = postgres(at(world.database.adminUrl), { max: 1, onnotice: () => {} })
  for (const table of ARMED) await sql.unsafe(`alter table ${table} disable trigger all`)
  await sql.unsafe('alter table journal drop constraint journal_sequence_unique')
  return {
    sql,
    urls: {
      adminUrl: at(world.database.adminUrl),
      auditorUrl: at(world.database.auditorUrl),
      sequencerUrl: at(world.database.sequencerUrl),
    },
    async drop() {
      await sql.end()
      await server.unsafe(`drop database if exists ${copy} with (force)`)
    },
  }
}

/** The line that says this, the nth of the mandat told. */
const line = (action: string, nth = 0) =>
  lines.filter((one) => one.action === action && (one.mandatId === null || one.mandatId === told.id))[nth]!
const rewrite = `entry = journal_entry(at, action, acteur, acteur_id, structure_id, usager_id, mandat_id, mandat_seq, cible_aidant_id, commitment)`
/** The leaf says the line as it is now. */
const rehash = `update journal_feuille f set hash = sha256(decode('00', 'hex') || j.entry) from journal j where j.id = f.journal_id`
/** What dates a checkpoint, armed again: the sequencer itself is made to lie. */
const PLACING = 'alter table journal_point enable always trigger journal_point_entier'
/** The whole tree made anew, with the real key: all that an operator can do. */
async function rebuild({ sql, urls }: Copy, key = signer): Promise<void> {
  await sql.unsafe(
    'delete from journal_temoignage; delete from journal_point; delete from journal_tuile; delete from journal_feuille',
  )
  await sql.unsafe(`update journal_bail set titulaire = null, jusqu_a = null, horizon = '0'; ${PLACING}`)
  const tree = openTree(urls, key)
  await tree.settle()
  await tree.close()
}
/**
 * Whoever holds the base and the key: a line says something else, the tree over it is made anew and signed as it was, and what witnesses saw further
 * is said to be lost by a restore. `points` false: no checkpoint is left, as if all lines had still been waiting when the backup was made.
 */
async function rewriteAndRestore(copy: Copy, { action = 'demarche_realisee', was = 'Courrier 0', points = true } = {}) {
  const { id } = line(action)
  const sizes = await copy.sql`select taille from journal_point order by taille`
  await copy.sql.unsafe(
    `update journal_contenu set payload = replace(payload, '${was}', 'Autre chose') where journal_id = ${id};
     update demarche_contenu set titre = 'Autre chose' where titre = '${was}';
     update journal j set commitment = sha256(c.salt || convert_to(c.payload, 'UTF8')) from journal_contenu c where c.journal_id = j.id and j.id = ${id};
     update journal set ${rewrite} where id = ${id};
     delete from journal_temoignage; delete from journal_point; delete from journal_tuile; delete from journal_feuille;
     alter table journal enable always trigger journal_ecrit`,
  )
  if (points) {
    const tiles: { level: number; index: number; hashes: Buffer; root: Buffer }[] = []
    const leaves = growTree(collectTiles((tile) => void tiles.push(tile)))
    for (const [index, one] of lines.slice(0, Number(sizes.at(-1)!.taille)).entries()) {
      const [row] = await copy.sql`select entry from journal where id = ${one.id}`
      const hash = leafHash(row!.entry)
      leaves.push(hash)
      await copy.sql`insert into journal_feuille (leaf_index, journal_id, epoch, hash) values (${index}, ${one.id}, 1, ${hash})`
      if (sizes.some(({ taille }) => Number(taille) === leaves.size)) {
        const root = leaves.root()
        const note = signCheckpoint(signer, { origin: ORIGIN, size: leaves.size, root })
        await copy.sql`insert into journal_point (taille, racine, epoch, note, created_at) values (${leaves.size}, ${root}, 1, ${note}, now())`
      }
    }
    for (const { level, index, hashes, root } of tiles)
      await copy.sql`insert into journal_tuile (niveau, numero, hashes, racine) values (${level}, ${index}, ${hashes}, ${root})`
  }
  await copy.sql.unsafe(PLACING)
  await declareRestore(copy)
}
/** What ends every restore, after a loss: witnesses had seen the whole journal of today. */
async function declareRestore(copy: Copy) {
  const admin = openDb({ url: copy.urls.adminUrl, connections: 1 })
  const said = { avant: ORIGIN, vues: { [ORIGIN]: lines.length }, signerOf: (nom: string) => openSigner(pem, nom) }
  const { nom } = ok(await restoreJournal(admin, said))
  await admin.close()
  return openSigner(pem, nom)
}
/** Takes leaf n away; those after it come one place nearer. */
const renumber = (leaf: number) =>
  `delete from journal_feuille where leaf_index = ${leaf};
   alter table journal_feuille drop constraint journal_feuille_pkey;
   update journal_feuille set leaf_index = leaf_index - 1 where leaf_index > ${leaf}`

type Case = {
  name: string
  act: (copy: Copy) => Promise<unknown>
  kind: FaultKind | readonly FaultKind[]
  /** The line that must be named. */
  named?: () => number
  /** What a witness kept is compared; without it this one cannot be seen, and the test says so too. */
  witnessed?: boolean
  /** What the mandat told allows: named, and seen by the auditor too, who reads no content. */
  mandat?: true
  /** Seen by the auditor too, of no mandat. */
  auditor?: true
  from?: 'yesterday'
  seen?: () => (SeenPoint | undefined)[]
  /** Ranks between which it must be said to have changed. */
  between?: () => [number, number]
  /** What is not enough to see it, and the test says so too. */
  blind?: () => SeenPoint[]
}
const on =
  (text: () => string) =>
  ({ sql }: Copy) =>
    sql.unsafe(text())

/** The row that an act of hers has in this table, written again with these values. */
const recopie = (table: string, values: string, where = `journal_id = ${line('demarche_realisee').id}`) =>
  `insert into ${table} select (jsonb_populate_record(t, jsonb_build_object(${values}))).* from ${table} t where ${where}`
const recopieDemarche = (id: string) => recopie('demarche', `'journal_id', ${id}, 'id', '${FORGEE}', 'envoi', gen_random_uuid()`)
/** An act forged with its line and its words, of this number: the last of the mandat's count. */
const acteSous = (id: string, at = 'at', xid = '1') => {
  const from = line('demarche_realisee').id
  return `insert into journal (id, xid, at, action, acteur, acteur_id, structure_id, usager_id, mandat_id, mandat_seq, entry, commitment)
      overriding system value
      select ${id}, '${xid}', ${at}, action, acteur, acteur_id, structure_id, usager_id, mandat_id,
        1 + (select max(mandat_seq) from journal where mandat_id = '${told.id}'), '', commitment from journal where id = ${from};
    create temp table forgee as select id from journal where entry = '';
    update journal set ${rewrite} where entry = '';
    ${recopie('journal_contenu', `'journal_id', (select id from forgee)`)};
    ${recopieDemarche('(select id from forgee)')};
    ${recopie('demarche_contenu', `'demarche_id', '${FORGEE}'`, `demarche_id = (select id from demarche where journal_id = ${from})`)};
    drop table forgee`
}
const FORGEE = '00000000-0000-4000-8000-00000000f00e'

const CASES: Case[] = [
  {
    name: 'un fait noté est changé',
    act: on(
      () =>
        `update journal_contenu set payload = replace(payload, 'guichet', 'telephone'), salt = salt || '' where journal_id = ${line('demarche_realisee').id}; update journal_contenu set payload = payload || ' ' where journal_id = ${line('demarche_realisee').id}`,
    ),
    kind: 'contenu_change',
    named: () => line('demarche_realisee').id,
  },
  {
    name: 'une fin de ligne se glisse dans un fait noté',
    act: on(() => `update journal_contenu set payload = payload || E'\\n' where journal_id = ${line('demarche_realisee').id}`),
    kind: 'contenu_change',
    named: () => line('demarche_realisee').id,
  },
  {
    name: 'le sel d’un contenu est changé',
    act: on(
      () => `update journal_contenu set salt = decode(repeat('07', 32), 'hex') where journal_id = ${line('mandat_signe').id}`,
    ),
    kind: 'contenu_change',
    named: () => line('mandat_signe').id,
  },
  {
    name: 'un fait et son engagement sont changés ensemble',
    act: on(
      () =>
        `update journal_contenu set payload = '{}' where journal_id = ${line('demarche_realisee').id}; update journal j set commitment = sha256(c.salt || '{}'::bytea) from journal_contenu c where c.journal_id = j.id and j.id = ${line('demarche_realisee').id}`,
    ),
    kind: 'colonnes_changees',
    named: () => line('demarche_realisee').id,
  },
  {
    name: '… et les octets de la ligne avec',
    act: on(
      () =>
        `update journal_contenu set payload = '{}' where journal_id = ${line('demarche_realisee').id}; update journal j set commitment = sha256(c.salt || '{}'::bytea) from journal_contenu c where c.journal_id = j.id and j.id = ${line('demarche_realisee').id}; update journal set ${rewrite} where id = ${line('demarche_realisee').id}`,
    ),
    kind: 'octets_changes',
    named: () => line('demarche_realisee').id,
  },
  {
    name: 'une action devient une autre',
    act: on(
      () =>
        `alter table journal drop constraint journal_acteur_action; update journal set action = 'acte_hors_mandat' where id = ${line('demarche_realisee', 1).id}`,
    ),
    kind: 'colonnes_changees',
    named: () => line('demarche_realisee', 1).id,
  },
  {
    name: 'une action devient une autre, octets récrits',
    act: on(
      () =>
        `update journal set action = 'acte_hors_mandat' where id = ${line('demarche_realisee', 1).id}; update journal set ${rewrite} where id = ${line('demarche_realisee', 1).id}`,
    ),
    kind: 'octets_changes',
    named: () => line('demarche_realisee', 1).id,
  },
  {
    name: 'une heure est avancée d’une milliseconde',
    act: on(() => `update journal set at = at + interval '1 millisecond' where id = ${line('demarche_realisee').id}`),
    kind: 'colonnes_changees',
    named: () => line('demarche_realisee').id,
  },
  {
    name: 'une heure est reculée d’une milliseconde, octets et feuille récrits',
    act: on(
      () =>
        `update journal set at = at - interval '1 millisecond' where id = ${line('demarche_realisee').id}; update journal set ${rewrite} where id = ${line('demarche_realisee').id}; ${rehash}`,
    ),
    kind: 'racine_differente',
  },
  {
    name: 'un autre auteur',
    act: on(() => `update journal set acteur_id = '${randomUUID()}' where id = ${line('demarche_realisee').id}`),
    kind: 'colonnes_changees',
    named: () => line('demarche_realisee').id,
  },
  {
    name: 'une ligne est effacée',
    act: on(() => `delete from journal where id = ${line('demarche_realisee', 2).id}`),
    kind: 'ligne_effacee',
    named: () => line('demarche_realisee', 2).id,
  },
  {
    name: 'une ligne et sa feuille sont effacées',
    act: on(
      () =>
        `delete from journal where id = ${line('demarche_realisee', 2).id}; delete from journal_feuille where journal_id = ${line('demarche_realisee', 2).id}`,
    ),
    kind: 'rang_manquant',
    named: () => lines[line('demarche_realisee', 2).leaf - 1]!.id,
  },
  {
    name: 'une ligne est effacée, les suivantes renumérotées dans l’arbre',
    act: on(
      () => `delete from journal where id = ${line('demarche_realisee', 2).id}; ${renumber(line('demarche_realisee', 2).leaf)}`,
    ),
    kind: ['numero_manquant', 'racine_differente', 'rang_manquant'],
  },
  {
    name: '… et dans son mandat, octets et feuilles récrits',
    act: on(
      () =>
        `delete from journal where id = ${line('demarche_realisee', 2).id}; ${renumber(line('demarche_realisee', 2).leaf)}; update journal set mandat_seq = mandat_seq - 1 where mandat_id = '${told.id}' and mandat_seq > ${line('demarche_realisee', 2).seq}; update journal set ${rewrite} where mandat_id = '${told.id}'; ${rehash}`,
    ),
    kind: ['racine_differente', 'rang_manquant'],
  },
  {
    name: 'une ligne antidatée est glissée hors de l’arbre',
    act: on(
      () =>
        `insert into journal (xid, at, action, acteur, structure_id, entry, commitment) select '1', at + interval '5 minutes', 'structure_modifiee', 'systeme', structure_id, '', commitment from journal where id = ${line('mandat_signe').id}; update journal set ${rewrite} where entry = ''`,
    ),
    kind: 'hors_de_l_arbre',
    named: () => Number.NaN,
  },
  ...(
    [
      ['-7', -7],
      ['-9223372036854775807', Number.MIN_SAFE_INTEGER],
      ['4503599627370496', 2 ** 52],
      ['9223372036854775806', Number.MAX_SAFE_INTEGER],
    ] as const
  ).map(
    ([id, dit]): Case => ({
      name: `une démarche et sa ligne sont ajoutées sous un numéro que la base ne donne pas (${id})`,
      act: on(() => acteSous(id)),
      kind: 'hors_de_l_arbre',
      named: () => dit,
      auditor: true,
    }),
  ),
  {
    name: 'une démarche est ajoutée sous une ligne qu’il n’y a pas, hors des numéros qui se lisent',
    act: on(() => recopieDemarche('-9223372036854775807')),
    kind: 'fait_sans_ligne',
  },
  {
    name: 'une ligne et sa démarche attendent leur place depuis l’avenir',
    act: on(
      () =>
        `${acteSous('(select max(id) + 1 from journal)', "at + interval '10 years'", '9999999999')}; update demarche set recorded_at = recorded_at + interval '10 years' where journal_id = (select max(id) from journal)`,
    ),
    kind: 'hors_de_l_arbre',
    named: () => Number.NaN,
  },
  {
    name: 'une ligne antidatée est rangée par le séquenceur lui-même',
    act: async (copy) => {
      await copy.sql.unsafe(
        `insert into journal (at, action, acteur, structure_id, entry, commitment) select at - interval '3 days', 'structure_modifiee', 'systeme', structure_id, '', commitment from journal where id = ${line('mandat_signe').id}; update journal set ${rewrite} where entry = ''; insert into journal_contenu (journal_id, structure_id, payload, salt) select (select max(id) from journal), j.structure_id, c.payload, c.salt from journal_contenu c join journal j on j.id = c.journal_id where j.id = ${line('mandat_signe').id}`,
      )
      await copy.sql.unsafe(`update journal_bail set titulaire = null, jusqu_a = null; ${PLACING}`)
      const tree = openTree(copy.urls, signer)
      await tree.settle()
      await tree.close()
    },
    kind: 'antidatee',
    named: () => Number.NaN,
  },
  {
    name: 'une ligne est glissée au milieu de l’arbre',
    act: on(
      () =>
        `insert into journal (at, action, acteur, structure_id, entry, commitment) select at, 'structure_modifiee', 'systeme', structure_id, '', commitment from journal where id = ${line('mandat_signe').id}; update journal set ${rewrite} where entry = ''; insert into journal_contenu (journal_id, payload, salt) select (select max(id) from journal), payload, salt from journal_contenu where journal_id = ${line('mandat_signe').id}; alter table journal_feuille drop constraint journal_feuille_pkey; update journal_feuille set leaf_index = leaf_index + 1 where leaf_index > 5; insert into journal_feuille select 6, max(id), 1, decode(repeat('00', 32), 'hex') from journal; ${rehash}`,
    ),
    kind: ['racine_differente'],
  },
  {
    name: 'deux lignes changent de place dans l’arbre',
    act: on(
      () =>
        `alter table journal_feuille drop constraint journal_feuille_pkey; update journal_feuille set leaf_index = case leaf_index when 20 then 21 else 20 end where leaf_index in (20, 21)`,
    ),
    kind: 'racine_differente',
  },
  {
    name: 'deux lignes échangent ce qu’elles disent',
    act: on(() => {
      const [a, b] = [lines[100]!.id, lines[101]!.id]
      return `update journal j set at = o.at, entry = o.entry, commitment = o.commitment from journal o where (j.id, o.id) in ((${a}, ${b}), (${b}, ${a}))`
    }),
    kind: 'octets_changes',
    named: () => lines[100]!.id,
  },
  {
    name: 'une ligne passe à un autre mandat',
    act: on(
      () =>
        `update journal set mandat_id = (select id from mandat where id <> '${told.id}' limit 1) where id = ${line('demarche_realisee').id}`,
    ),
    kind: 'colonnes_changees',
    named: () => line('demarche_realisee').id,
  },
  {
    name: 'une démarche passe à un autre mandat',
    act: on(
      () =>
        `update demarche set mandat_id = (select id from mandat where id <> '${told.id}' limit 1) where journal_id = ${line('demarche_realisee').id}`,
    ),
    kind: 'fait_disparu',
    named: () => line('demarche_realisee').id,
  },
  {
    name: 'la fin est coupée',
    act: async ({ sql }) => {
      const last = await sql`select taille from journal_point order by taille desc limit 1 offset 2`
      const size = Number(last[0]!.taille)
      await sql.unsafe(
        `delete from journal_temoignage where taille > ${size}; delete from journal_point where taille > ${size}; delete from demarche where journal_id in (select journal_id from journal_feuille where leaf_index >= ${size}); delete from journal_contenu where journal_id in (select journal_id from journal_feuille where leaf_index >= ${size}); delete from journal where id in (select journal_id from journal_feuille where leaf_index >= ${size}); delete from journal_feuille where leaf_index >= ${size}`,
      )
    },
    kind: 'temoin_plus_loin',
    named: () => lines.at(-3)!.id,
    witnessed: true,
  },
  {
    name: 'la fin est coupée, les points de contrôle oubliés',
    act: on(
      () =>
        `delete from demarche where journal_id = ${lines.at(-1)!.id}; delete from journal where id = ${lines.at(-1)!.id}; delete from journal_feuille where journal_id = ${lines.at(-1)!.id}`,
    ),
    kind: 'rang_manquant',
  },
  {
    name: 'une ligne est récrite et tout l’arbre refait, avec la vraie clé',
    act: async (copy) => {
      const { id } = line('demarche_realisee')
      await copy.sql.unsafe(
        `update journal_contenu set payload = replace(payload, 'Courrier 0', 'Autre chose') where journal_id = ${id}; update demarche_contenu set titre = 'Autre chose' where titre = 'Courrier 0'; update journal j set commitment = sha256(c.salt || convert_to(c.payload, 'UTF8')) from journal_contenu c where c.journal_id = j.id and j.id = ${id}; update journal set ${rewrite} where id = ${id}`,
      )
      await rebuild(copy)
    },
    kind: 'temoin_autre_arbre',
    witnessed: true,
  },
  {
    name: 'une ligne est récrite, et tout l’arbre refait se dit restauré',
    act: async (copy) => {
      const { id } = line('demarche_realisee')
      await copy.sql.unsafe(
        `update journal_contenu set payload = replace(payload, 'Courrier 0', 'Autre chose') where journal_id = ${id}; update demarche_contenu set titre = 'Autre chose' where titre = 'Courrier 0'; update journal j set commitment = sha256(c.salt || convert_to(c.payload, 'UTF8')) from journal_contenu c where c.journal_id = j.id and j.id = ${id};
        update journal set at = at - interval '3 days', acteur = acteur where id <= ${line('cle_publiee').id}; update journal set ${rewrite};
        delete from journal_temoignage; delete from journal_point; delete from journal_tuile; delete from journal_feuille;
        alter table journal enable always trigger journal_ecrit; ${PLACING}`,
      )
      await declareRestore(copy)
    },
    kind: 'fin_sans_point',
    seen: () => [witness.seen()],
  },
  {
    name: 'une ligne est récrite avant la perte que dit une restauration',
    from: 'yesterday',
    act: (copy) => rewriteAndRestore(copy),
    kind: 'temoin_autre_arbre',
    seen: () => witness.all(),
    between: () => [0, witness.all()[0]!.size],
    blind: () => witness.all().slice(-1),
  },
  {
    name: '… après le premier point que le témoin a gardé',
    from: 'yesterday',
    act: (copy) => rewriteAndRestore(copy, { action: 'structure_modifiee', was: 'i' }),
    kind: 'temoin_autre_arbre',
    seen: () => witness.all(),
    between: () => [witness.all()[0]!.size, witness.all()[1]!.size],
    blind: () => witness.all().slice(-1),
  },
  {
    name: '… et les points d’avant sont jetés : ses lignes auraient attendu leur place',
    from: 'yesterday',
    act: (copy) => rewriteAndRestore(copy, { points: false }),
    kind: 'fin_sans_point',
    // Seen two hours before the last line that the backup held, if one believes when that line says that it was written.
    seen: () => witness.all().map((one) => ({ ...one, vu: one.vu! - 7_200 })),
    blind: () => witness.all(),
  },
  {
    name: 'le séquenceur laisse une ligne hors de l’arbre, et ne dit pas qu’il est passé plus loin',
    act: on(
      () =>
        `insert into journal (at, action, acteur, structure_id, entry, commitment) select at - interval '1 hour', 'structure_modifiee', 'systeme', structure_id, '', commitment from journal where id = ${line('mandat_signe').id}; update journal set ${rewrite} where entry = ''; insert into journal_contenu (journal_id, payload, salt) select (select max(id) from journal), payload, salt from journal_contenu where journal_id = ${line('mandat_signe').id}; update journal_bail set horizon = '0'`,
    ),
    kind: 'hors_de_l_arbre',
    named: () => Number.NaN,
  },
  {
    name: 'une empreinte change dans une tuile',
    act: on(() => `update journal_tuile set hashes = overlay(hashes placing decode(repeat('00', 32), 'hex') from 33)`),
    kind: 'tuile_changee',
  },
  { name: 'une tuile disparaît', act: on(() => 'delete from journal_tuile'), kind: 'tuile_manquante' },
  {
    name: 'une feuille change d’empreinte',
    act: on(() => `update journal_feuille set hash = decode(repeat('00', 32), 'hex') where leaf_index = 9`),
    kind: 'octets_changes',
    named: () => lines[9]!.id,
  },
  {
    name: 'les points de contrôle sont signés par une autre clé',
    act: (copy) => rebuild(copy, openSigner(pemKey(), ORIGIN)),
    kind: 'point_non_signe',
  },
  {
    name: 'un point de contrôle est récrit à la main',
    act: on(() => `update journal_point set note = replace(note, E'\\n' || taille || E'\\n', E'\\n' || taille + 1 || E'\\n')`),
    kind: 'point_non_signe',
  },
  {
    name: 'la racine rangée à côté d’un point change',
    act: on(() => `update journal_point set racine = decode(repeat('00', 32), 'hex')`),
    kind: 'point_change',
  },
  {
    name: 'le dernier point de contrôle disparaît',
    act: on(
      () => 'delete from journal_temoignage; delete from journal_point where taille = (select max(taille) from journal_point)',
    ),
    kind: 'fin_sans_point',
  },
  {
    name: 'deux journaux sont montrés à deux témoins',
    act: async () => {},
    kind: 'temoin_autre_arbre',
    seen: () => [witness.seen(), { origin: ORIGIN, size: 40, root: randomBytes(32) }],
  },
  {
    name: 'une sauvegarde d’hier prend la place',
    from: 'yesterday',
    act: async () => {},
    kind: 'temoin_plus_loin',
    witnessed: true,
  },
  {
    name: 'un numéro du mandat est retiré, tout est refait avec la vraie clé',
    act: async (copy) => {
      const { id } = line('demarche_realisee', 1)
      await copy.sql.unsafe(
        `delete from demarche where journal_id = ${id}; delete from journal_contenu where journal_id = ${id}; delete from journal where id = ${id}`,
      )
      await rebuild(copy)
    },
    kind: 'numero_manquant',
    named: () =>
      lines.filter(({ mandatId }) => mandatId === told.id).find(({ seq }) => seq === line('demarche_realisee', 1).seq! + 1)!.id,
  },
  {
    name: 'un numéro du mandat est donné deux fois, tout est refait avec la vraie clé',
    act: async (copy) => {
      const { id } = line('demarche_realisee', 1)
      await copy.sql.unsafe(
        `update journal set mandat_seq = mandat_seq - 1 where id = ${id}; update journal set ${rewrite} where id = ${id}`,
      )
      await rebuild(copy)
    },
    kind: 'numero_en_double',
    named: () => line('demarche_realisee', 1).id,
  },
  {
    name: 'un arrêt est défait',
    act: on(
      () =>
        `update autorisation set revoked_at = null, revoked_how = null, revoked_journal_id = null where revoked_journal_id is not null and mandat_id = '${told.id}'`,
    ),
    kind: 'fait_disparu',
    named: () => line('autorisation_revoquee').id,
  },
  {
    name: 'un arrêt est daté d’un autre jour',
    act: on(
      () =>
        `update autorisation set revoked_at = revoked_at + interval '2 minutes' where revoked_journal_id is not null and mandat_id = '${told.id}'`,
    ),
    kind: 'fait_redate',
    named: () => line('autorisation_revoquee').id,
  },
  {
    name: 'une thématique est ajoutée à un mandat, sous sa propre ligne',
    act: on(
      () =>
        `create temp table une as select * from autorisation where mandat_id = '${told.id}' and thematique = 'logement'; update une set id = gen_random_uuid(), thematique = 'argent'; insert into autorisation select * from une`,
    ),
    kind: 'perimetre_change',
    named: () => line('mandat_signe').id,
    mandat: true,
  },
  {
    name: 'une thématique accordée en devient une autre',
    act: on(() => `update autorisation set thematique = 'justice' where mandat_id = '${told.id}' and thematique = 'logement'`),
    kind: 'perimetre_change',
    named: () => line('mandat_signe').id,
    mandat: true,
  },
  {
    name: 'une thématique accordée disparaît',
    act: on(() => `delete from autorisation where mandat_id = '${told.id}' and thematique = 'logement'`),
    kind: 'perimetre_change',
    named: () => line('mandat_signe').id,
    mandat: true,
  },
  {
    name: 'un mandat est prolongé d’un jour',
    act: on(
      () =>
        `update mandat set expires_at = expires_at + interval '1 day' where id = '${told.id}'; update autorisation set expires_at = expires_at + interval '1 day' where mandat_id = '${told.id}'`,
    ),
    kind: 'dates_changees',
    named: () => line('mandat_signe').id,
    mandat: true,
  },
  {
    name: 'une seule thématique est prolongée d’une milliseconde',
    act: on(
      () =>
        `update autorisation set expires_at = expires_at + interval '1 millisecond' where mandat_id = '${told.id}' and thematique = 'logement'`,
    ),
    kind: 'dates_changees',
    named: () => line('mandat_signe').id,
    mandat: true,
  },
  {
    name: 'un mandat commence une seconde plus tôt',
    act: on(
      () =>
        `update mandat set signed_at = signed_at - interval '1 second' where id = '${told.id}'; update autorisation set signed_at = signed_at - interval '1 second' where mandat_id = '${told.id}'`,
    ),
    kind: 'dates_changees',
    named: () => line('mandat_signe').id,
    mandat: true,
  },
  {
    name: 'la durée d’un mandat est changée, pour le renouveler plus long',
    act: on(() => `update mandat set duree = 'an' where id = '${told.id}'`),
    kind: 'dates_changees',
    named: () => line('mandat_signe').id,
    mandat: true,
  },
  {
    name: 'un mandat passe à une autre structure',
    act: on(
      () =>
        `update mandat set structure_id = '${world.structures.saintDenis}' where id = '${told.id}'; update autorisation set structure_id = '${world.structures.saintDenis}' where mandat_id = '${told.id}'`,
    ),
    kind: 'parties_changees',
    named: () => line('mandat_signe').id,
    mandat: true,
  },
  {
    name: 'un arrêt passe à une autre thématique : celle qui était arrêtée reprend',
    act: on(
      () =>
        `alter table autorisation drop constraint autorisation_revoked_journal_id_key; update autorisation a set revoked_at = o.revoked_at, revoked_how = o.revoked_how, revoked_journal_id = o.revoked_journal_id from autorisation o where a.mandat_id = '${told.id}' and o.mandat_id = a.mandat_id and (a.thematique, o.thematique) in (('papiers', 'logement'), ('logement', 'papiers'))`,
    ),
    kind: 'thematique_changee',
    named: () => line('autorisation_revoquee').id,
    mandat: true,
  },
  {
    name: 'une pause passe à une autre thématique',
    act: on(
      () =>
        `update suspension set autorisation_id = (select id from autorisation where mandat_id = '${told.id}' and thematique = 'logement') where journal_id = ${line('autorisation_suspendue').id}`,
    ),
    kind: 'thematique_changee',
    named: () => line('autorisation_suspendue').id,
    mandat: true,
  },
  {
    name: 'une pause disparaît',
    act: on(() => 'delete from suspension'),
    kind: 'fait_disparu',
    named: () => line('autorisation_suspendue').id,
  },
  {
    name: 'une démarche disparaît',
    act: on(() => `delete from demarche_contenu; delete from demarche where journal_id = ${line('demarche_realisee').id}`),
    kind: 'fait_disparu',
    named: () => line('demarche_realisee').id,
  },
  {
    name: 'un contenu est effacé sans la ligne qui le dit',
    act: on(() => `update journal_contenu set payload = null, salt = null where journal_id = ${line('demarche_realisee').id}`),
    kind: 'contenu_efface_sans_ligne',
    named: () => line('demarche_realisee').id,
  },
  {
    name: 'un contenu disparaît',
    act: on(() => `delete from journal_contenu where journal_id = ${line('demarche_realisee').id}`),
    kind: 'contenu_efface_sans_ligne',
    named: () => line('demarche_realisee').id,
  },
  {
    name: 'les mots d’une démarche disparaissent',
    act: on(
      () =>
        `delete from demarche_contenu c using demarche d where d.id = c.demarche_id and d.journal_id = ${line('demarche_realisee', 1).id}`,
    ),
    kind: 'contenu_efface_sans_ligne',
    named: () => line('demarche_realisee', 1).id,
  },
  {
    name: 'les mots d’un accord disparaissent',
    act: on(() => `delete from mandat_contenu where mandat_id = '${told.id}'`),
    kind: 'contenu_efface_sans_ligne',
    named: () => line('mandat_signe').id,
  },
  {
    name: 'un contenu effacé revient',
    act: ({ sql }) => {
      const { journalId, payload, salt } = before[1]!
      return sql`update journal_contenu set payload = ${payload}, salt = ${salt} where journal_id = ${journalId}`
    },
    kind: 'contenu_reste',
    named: () => Number(before[1]!.journalId),
  },
  {
    name: 'un effacement est dit, et n’a pas été fait',
    act: async (copy) => {
      await copy.sql.unsafe(
        `insert into journal (at, action, acteur, usager_id, entry, commitment) select horloge(), 'donnees_effacees', 'operateur', '${told.usagerId}', '', commitment from journal where id = ${line('mandat_signe').id}; update journal set ${rewrite} where entry = ''`,
      )
      await rebuild(copy)
    },
    kind: 'contenu_reste',
    named: () => line('mandat_signe').id,
  },
  {
    name: 'la raison d’un effacement disparaît',
    act: async (copy) => {
      const [erasure] = lines.filter(({ action }) => action === 'donnees_effacees')
      await copy.sql.unsafe(`update journal_contenu set payload = null, salt = null where journal_id = ${erasure!.id}`)
    },
    kind: 'contenu_efface_sans_ligne',
    named: () => lines.find(({ action }) => action === 'donnees_effacees')!.id,
  },
  {
    name: 'un mandat n’a plus sa ligne',
    act: on(() => `update mandat set journal_id = ${line('structure_modifiee').id} where id = '${told.id}'`),
    kind: 'fait_disparu',
    named: () => line('mandat_signe').id,
  },
  {
    name: 'une démarche est ajoutée sous la ligne d’une autre',
    act: on(
      () =>
        `alter table demarche drop constraint demarche_journal_id_key; create temp table une as select * from demarche where journal_id = ${line('demarche_realisee').id}; update une set id = gen_random_uuid(), envoi = gen_random_uuid(), journal_id = ${line('structure_modifiee').id}; insert into demarche select * from une`,
    ),
    kind: 'fait_sans_ligne',
    named: () => line('structure_modifiee').id,
  },
  {
    name: 'une démarche est mise au nom d’un autre aidant',
    act: on(() => `update demarche set aidant_id = '${world.aidants.nadia}' where journal_id = ${line('demarche_realisee').id}`),
    kind: 'fait_change',
    named: () => line('demarche_realisee').id,
    mandat: true,
  },
  {
    name: 'un acte hors mandat devient régulier',
    act: on(
      () =>
        `alter table demarche_contenu drop constraint demarche_hors_mandat_motivee; update demarche set genre = 'reguliere' where journal_id = ${line('acte_hors_mandat').id}; update demarche_contenu set genre = 'reguliere' where genre = 'hors_mandat'`,
    ),
    kind: 'fait_change',
    named: () => line('acte_hors_mandat').id,
    mandat: true,
  },
  {
    name: 'une démarche est dite faite un autre jour',
    act: on(() => `update demarche set done_at = done_at - interval '1 day' where journal_id = ${line('demarche_realisee').id}`),
    kind: 'fait_change',
    named: () => line('demarche_realisee').id,
  },
  {
    name: 'le résultat d’une démarche change',
    act: on(() => `update demarche set resultat = 'refusee' where journal_id = ${line('demarche_realisee').id}`),
    kind: 'fait_change',
    named: () => line('demarche_realisee').id,
  },
  {
    name: 'le titre d’une démarche, que la personne lit, est récrit',
    act: on(
      () =>
        `update demarche_contenu c set titre = 'Autre chose' from demarche d where d.id = c.demarche_id and d.journal_id = ${line('demarche_realisee', 1).id}`,
    ),
    kind: 'fait_change',
    named: () => line('demarche_realisee', 1).id,
  },
  {
    name: 'une note est ajoutée à une démarche',
    act: on(
      () =>
        `update demarche_contenu c set note = 'A demandé elle-même.' from demarche d where d.id = c.demarche_id and d.journal_id = ${line('demarche_realisee', 1).id}`,
    ),
    kind: 'fait_change',
    named: () => line('demarche_realisee', 1).id,
  },
  {
    name: 'le sceau d’un mandat est remplacé par un autre',
    act: on(() => `update mandat_contenu set sceau = 'a.b.c' where mandat_id = '${told.id}'`),
    kind: 'fait_change',
    named: () => line('mandat_signe').id,
  },
  ...(
    [
      ['le nom de la personne', `identite = identite || '{"nomNaissance": "Autre"}'`],
      ['sa date de naissance', `identite = identite || '{"birthdate": "1900-01-01"}'`],
      ['la structure', `structure = structure || '{"nom": "Autre"}'`],
      ['l’aidant', `aidant = aidant || '{"nom": "Autre"}'`],
    ] as const
  ).map(
    ([what, set]): Case => ({
      name: `${what}, que le papier redit, n’est plus ce qui est scellé`,
      act: on(() => `update mandat_contenu set ${set} where mandat_id = '${told.id}'`),
      kind: 'fait_change',
      named: () => line('mandat_signe').id,
    }),
  ),
  {
    name: 'ce que FranceConnect a signé est remplacé',
    act: on(() => `update mandat_contenu set id_token = 'a.b.c' where mandat_id = '${told.id}'`),
    kind: 'fait_change',
    named: () => line('mandat_signe').id,
  },
  {
    name: 'un arrêt de la personne devient une renonciation de la structure',
    act: on(
      () => `update autorisation set revoked_how = 'renonce' where mandat_id = '${told.id}' and revoked_journal_id is not null`,
    ),
    kind: 'fait_change',
    named: () => line('autorisation_revoquee').id,
    mandat: true,
  },
  {
    name: 'la fin d’un mandat change de raison',
    act: on(() => `update mandat set ended_how = 'deces' where id = '${marcel.id}'`),
    kind: 'fait_change',
    named: () => lines.find(({ action, mandatId }) => action === 'mandat_termine' && mandatId === marcel.id)!.id,
  },
  {
    name: 'une lettre est dite arrivée plus tard : ce qui fut fait depuis n’est plus signalé',
    act: on(() => `update arret_recu set recu_le = recorded_at`),
    kind: 'fait_change',
    named: () => lines.find(({ action, mandatId }) => action === 'autorisation_revoquee' && mandatId === marcel.id)!.id,
  },
  {
    name: 'la lettre disparaît',
    act: on(() => `delete from arret_recu`),
    kind: 'fait_change',
    named: () => lines.find(({ action, mandatId }) => action === 'autorisation_revoquee' && mandatId === marcel.id)!.id,
  },
  {
    name: 'une pause demandée par téléphone est dite enregistrée par un autre',
    act: on(() => `update suspension set aidant_id = '${world.aidants.thomas}' where aidant_id is not null`),
    kind: 'fait_change',
    named: () => line('autorisation_suspendue', 1).id,
    auditor: true,
    mandat: true,
  },
  {
    name: 'un arrêt arrivé au service est dit reçu par un aidant',
    act: on(() => `update arret_recu set aidant_id = '${world.aidants.thomas}' where aidant_id is null`),
    kind: 'fait_change',
    named: () => lines.find(({ action, mandatId }) => action === 'autorisation_revoquee' && mandatId === lucienne.id)!.id,
    auditor: true,
  },
  {
    name: 'une contestation disparaît',
    act: on(() => `delete from contestation where answered_at is null`),
    kind: 'fait_disparu',
    named: () => line('demarche_contestee', 1).id,
    auditor: true,
  },
  {
    name: 'une contestation change d’acte',
    act: on(
      () =>
        `update contestation set demarche_id = (select id from demarche where journal_id = ${line('demarche_realisee').id}) where answered_at is null`,
    ),
    kind: 'fait_change',
    named: () => line('demarche_contestee', 1).id,
    mandat: true,
  },
  {
    name: 'une contestation change de motif',
    act: on(() => `update contestation set motif = 'autre' where answered_at is null`),
    kind: 'fait_change',
    named: () => line('demarche_contestee', 1).id,
    mandat: true,
  },
  {
    name: 'ce que dit la personne est récrit',
    act: on(
      () =>
        `update journal_contenu set payload = replace(payload, 'pas cela', 'rien') where journal_id = ${line('demarche_contestee').id}`,
    ),
    kind: 'contenu_change',
    named: () => line('demarche_contestee').id,
  },
  {
    name: 'une contestation de la personne est dite enregistrée par un aidant',
    act: on(
      () =>
        `update contestation set aidant_id = '${world.aidants.ines}', maniere = 'telephone', recu_le = contested_at where answered_at is null`,
    ),
    kind: 'fait_change',
    named: () => line('demarche_contestee', 1).id,
    mandat: true,
  },
  {
    name: 'une réponse est reprise : la contestation attend de nouveau',
    act: on(
      () =>
        `drop index contestation_ouverte; update contestation set reponse = null, answered_at = null, answered_by = null, answered_journal_id = null`,
    ),
    kind: 'fait_disparu',
    named: () => line('contestation_repondue').id,
    auditor: true,
  },
  {
    name: 'une réponse change de sens',
    act: on(() => `update contestation set reponse = 'reconnue' where answered_at is not null`),
    kind: 'fait_change',
    named: () => line('contestation_repondue').id,
    mandat: true,
  },
  {
    name: 'une réponse est mise au nom d’un autre',
    act: on(() => `update contestation set answered_by = '${world.aidants.thomas}' where answered_at is not null`),
    kind: 'fait_change',
    named: () => line('contestation_repondue').id,
    mandat: true,
  },
  {
    name: 'la pause d’une contestation est levée sans réponse, sous la ligne d’un aidant',
    act: async (copy) => {
      await copy.sql.unsafe(
        `insert into journal (at, action, acteur, acteur_id, structure_id, usager_id, mandat_id, mandat_seq, entry, commitment) select horloge(), 'autorisation_retablie', 'aidant', '${world.aidants.nadia}', structure_id, usager_id, mandat_id, (select max(mandat_seq) + 1 from journal where mandat_id = '${told.id}'), '', sha256(decode(repeat('00', 32), 'hex') || convert_to('{"thematique":"loisirs"}', 'UTF8')) from journal where id = ${line('mandat_signe').id}; update journal set ${rewrite} where entry = ''; insert into journal_contenu (journal_id, structure_id, usager_id, payload, salt) select id, structure_id, usager_id, '{"thematique":"loisirs"}', decode(repeat('00', 32), 'hex') from journal where id = (select max(id) from journal); update suspension set until_at = horloge(), until_journal_id = (select max(id) from journal) where contestation_id is not null and until_at is null`,
      )
      await rebuild(copy)
    },
    kind: 'fait_change',
    named: () => Number.NaN,
    auditor: true,
    mandat: true,
  },
  {
    name: 'une pause de contestation se dit voulue par la personne : la réponse ne la lèvera pas',
    act: on(() => `update suspension set contestation_id = null where until_at is null`),
    kind: 'fait_change',
    named: () => line('demarche_contestee', 1).id,
    mandat: true,
  },
  {
    name: 'une correction disparaît',
    act: on(() => 'delete from correction'),
    kind: 'fait_disparu',
    named: () => line('demarche_corrigee').id,
    auditor: true,
  },
  {
    name: 'un acte noté par erreur est de nouveau dit fait',
    act: on(() => `update correction set annulee = false`),
    kind: 'fait_change',
    named: () => line('demarche_corrigee').id,
    mandat: true,
  },
  {
    name: 'une correction est mise au nom d’un autre',
    act: on(() => `update correction set aidant_id = '${world.aidants.nadia}'`),
    kind: 'fait_change',
    named: () => line('demarche_corrigee').id,
    mandat: true,
  },
  {
    name: 'une ouverture du dossier par la direction disparaît',
    act: on(() => `delete from ouverture`),
    kind: 'fait_disparu',
    named: () => line('dossier_ouvert').id,
  },
  {
    name: 'une clé de sceau est remplacée',
    act: on(() => `update cle set jwk = jsonb_set(jwk, '{x}', '"AAAA"')`),
    kind: 'cle_changee',
    named: () => line('cle_publiee').id,
    auditor: true,
  },
  {
    name: 'une clé de sceau est publiée sans sa ligne',
    act: on(() => `insert into cle (kid, jwk, journal_id) select 'autre', jwk, journal_id from cle`),
    kind: 'cle_changee',
    auditor: true,
  },
  {
    name: 'une clé volée redevient bonne',
    act: on(() => `update cle set coupure = null, coupure_journal_id = null`),
    kind: 'cle_changee',
    auditor: true,
  },
  {
    name: 'une coupure recule sans être dite : de vrais mandats ne comptent plus',
    act: on(() => `update cle set coupure = 1`),
    kind: 'cle_changee',
    auditor: true,
  },
  {
    name: 'des clés de FranceConnect sont ajoutées sans leur ligne',
    act: on(
      () =>
        `insert into jwks_archive (id, fournisseur, jwks, journal_id) select base64url(sha256('{}')), fournisseur, '{}', journal_id from jwks_archive`,
    ),
    kind: 'cle_changee',
    auditor: true,
  },
  {
    name: 'une signature de témoin est fausse',
    act: async ({ sql }) => {
      const [row] = await sql`select ligne from journal_temoignage`
      const [, name, encoded] = /^— (\S+) (\S+)/.exec(row!.ligne) ?? []
      const bytes = Buffer.from(encoded!, 'base64')
      bytes[20]! ^= 1
      await sql`update journal_temoignage set ligne = ${`— ${name} ${bytes.toString('base64')}\n`}`
    },
    kind: 'temoignage_faux',
  },
]

describe('le journal intact', () => {
  it.each(['admin', 'auditor'] as const)('se vérifie, %s, avec son témoin', async (as) => {
    const copy = await copyOf(today)
    const tree = openTree(copy.urls, signer)
    const { fault, counts } = await tree.verify([witness.seen()], as)
    await tree.close()
    await copy.drop()
    expect(fault).toBeUndefined()
    const effaces = before.length
    expect(counts).toMatchObject({
      lignes: lines.length,
      contenus: lines.length - effaces,
      effaces,
      personnes: 1,
      tuiles: 1,
      temoignages: 3,
    })
  })

  it('la table en a soixante au moins', () => {
    expect(CASES.length).toBeGreaterThanOrEqual(60)
  })
})

describe('chaque falsification se voit', () => {
  it.each(CASES.map((one) => [one.name, one] as const))('%s', async (_name, {
    act,
    kind,
    named,
    witnessed,
    mandat,
    auditor,
    from,
    seen,
    between,
    blind,
  }) => {
    const copy = await copyOf(from === 'yesterday' ? yesterday : today)
    try {
      await act(copy)
      const tree = openTree(copy.urls, signer)
      const compared = seen?.() ?? (witnessed ? [witness.seen()] : [])
      const { fault } = await tree.verify(compared)
      // Without the witness this one would pass: that is what a witness is for.
      const alone = witnessed ? await tree.verify() : undefined
      const unseen = blind && (await tree.verify(blind()))
      const audited = (mandat || auditor) && (await tree.verify([], 'auditor'))
      await tree.close()
      if (audited) expect(audited.fault).toEqual(fault)
      if (mandat) expect(fault?.ou).toBe(told.id)
      expect([kind].flat()).toContain(fault?.kind)
      const last = named && Number.isNaN(named()) ? Number((await copy.sql`select max(id) as id from journal`)[0]!.id) : named?.()
      if (named) expect(fault!.ligne).toBe(last)
      if (between) expect([fault!.rang, Number(fault!.ou)]).toEqual(between())
      for (const one of [alone, unseen]) if (one) expect(one.fault).toBeUndefined()
    } finally {
      await copy.drop()
    }
  })
})

describe('une perte dite', () => {
  it('sans autre mensonge n’est pas une alerte : ce qui précède se retrouve dans chaque point que le témoin a gardé', async () => {
    const copy = await copyOf(yesterday)
    await copy.sql.unsafe(`alter table journal enable always trigger journal_ecrit; ${PLACING}`)
    const tree = openTree(copy.urls, await declareRestore(copy))
    const seen = witness.all()
    const { fault, restaurations } = await tree.verify(seen)
    // All but one of them are in what the backup held, and would show a line rewritten there.
    expect([seen.length, seen.filter(({ size }) => size <= restaurations[0]!.tenues).length]).toEqual([3, 2])
    expect(fault).toBeUndefined()
    // Under the new name it goes on being seen.
    const again = newWitness(tree.signer)
    expect(await tree.cosign(again)).toBe('temoigne')
    expect(await tree.verify([...seen, ...again.all()])).toMatchObject({ fault: undefined, vues: again.seen()!.size })
    await tree.close()
    await copy.drop()
  })

  it('… même dite trois jours après la sauvegarde, où une ligne attendait encore sa place', async () => {
    const copy = await copyOf(yesterday)
    await copy.sql.unsafe(
      `alter table journal enable always trigger journal_ecrit; ${PLACING};
       with waiting as (
         insert into journal (action, acteur, structure_id, commitment)
         select 'structure_modifiee', 'systeme', '${told.structureId}', sha256(sha256('') || '{}'::bytea)
         returning id)
       insert into journal_contenu (journal_id, structure_id, payload, salt) select id, '${told.structureId}', '{}', sha256('') from waiting;
       update horloge_reglage set decalage = decalage + interval '3 days'`,
    )
    const tree = openTree(copy.urls, await declareRestore(copy))
    expect((await tree.verify(witness.all())).fault).toBeUndefined()
    await tree.close()
    await copy.drop()
  })
})

describe('après une première faute', () => {
  it('les autres sont dites aussi, la première en premier', async () => {
    const copy = await copyOf(today)
    const ids = lines.filter(({ action }) => action === 'demarche_realisee').map(({ id }) => id)
    const bulk = lines.filter(({ action }) => action === 'structure_modifiee').map(({ id }) => id)
    await copy.sql.unsafe(
      `update journal_contenu set payload = '{}' where journal_id in (${[ids[0], ...bulk]});
       update journal set acteur_id = '${randomUUID()}' where id = ${ids[1]};
       delete from journal where id = ${bulk[7]};
       update mandat set expires_at = expires_at + interval '1 day' where id = '${told.id}';
       update cle set coupure = 1`,
    )
    const tree = openTree(copy.urls, signer)
    const { fault, fautes, rompu } = await tree.verify(witness.all())
    await tree.close()
    await copy.drop()
    expect(fault).toMatchObject({ kind: 'contenu_change', ligne: ids[0] })
    expect(fautes.map(({ kind, total, premieres }) => [kind, total, premieres.length, premieres[0]!.ligne])).toEqual([
      // Twenty of them are kept, and all are counted.
      ['contenu_change', bulk.length, 20, ids[0]],
      ['colonnes_changees', 1, 1, ids[1]],
      ['ligne_effacee', 1, 1, bulk[7]],
      ['dates_changees', 1, 1, line('mandat_signe').id],
      ['fait_change', 2, 2, ids[0]],
      ['cle_changee', 1, 1, expect.any(Number)],
    ])
    // The leaf of what was erased is still there: the tree holds, and every checkpoint was compared.
    expect(rompu).toBeUndefined()
  })

  it('un arbre rompu se dit, avec ce qui n’a pas pu lui être comparé ; les lignes d’après le sont encore', async () => {
    const copy = await copyOf(today)
    const cut = line('demarche_realisee', 2)
    const last = lines.findLast(({ action }) => action === 'demarche_realisee')!
    await copy.sql.unsafe(
      `delete from journal where id = ${cut.id}; delete from journal_feuille where journal_id = ${cut.id};
       update journal_contenu set payload = '{}' where journal_id = ${last.id}`,
    )
    const [after] = await copy.sql`select count(*)::int as points from journal_point where taille > ${cut.leaf}`
    const tree = openTree(copy.urls, signer)
    const { fault, fautes, rompu, nonCompares, counts } = await tree.verify(witness.all())
    await tree.close()
    await copy.drop()
    expect(fault).toMatchObject({ kind: 'rang_manquant', rang: cut.leaf })
    expect(fautes.find(({ kind }) => kind === 'contenu_change')?.premieres).toMatchObject([{ ligne: last.id }])
    expect([rompu, counts.lignes]).toEqual([cut.leaf, lines.length - 1])
    expect(nonCompares).toEqual({ points: after!.points, tuiles: 1, temoins: 3 })
  })
})

describe('aucune fausse alerte', () => {
  const uuid = (): string => randomUUID()
  /** A small history as it might be: mandats whose numbers may come out of order, contents erased with their line, checkpoints anywhere. */
  function history(seed: number) {
    let state = seed + 1
    const random = (n: number) => {
      state = (state * 1_103_515_245 + 12_345) % 2 ** 31
      return Math.floor((state / 2 ** 31) * n)
    }
    const people = Array.from({ length: 1 + random(3) }, uuid)
    const mandats = Array.from({ length: 1 + random(4) }, (_, i) => ({ id: uuid(), usager: people[i % people.length]!, seq: 0 }))
    const erased = new Set(people.filter(() => random(4) === 0))
    let at = 1_700_000_000_000
    type Said = { action: string; usager_id: string; [key: string]: string | number }
    const lines: Said[] = []
    const write = (line: Said) =>
      lines.push({ v: 1, at: new Date(at).toISOString(), commitment: randomBytes(32).toString('base64url'), ...line })
    const size = 1 + random(60)
    for (let i = 0; i < size; i++) {
      at += random(100_000) - 2_000
      const mandat = mandats[random(mandats.length)]!
      write({
        action: 'demarche_realisee',
        acteur: 'aidant',
        acteur_id: people[0]!,
        structure_id: people[0]!,
        usager_id: mandat.usager,
        mandat_id: mandat.id,
        mandat_seq: ++mandat.seq,
      })
    }
    // Two lines of one mandat may be placed the other way round.
    for (let i = 1; i < lines.length; i++) if (random(6) === 0) [lines[i - 1], lines[i]] = [lines[i]!, lines[i - 1]!]
    for (const usager_id of erased) write({ action: 'donnees_effacees', acteur: 'systeme', usager_id })
    const key = HISTORY_KEY
    const tree = growTree()
    const records = lines.map((line, index) => ({
      index,
      id: index + 1,
      entry: jcs(line),
      content: erased.has(line.usager_id) && line.action !== 'donnees_effacees' ? ('efface' as const) : ('non_lu' as const),
    }))
    const points = new Map<number, string>()
    for (const { entry, index } of records) {
      tree.push(leafHash(entry))
      if (index === records.length - 1 || random(5) === 0)
        points.set(tree.size, signCheckpoint(key, { origin: ORIGIN, size: tree.size, root: tree.root() }))
    }
    return { records, points, random }
  }
  const HISTORY_KEY = openSigner(pemKey(), ORIGIN)
  const check = ({ records, points }: Pick<ReturnType<typeof history>, 'records' | 'points'>): Fault | undefined => {
    const audit = openAudit({ log: HISTORY_KEY.vkey })
    for (const record of records) {
      audit.leaf(record)
      const note = points.get(audit.size)
      if (note) audit.point({ taille: audit.size, note })
    }
    // As the two readers do: a checkpoint over more than there is.
    for (const [taille, note] of points) if (taille > audit.size) audit.point({ taille, note })
    audit.end()
    return audit.done().fault
  }

  it('sur 1 000 petites histoires tirées au hasard ; et une seule ligne changée, ôtée ou déplacée se voit dans chacune', () => {
    for (let seed = 0; seed < 1_000; seed++) {
      const { records, points, random } = history(seed)
      const fault = check({ records, points })
      if (fault) expect.fail(`histoire ${seed} : ${JSON.stringify(fault)}`)
      const at = random(records.length)
      const bytes = Buffer.from(records[at]!.entry)
      bytes[random(bytes.length)]! ^= 1 << random(8)
      const entry = bytes.toString('latin1')
      const changed = records.with(at, { ...records[at]!, entry })
      const removed = records.toSpliced(at, 1).map((one, index) => ({ ...one, index }))
      const moved =
        records.length < 2
          ? changed
          : records
              .with(at, records[(at + 1) % records.length]!)
              .with((at + 1) % records.length, records[at]!)
              .map((one, index) => ({ ...one, index }))
      for (const [how, wrong] of Object.entries({ changed, removed, moved }))
        if (!check({ records: wrong, points }) && wrong.length > 0) expect.fail(`histoire ${seed}, ${how}`)
    }
  })

  it('sur trente états d’une base qui vit, rangée par des morceaux de toute taille', async () => {
    const alive = await newWorld()
    const mandat = await alive.signMandat({ persona: 'josiane', perimetre: ['logement', 'famille'] })
    const other = await alive.signMandat({ persona: 'ibrahim', aidant: 'fabrice', perimetre: ['etranger', 'papiers'] })
    const key = openSigner(pemKey(), ORIGIN)
    const hers = await alive.asUsager('josiane')
    let state = 7
    const random = (n: number) => {
      state = (state * 1_103_515_245 + 12_345) % 2 ** 31
      return Math.floor((state / 2 ** 31) * n)
    }
    const acts = [
      () => Promise.all([1, 2, 3].map(() => recordDemarche(alive.db, alive.as('thomas'), uneDemarche(mandat.id)))),
      () => recordDemarche(alive.db, alive.as('fabrice'), uneDemarche(other.id, 'papiers')),
      async () => {
        const done = await recordDemarche(alive.db, alive.as('thomas'), uneDemarche(mandat.id, 'famille'))
        if (!done.ok) return
        await contestDemarche(alive.db, hers, { demarcheId: done.id, motif: 'autre', note: null, pause: true })
        await correctDemarche(alive.db, alive.as('thomas'), { demarcheId: done.id, faits: null, raison: 'Par erreur.' })
        const [asked] = await alive.db.tx(hers, (tx) => listContestations(tx, done.id))
        const reply = { contestationId: asked!.id, reponse: 'corrigee', note: null } as const
        if (random(2) === 0) return
        const opening = { usagerId: mandat.usagerId, motif: 'controle', precision: null, envoi: randomUUID() } as const
        await openDossier(alive.db, alive.asReferent('nadia'), opening)
        await answerContestation(alive.db, alive.asReferent('nadia'), reply)
      },
      () => pauseMandat(alive.db, hers, { mandatId: mandat.id, thematique: 'famille' }),
      () => recordPause(alive.db, alive.as('ines'), { mandatId: mandat.id, thematique: 'famille', maniere: 'courrier' }),
      () => resumeMandat(alive.db, hers, { mandatId: mandat.id, thematique: 'famille' }),
      () => alive.signMandat({ persona: 'marcel', perimetre: ['loisirs'] }),
      () => alive.database.travel({ ms: 3_600_000 * random(30) }),
    ]
    const shown = newWitness(key)
    for (let i = 0; i < 30; i++) {
      await acts[random(acts.length)]!()
      const tree = openTree(alive.database, key, { batch: 1 + random(6) })
      if (random(4) > 0) await tree.settle()
      if (random(3) === 0) await tree.cosign(shown)
      await tree.sequencer.release()
      const { fault } = await tree.verify([shown.seen()], random(2) === 0 ? 'admin' : 'auditor')
      await tree.close()
      if (fault) expect.fail(`état ${i} : ${JSON.stringify(fault)}`)
    }
    await alive.close()
  })
})
