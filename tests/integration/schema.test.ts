import postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { freshDatabase, type TestDatabase } from '../support/database.ts'

/** What the catalogue itself must say, whatever the application does. Each rule is also shown something that breaks it. */
let db: TestDatabase
let app: postgres.Sql
beforeAll(async () => {
  db = await freshDatabase()
  app = postgres(db.url, { max: 1, onnotice: () => {} })
  await db.adminSql.unsafe(STORY)
})
afterAll(async () => {
  await app.end()
  await db.drop()
})

type Reader = { unsafe: postgres.ISql['unsafe'] }
const names = async (sql: Reader, query: string): Promise<string[]> => {
  const rows = await sql.unsafe(query)
  return rows.map((row) => String(row.name)).sort()
}

/** Tables that know neither a structure nor a person: no row of theirs belongs to anyone. */
const NOBODYS = [
  'cle',
  'horloge_reglage',
  'journal_bail',
  'journal_feuille',
  'journal_point',
  'journal_temoignage',
  'journal_tuile',
  'jwks_archive',
  'migration',
]

const OF_EXTENSIONS = `select objid from pg_depend where deptype = 'e'`

type Rule = { name: string; query: string; exceptions?: string[]; twin: string; caught: string }
const RULES: Rule[] = [
  {
    name: 'toute table est cloisonnée, sauf celles qui ne sont à personne',
    query: `select relname as name from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace and not relrowsecurity`,
    exceptions: ['horloge_reglage', 'migration'],
    twin: 'create table oubliee (structure_id uuid)',
    caught: 'oubliee',
  },
  {
    name: 'une table qui n’est à personne ne porte ni structure, ni personne, ni aidant',
    query: `select c.relname as name from pg_class c join pg_attribute a on a.attrelid = c.oid
      where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace and c.relname in (${NOBODYS.map((one) => `'${one}'`)})
        and a.attname in ('structure_id', 'usager_id', 'aidant_id', 'mandat_id')`,
    twin: 'alter table cle add column structure_id uuid',
    caught: 'cle',
  },
  {
    name: 'une vue lit avec les droits de qui la lit',
    query: `select relname as name from pg_class where relkind = 'v' and relnamespace = 'public'::regnamespace
      and oid not in (${OF_EXTENSIONS}) and not coalesce(reloptions @> '{security_invoker=true}', false)`,
    twin: 'create view indiscrete as select * from mandat',
    caught: 'indiscrete',
  },
  {
    name: 'une fonction qui agit au nom du propriétaire fixe où elle cherche',
    query: `select proname as name from pg_proc where pronamespace = 'public'::regnamespace and prosecdef
      and not exists (select 1 from unnest(proconfig) c where c in ('search_path=pg_catalog, public', 'search_path=pg_catalog, public, pg_temp'))`,
    twin: `create function egaree() returns int language sql security definer as 'select 1'`,
    caught: 'egaree',
  },
  {
    name: 'une fonction qui agit au nom du propriétaire n’est pas ouverte à tous les rôles',
    query: `select proname as name from pg_proc where pronamespace = 'public'::regnamespace and prosecdef and prorettype <> 'trigger'::regtype
      and exists (select 1 from aclexplode(coalesce(proacl, acldefault('f', proowner))) x where x.grantee = 0 and x.privilege_type = 'EXECUTE')`,
    twin: `create function ouverte() returns int language sql security definer set search_path = pg_catalog, public as 'select 1'; grant execute on function ouverte() to public`,
    caught: 'ouverte',
  },
  {
    name: 'aucun rôle du service ne passe outre ni ne devient propriétaire',
    query: `select rolname as name from pg_roles where rolname like 'traitdunion%'
      and (rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or rolreplication or exists (select 1 from pg_auth_members m where m.member = pg_roles.oid))`,
    twin: 'grant traitdunion_owner to traitdunion_app',
    caught: 'traitdunion_app',
  },
  {
    name: 'l’application, l’opérateur, le séquenceur et l’auditeur ne possèdent rien',
    query: `select distinct refobjid::regrole::text as name from pg_shdepend where deptype = 'o' and refclassid = 'pg_authid'::regclass
      and refobjid in (select oid from pg_roles where rolname like 'traitdunion%' and rolcanlogin)`,
    twin: 'create table a_moi (); alter table a_moi owner to traitdunion_app',
    caught: 'traitdunion_app',
  },
  {
    name: 'tout ce qui est à nous appartient au propriétaire',
    query: `select relname as name from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'v', 'S')
      and oid not in (${OF_EXTENSIONS}) and relowner <> 'traitdunion_owner'::regrole`,
    twin: 'create table egaree (); alter table egaree owner to postgres',
    caught: 'egaree',
  },
  {
    name: 'aucun droit n’est donné à tout le monde',
    query: `select relname as name from pg_class, aclexplode(relacl) x where relnamespace = 'public'::regnamespace and oid not in (${OF_EXTENSIONS}) and x.grantee = 0`,
    twin: 'grant select on usager to public',
    caught: 'usager',
  },
  {
    name: 'entre deux tables d’une structure, une clé étrangère emporte la structure',
    query: `select conrelid::regclass || '.' || (select string_agg(attname, ',') from pg_attribute where attrelid = conrelid and attnum = any (conkey)) as name
      from pg_constraint o
      where contype = 'f' and connamespace = 'public'::regnamespace and confrelid <> 'structure'::regclass
        and exists (select 1 from pg_attribute where attrelid = conrelid and attname = 'structure_id')
        and exists (select 1 from pg_attribute where attrelid = confrelid and attname = 'structure_id')
        and not exists (select 1 from unnest(conkey, confkey) as k(mine, theirs)
          join pg_attribute a on a.attrelid = conrelid and a.attnum = k.mine and a.attname = 'structure_id'
          join pg_attribute b on b.attrelid = confrelid and b.attnum = k.theirs and b.attname = 'structure_id')
        -- A journal line has no structure when it is the service's: a trigger says which mandat or person it must be about.
        and not (confrelid = 'journal'::regclass and exists (
          select 1 from pg_trigger t join pg_proc p on p.oid = t.tgfoid
          where t.tgrelid = conrelid and (p.proname in ('journal_contenu_engage', 'demarche_conforme', 'contestation_conforme', 'correction_conforme') or p.proname = 'ligne_du_fait' and position(
            (select attname from pg_attribute where attrelid = conrelid and attnum = conkey[1])::text in encode(t.tgargs, 'escape')) > 0)))`,
    exceptions: [
      'session.code_prive_id,usager_id', // a person's, which has no structure: a check
      // Of the same mandat, structure and person: contestation_conforme, correction_conforme, suspension_contestee, always armed.
      'contestation.demarche_id',
      'correction.demarche_id',
      'suspension.contestation_id',
    ],
    twin: 'create table annexe (structure_id uuid, mandat_id uuid references mandat)',
    caught: 'annexe.mandat_id',
  },
  {
    name: 'une table de structure qui nomme une personne passe par son dossier, ou par son mandat',
    query: `select c.relname as name from pg_class c where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace and c.relname <> 'dossier'
      and (select count(*) from pg_attribute a where a.attrelid = c.oid and a.attname in ('structure_id', 'usager_id')) = 2
      and not exists (select 1 from pg_constraint o where o.contype = 'f' and o.conrelid = c.oid
        and (select count(*) from pg_attribute a where a.attrelid = c.oid and a.attnum = any (o.conkey) and a.attname in ('structure_id', 'usager_id')) = 2)`,
    exceptions: [
      'session', // holds an aidant or a person, never both: a check
      'journal_contenu', // held to its line by journal_contenu_engage
      'brouillon', // the person has no dossier before her accord
      'acces', // says who looked, even at nothing
    ],
    twin: 'create table annexe (structure_id uuid, usager_id uuid)',
    caught: 'annexe',
  },
  {
    name: 'un aidant n’agit que pour une structure où il est habilité',
    query: `select c.relname as name from pg_class c where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace and c.relname <> 'habilitation'
      and (select count(*) from pg_attribute a where a.attrelid = c.oid and a.attname in ('structure_id', 'aidant_id')) = 2
      and not exists (select 1 from pg_constraint o where o.contype = 'f' and o.conrelid = c.oid and o.confrelid = 'habilitation'::regclass)`,
    exceptions: ['acces'], // says who looked, whatever her rights
    twin: 'create table annexe (structure_id uuid, aidant_id uuid)',
    caught: 'annexe',
  },
  {
    name: 'chaque table et chaque vue dit en français ce qu’elle garde',
    query: `select relname as name from pg_class where relkind in ('r', 'v') and relnamespace = 'public'::regnamespace and oid not in (${OF_EXTENSIONS})
      and coalesce(obj_description(oid, 'pg_class'), '') !~ '(^|[ ’])(un|une|le|la|les|l|de|du|des|d|et|ce) ?'`,
    twin: `create table muette (); comment on table muette is 'Things'`,
    caught: 'muette',
  },
  {
    name: 'un déclencheur qui refuse, ou qui date, avant d’écrire reste armé quoi qu’il arrive',
    query: `select tgrelid::regclass || '.' || tgname as name from pg_trigger t join pg_proc p on p.oid = t.tgfoid
      where not tgisinternal and tgenabled <> 'A' and tgtype & 2 = 2 and (p.prosrc ~ 'raise exception' or p.prosrc ~ 'horloge')`,
    twin: 'alter table journal enable trigger insertion_seule',
    caught: 'journal.insertion_seule',
  },
  {
    name: 'une heure que l’application ne choisit pas n’est pas dans ses droits',
    query: `select c.relname || '.' || a.attname as name from pg_class c join pg_attribute a on a.attrelid = c.oid
      where (c.relname, a.attname) in (('acces', 'at'), ('ouverture', 'opened_at'))
        and has_column_privilege('traitdunion_app', c.oid, a.attnum, 'INSERT')
        and not exists (select 1 from pg_trigger t where t.tgrelid = c.oid and not t.tgisinternal and t.tgtype & 6 = 6)`,
    twin: 'grant insert on acces to traitdunion_app',
    caught: 'acces.at',
  },
]

describe('le catalogue', () => {
  it.each(RULES.map((rule) => [rule.name, rule] as const))('%s', async (_name, { query, exceptions = [] }) => {
    expect((await names(db.adminSql, query)).filter((name) => !exceptions.includes(name))).toEqual([])
  })

  it.each(RULES.map((rule) => [rule.name, rule] as const))('le contraire se verrait : %s', async (_name, {
    query,
    twin,
    caught,
  }) => {
    const seen = await trying(db.adminSql, async (tx) => {
      await tx.unsafe(twin)
      return names(tx, query)
    })
    expect(seen).toContain(caught)
  })

  it('l’application ne modifie que les colonnes de fin, et n’efface rien de ce qui engage', async () => {
    const rows = await db.adminSql<{ name: string; rights: string }[]>`
      select c.relname as name, concat_ws(' ',
        case when has_table_privilege('traitdunion_app', c.oid, 'delete') then 'delete' end,
        case when has_table_privilege('traitdunion_app', c.oid, 'truncate') then 'truncate' end,
        case when has_table_privilege('traitdunion_app', c.oid, 'trigger') then 'trigger' end,
        (select string_agg(a.attname, ' ' order by a.attnum) from pg_attribute a
          where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and has_column_privilege('traitdunion_app', c.oid, a.attnum, 'update'))) as rights
      from pg_class c
      where c.relkind in ('r', 'v') and c.relnamespace = 'public'::regnamespace and c.relname <> all (${WORKSHOP})`
    expect(Object.fromEntries(rows.filter(({ rights }) => rights !== '').map(({ name, rights }) => [name, rights]))).toEqual({
      mandat: 'ended_at ended_how ended_journal_id',
      autorisation: 'revoked_at revoked_how revoked_journal_id',
      suspension: 'until_at until_journal_id',
      contestation: 'reponse answered_at answered_by answered_journal_id',
      structure: 'thematiques_desactivees',
      aidant: 'cgu_version cgu_accepted_at proconnect_sub',
      facteur: 'dernier_pas used_at',
      code_secours: 'delete', // in serving
      usager:
        'prenoms nom_naissance nom_usage birthdate birthplace birthcountry email telephone suivi refreshed_at email_prouve_at telephone_prouve_at contact_lecteur',
      acces: 'delete', // twelve months, then gone
      invitation: 'delete invite_par jeton sent_at cancelled_at', // what is sent again or cancelled; thirty days, then gone
    })
  })

  it('l’application ne crée ni table, même passagère, ni fonction, ni schéma', async () => {
    // A temporary table would come first in what the owner's functions look up.
    for (const attempt of [
      'create table a ()',
      'create temp table a ()',
      `create function a() returns int language sql as 'select 1'`,
      'create schema a',
    ])
      await expect(app.unsafe(attempt)).rejects.toMatchObject({ code: '42501' })
  })

  it('personne d’autre que le propriétaire ne touche à l’horloge', async () => {
    const [row] = await db.adminSql`
      select count(*)::int as roles from pg_roles
      where rolname like 'traitdunion%' and rolcanlogin
        and has_table_privilege(rolname, 'horloge_reglage', 'select, insert, update, delete, truncate')`
    expect(row).toEqual({ roles: 0 })
  })

  it('l’auditeur lit le journal, et aucun nom', async () => {
    const tree = ['journal', 'journal_bail', 'journal_feuille', 'journal_point', 'journal_temoignage', 'journal_tuile']
    const facts = [
      'arret_recu',
      'autorisation',
      'cle',
      'contestation',
      'correction',
      'demarche',
      'demarche_contenu',
      'jwks_archive',
      'mandat',
      'mandat_contenu',
      'ouverture',
      'suspension',
    ]
    expect(await names(db.adminSql, readableBy('traitdunion_auditor'))).toEqual([...tree, ...facts].sort())
    expect(await names(db.adminSql, readableBy('traitdunion_sequencer'))).toEqual(tree)
    // Of a fact: which mandat, when, and under which line; of an accord, between whom, for what, until when and how it ended; of a démarche, who did
    // it, and not even for what; of words, that they are there. Public keys are everyone's.
    const columns = await names(
      db.adminSql,
      `select distinct a.attrelid::regclass || '.' || a.attname as name from pg_attribute a where a.attrelid in (${facts.map((one) => `'${one}'::regclass`)}) and a.attnum > 0
        and not a.attisdropped and has_column_privilege('traitdunion_auditor', a.attrelid, a.attnum, 'select')`,
    )
    const may = {
      arret_recu: 'aidant_id autorisation_id journal_id mandat_id maniere recu_le',
      autorisation:
        'expires_at id journal_id mandat_id revoked_at revoked_how revoked_journal_id signed_at structure_id thematique usager_id',
      cle: 'coupure coupure_journal_id journal_id jwk kid',
      contestation:
        'aidant_id answered_at answered_by answered_journal_id contested_at demarche_id id journal_id mandat_id maniere motif recu_le reponse structure_id usager_id',
      correction: 'aidant_id annulee corrected_at demarche_id id journal_id mandat_id resultat structure_id usager_id',
      demarche: 'aidant_id genre id journal_id mandat_id recorded_at structure_id usager_id',
      demarche_contenu: 'demarche_id',
      jwks_archive: 'id journal_id',
      mandat: 'aidant_id duree ended_at ended_how ended_journal_id expires_at id journal_id signed_at structure_id usager_id',
      mandat_contenu: 'mandat_id',
      ouverture: 'aidant_id journal_id usager_id',
      suspension: 'aidant_id autorisation_id contestation_id from_at id journal_id mandat_id maniere until_at until_journal_id',
    }
    expect(columns).toEqual(Object.entries(may).flatMap(([table, list]) => list.split(' ').map((column) => `${table}.${column}`)))
  })
})

/** Tables of work in progress, whose rows come and go. */
const WORKSHOP = [
  'session',
  'defi',
  'code_connexion',
  'brouillon',
  'code_contact',
  'changement_contact',
  'code_preuve',
  'telephone',
  'connexion',
  'limite',
  'message',
  'papier_du',
  'code_prive_essai',
]

const readableBy = (
  role: string,
) => `select relname as name from pg_class where relkind in ('r', 'v') and relnamespace = 'public'::regnamespace
  and oid not in (${OF_EXTENSIONS}) and has_any_column_privilege('${role}', oid, 'select')`

describe('sans savoir qui demande, la base ne montre rien', () => {
  const OTHER = '99999999-0000-4000-8000-000000000000'
  const STRANGERS: [who: string, context: Record<string, string>][] = [
    ['personne', {}],
    [
      'un mot inconnu',
      { 'app.who': 'admin', 'app.aidant_id': AIDANT, 'app.structure_id': STRUCTURE, 'app.usager_ids': `{${USAGER}}` },
    ],
    ['un aidant sans structure', { 'app.who': 'aidant', 'app.aidant_id': OTHER }],
    ['un aidant d’une autre structure', { 'app.who': 'aidant', 'app.aidant_id': OTHER, 'app.structure_id': OTHER }],
    ['une référente d’une autre structure', { 'app.who': 'referent', 'app.aidant_id': OTHER, 'app.structure_id': OTHER }],
    ['une personne inconnue', { 'app.who': 'usager', 'app.usager_ids': `{${OTHER}}`, 'app.niveau': 'identite' }],
    ['une personne sans identité', { 'app.who': 'usager', 'app.niveau': 'identite' }],
    ['une personne dont nul ne dit à quoi elle fut reconnue', { 'app.who': 'usager', 'app.usager_ids': `{${USAGER}}` }],
    [
      'une personne reconnue à un mot de rien',
      { 'app.who': 'usager', 'app.usager_ids': `{${USAGER}}`, 'app.niveau': 'autre', 'app.code_structure': '' },
    ],
    ['un vérificateur', { 'app.who': 'verifier' }],
    ['le séquenceur', { 'app.who': 'sequencer' }],
    ['un opérateur sous le rôle de l’application', { 'app.who': 'operator' }],
  ]
  const tables = async () =>
    names(
      db.adminSql,
      `select relname as name from pg_class where relkind in ('r', 'v') and relnamespace = 'public'::regnamespace
      and (relrowsecurity or relkind = 'v') and relname not in (${NOBODYS.map((one) => `'${one}'`)}) and has_any_column_privilege('traitdunion_app', oid, 'select')`,
    )
  const seenBy = (context: Record<string, string>) =>
    trying(app, async (tx) => {
      for (const [key, value] of Object.entries(context)) await tx`select set_config(${key}, ${value}, true)`
      const seen: Record<string, number> = {}
      for (const table of await tables()) {
        const [row] = await tx`select count(*)::int as rows from ${tx(table)}`
        if (row!.rows > 0) seen[table] = row!.rows
      }
      return seen
    })

  it('chaque table cloisonnée a des lignes à cacher', async () => {
    for (const table of await tables()) {
      const [row] = await db.adminSql`select count(*)::int as rows from ${db.adminSql(table)}`
      expect(row!.rows, table).toBeGreaterThan(0)
    }
  })

  it.each(STRANGERS)('%s', async (_who, context) => {
    expect(await seenBy(context)).toEqual({})
  })

  it('l’aidant et la personne, eux, voient les leurs', async () => {
    const aidant = await seenBy({ 'app.who': 'aidant', 'app.aidant_id': AIDANT, 'app.structure_id': STRUCTURE })
    expect(aidant).toMatchObject({
      mandat: 2,
      mandat_etat: 2,
      autorisation: 3,
      usager: 1,
      demarche: 1,
      demarche_contenu: 1,
      mandat_contenu: 2,
    })
    const usager = await seenBy({ 'app.who': 'usager', 'app.usager_ids': `{${USAGER}}`, 'app.niveau': 'identite' })
    expect(usager).toMatchObject({
      mandat: 2,
      mandat_etat: 2,
      autorisation: 3,
      usager: 1,
      demarche: 1,
      demarche_contenu: 1,
      acces: 1,
      ouverture: 1,
    })
  })
})

describe('ce qui engage ne se récrit pas', () => {
  const KEPT = [
    'journal',
    'journal_contenu',
    'correction',
    'demarche',
    'demarche_contenu',
    'mandat_contenu',
    'ouverture',
    'jwks_archive',
  ]
  const ENDABLE = ['mandat', 'autorisation', 'suspension', 'contestation']
  const attemptsOn = async (table: string) => {
    const [row] = await db.adminSql`
      select attname as column from pg_attribute
      where attrelid = ${table}::regclass and attnum > 0 and attname not in ('id', 'journal_id') and attidentity = '' order by attnum limit 1`
    return {
      update: `update ${table} set ${row!.column} = ${row!.column}`,
      delete: `delete from ${table}`,
      truncate: `truncate ${table} cascade`,
    }
  }
  const ACTORS: Record<string, string[]> = {
    'le propriétaire des tables': ['set local role traitdunion_owner'],
    'un superutilisateur qui coupe les déclencheurs ordinaires': ['set local session_replication_role = replica'],
    'l’opérateur': ['set local role traitdunion_operator'],
    'l’application, en aidant': [
      'set local role traitdunion_app',
      `select set_config('app.who', 'aidant', true), set_config('app.aidant_id', '${AIDANT}', true), set_config('app.structure_id', '${STRUCTURE}', true)`,
    ],
  }

  it.each(Object.keys(ACTORS))('%s ne modifie, n’efface ni ne vide rien', async (actor) => {
    const passed: string[] = []
    for (const table of [...KEPT, ...ENDABLE]) {
      for (const [verb, attempt] of Object.entries(await attemptsOn(table))) {
        if (verb === 'update' && ENDABLE.includes(table)) continue
        const refused = await trying(db.adminSql, async (tx) => {
          for (const step of ACTORS[actor]!) await tx.unsafe(step)
          await tx.unsafe(attempt)
        }).catch((error) => error)
        // By this very table: emptied with those that point at it, it could be saved by one of them.
        if (refused?.code !== '42501' || !refused.message.match(new RegExp(`table ${table}\\b`))) passed.push(`${verb} ${table}`)
      }
    }
    expect(passed).toEqual([])
  })

  it('… et sans le déclencheur, l’essai passerait', async () => {
    const rows = await trying(db.adminSql, async (tx) => {
      await tx.unsafe('alter table journal disable trigger insertion_seule')
      return (await tx.unsafe('update journal set acteur = acteur')).count
    })
    expect(rows).toBeGreaterThan(0)
  })

  it.each([
    ['mandat', 'ended_at = null, ended_how = null, ended_journal_id = null'],
    ['autorisation', 'revoked_at = null, revoked_how = null, revoked_journal_id = null'],
    ['suspension', 'until_at = null, until_journal_id = null'],
  ])('une fin de %s ne se récrit pas, même par un superutilisateur', async (table, undone) => {
    const column = undone.split(' ')[0]!
    const again = trying(db.adminSql, async (tx) => {
      await tx.unsafe('set local session_replication_role = replica')
      return (await tx.unsafe(`update ${table} set ${undone} where ${column} is not null`)).count
    })
    await expect(again).rejects.toMatchObject({ constraint_name: 'fin_une_fois' })
  })
})

describe('l’application contournée, la base refuse encore', () => {
  const MANDAT = '11111111-0000-4000-8000-000000000004'
  const asAidant = (aidant: string, structure: string, kind = 'aidant') =>
    `select set_config('app.who', '${kind}', true), set_config('app.aidant_id', '${aidant}', true), set_config('app.structure_id', '${structure}', true)`
  const insert = (table: string, row: Record<string, string>) =>
    `insert into ${table} (${Object.keys(row).join(', ')}) values (${Object.values(row).join(', ')})`
  const line = (action: string, more: Record<string, string> = {}) => {
    const row: Record<string, string> = {
      action: `'${action}'`,
      acteur: `'aidant'`,
      acteur_id: `'${AIDANT}'`,
      structure_id: `'${STRUCTURE}'`,
      usager_id: `'${USAGER}'`,
      commitment: COMMITMENT,
      ...more,
    }
    return insert('journal', row)
  }
  const lastLine = `(select max(id) from journal)`
  const demarche = (more: Record<string, string>) => {
    const row: Record<string, string> = {
      mandat_id: `'${MANDAT}'`,
      structure_id: `'${STRUCTURE}'`,
      usager_id: `'${USAGER}'`,
      aidant_id: `'${AIDANT}'`,
      genre: `'reguliere'`,
      thematique: `'logement'`,
      sensible: 'false',
      reclamation: 'false',
      nature: `'demande'`,
      mode: `'a_sa_place'`,
      presence: `'presente'`,
      canal: `'guichet'`,
      done_at: `(select at from journal where id = ${lastLine})`,
      recorded_at: 'horloge()',
      resultat: `'deposee'`,
      envoi: 'gen_random_uuid()',
      journal_id: lastLine,
      ...more,
    }
    return insert('demarche', row)
  }
  const contenu = (more: Record<string, string>) => {
    const row: Record<string, string> = {
      demarche_id: `(select id from demarche order by recorded_at desc limit 1)`,
      structure_id: `'${STRUCTURE}'`,
      usager_id: `'${USAGER}'`,
      genre: `'reguliere'`,
      titre: `'Un titre'`,
      ...more,
    }
    return insert('demarche_contenu', row)
  }
  const lineContenu = `insert into journal_contenu (journal_id, structure_id, usager_id, payload, salt)
    values (${lastLine}, '${STRUCTURE}', '${USAGER}', '{}', ${SALT})`
  const mandat = { mandat_id: `'${MANDAT}'` }
  const done = [line('demarche_realisee', mandat), lineContenu]
  const NEW = '11111111-0000-4000-8000-000000000006'
  const signed = {
    id: `'${NEW}'`,
    structure_id: `'${STRUCTURE}'`,
    usager_id: `'${USAGER}'`,
    aidant_id: `'${AIDANT}'`,
    duree: `'mois'`,
    signed_at: `date_trunc('second', horloge())`,
    expires_at: `(date_trunc('day', horloge() at time zone 'Europe/Paris') + interval '31 days 23:59:59') at time zone 'Europe/Paris'`,
    statut_bloc: 'bloc_libre()',
    journal_id: lastLine,
  }
  const signature = [line('mandat_signe', { mandat_id: `'${NEW}'` }), insert('mandat', signed)]
  const granted = (
    thematique: string,
  ) => `insert into autorisation (mandat_id, structure_id, usager_id, thematique, signed_at, expires_at, journal_id)
    select id, structure_id, usager_id, '${thematique}', signed_at, expires_at, journal_id from mandat where id = '${NEW}'`
  const agreed = `insert into mandat_contenu (mandat_id, structure_id, usager_id, sceau, conditions, id_token, jwks_id, texte, identite, structure, aidant, accord)
    select '${NEW}', '${STRUCTURE}', '${USAGER}', 'sceau', '{}', 'jeton', id, 'texte', '{}', '{}', '{}', '{}' from jwks_archive`
  const pause = (more: Record<string, string>) => [
    line('autorisation_suspendue', { ...mandat, acteur: `'usager'`, acteur_id: `'${USAGER}'` }),
    `insert into suspension (autorisation_id, mandat_id, structure_id, usager_id, journal_id, ${Object.keys(more).join(', ')})
      select id, mandat_id, structure_id, usager_id, ${lastLine}, ${Object.values(more).join(', ')} from autorisation
      where mandat_id = '${MANDAT}' and thematique = 'transports'`,
  ]
  const resumption = (at: string) => [
    line('autorisation_retablie', { ...mandat, acteur: `'usager'`, acteur_id: `'${USAGER}'` }),
    `update suspension set until_at = ${at}, until_journal_id = ${lastLine} where until_at is null`,
  ]
  const asUsager = `select set_config('app.who', 'usager', true), set_config('app.usager_ids', '{${USAGER}}', true), set_config('app.niveau', 'identite', true)`
  const ended = (how: string) => [
    asAidant(AIDANT, STRUCTURE),
    ...['logement', 'transports'].flatMap((thematique) => [
      line('autorisation_revoquee', mandat),
      `update autorisation set revoked_at = (select at from journal where id = ${lastLine}), revoked_how = 'renonce', revoked_journal_id = ${lastLine} where mandat_id = '${MANDAT}' and thematique = '${thematique}' and revoked_at is null`,
    ]),
    line('mandat_termine', mandat),
    `update mandat set ended_at = (select max(revoked_at) from autorisation where mandat_id = '${MANDAT}'), ended_how = '${how}', ended_journal_id = ${lastLine}
      where id = '${MANDAT}'`,
  ]
  const asWorker = `select set_config('app.who', 'worker', true)`
  const hersChange = line('structure_modifiee', { cible_aidant_id: `'${AIDANT}'` })
  const asked = `insert into ajout (id, aidant_id, session_id, genre, nom, defi)
    select '${AJOUT}', aidant_id, id, 'totp', 'Téléphone', repeat('d', 32)::bytea from session where aidant_id = '${AIDANT}'`
  const paired = `select ajouter_facteur('${AJOUT}', (select id from session where aidant_id = '${AIDANT}'), 'secret', null, null, 1)`
  const unpaired = `select retirer_mon_facteur((select id from facteur order by created_at, id limit 1))`
  const queued = `insert into message (cle, canal, destinataire, sujet, corps) values ('autre', 'email', 'x@exemple.fr', 'Sujet', 'Corps')`
  const publication = [
    asWorker,
    line('cle_publiee', { acteur: `'systeme'`, acteur_id: 'null', structure_id: 'null', usager_id: 'null' }),
    insert('cle', { kid: `'une-cle'`, jwk: `'{}'`, journal_id: lastLine }),
  ]

  /** Each: what is tried under the role of the application, what refuses it (a constraint, or 42501 for a right or a policy), and the same thing done well, which must pass. */
  const ATTEMPTS: [what: string, by: string, bad: string[], good: string[] | null][] = [
    [
      'une autre structure écrit dans l’histoire d’un mandat',
      'journal_mandat_id_structure_id_usager_id_fkey',
      [
        'set local role traitdunion_owner',
        `insert into dossier (structure_id, usager_id) values ('${STRUCTURE_2}', '${USAGER}')`, // which knows her too
        'set local role traitdunion_app',
        asAidant(AIDANT_2, STRUCTURE_2),
        line('attestation_imprimee', { ...mandat, acteur_id: `'${AIDANT_2}'`, structure_id: `'${STRUCTURE_2}'` }),
      ],
      [asAidant(AIDANT, STRUCTURE), line('attestation_imprimee', mandat)],
    ],
    [
      'une structure écrit sur une personne qu’elle ne connaît pas',
      'journal_structure_id_usager_id_fkey',
      [
        asAidant(AIDANT_2, STRUCTURE_2, 'referent'),
        line('dossier_ouvert', { acteur_id: `'${AIDANT_2}'`, structure_id: `'${STRUCTURE_2}'` }),
      ],
      [asAidant(AIDANT, STRUCTURE, 'referent'), line('dossier_ouvert')],
    ],
    [
      'un mandat s’élargit après coup, sous sa vieille ligne',
      'ligne_du_fait',
      [
        asAidant(AIDANT, STRUCTURE),
        `insert into autorisation (mandat_id, structure_id, usager_id, thematique, signed_at, expires_at, journal_id)
          select id, structure_id, usager_id, 'argent', signed_at, expires_at, journal_id from mandat where id = '${MANDAT}'`,
      ],
      null,
    ],
    [
      'un mandat s’élargit après coup, sous une deuxième signature',
      'journal_signe_une_fois',
      [
        asAidant(AIDANT, STRUCTURE),
        line('mandat_signe', mandat),
        `insert into autorisation (mandat_id, structure_id, usager_id, thematique, signed_at, expires_at, journal_id)
          select id, structure_id, usager_id, 'argent', signed_at, expires_at, ${lastLine} from mandat where id = '${MANDAT}'`,
      ],
      null,
    ],
    [
      'un arrêt est antidaté',
      'fin_une_fois',
      [
        asAidant(AIDANT, STRUCTURE),
        line('autorisation_revoquee', mandat),
        `update autorisation set revoked_at = signed_at, revoked_how = 'renonce', revoked_journal_id = ${lastLine} where mandat_id = '${MANDAT}' and thematique = 'transports'`,
      ],
      [
        asAidant(AIDANT, STRUCTURE),
        line('autorisation_revoquee', mandat),
        `update autorisation set revoked_at = horloge(), revoked_how = 'renonce', revoked_journal_id = ${lastLine} where mandat_id = '${MANDAT}' and thematique = 'logement'`,
      ],
    ],
    [
      'une seule ligne dit deux arrêts',
      'autorisation_revoked_journal_id_key',
      [
        asAidant(AIDANT, STRUCTURE),
        line('autorisation_revoquee', mandat),
        `update autorisation set revoked_at = horloge(), revoked_how = 'renonce', revoked_journal_id = ${lastLine} where mandat_id = '${MANDAT}'`,
        line('mandat_termine', mandat),
        `update mandat set ended_at = horloge(), ended_how = 'renonce', ended_journal_id = ${lastLine} where id = '${MANDAT}'`,
      ],
      [
        asAidant(AIDANT, STRUCTURE),
        ...['logement', 'transports'].flatMap((thematique) => [
          line('autorisation_revoquee', mandat),
          `update autorisation set revoked_at = horloge(), revoked_how = 'renonce', revoked_journal_id = ${lastLine} where mandat_id = '${MANDAT}' and thematique = '${thematique}'`,
        ]),
        line('mandat_termine', mandat),
        `update mandat set ended_at = horloge(), ended_how = 'renonce', ended_journal_id = ${lastLine} where id = '${MANDAT}'`,
      ],
    ],
    [
      'un acte hors mandat se dit démarche ordinaire dans le journal',
      'ligne_du_fait',
      [asAidant(AIDANT, STRUCTURE), ...done, demarche({ genre: `'hors_mandat'`, thematique: `'argent'` })],
      [
        asAidant(AIDANT, STRUCTURE),
        line('acte_hors_mandat', mandat),
        lineContenu,
        demarche({ genre: `'hors_mandat'`, thematique: `'argent'` }),
        contenu({ genre: `'hors_mandat'`, motif_hors_mandat: `'Le guichet fermait'` }),
      ],
    ],
    [
      'une démarche se donne pour régulière après l’arrêt',
      'demarche_genre_exact',
      [
        asAidant(AIDANT, STRUCTURE),
        line('demarche_realisee', { mandat_id: `'11111111-0000-4000-8000-000000000005'` }),
        lineContenu,
        demarche({ mandat_id: `'11111111-0000-4000-8000-000000000005'`, thematique: `'social'` }),
      ],
      [asAidant(AIDANT, STRUCTURE), ...done, demarche({}), contenu({})],
    ],
    [
      'une démarche s’inscrit sous une ligne d’avant l’arrêt, gardée pour cela',
      'ligne_du_fait',
      [
        asAidant(AIDANT, STRUCTURE),
        demarche({
          journal_id: `(select min(id) from journal where action = 'demarche_realisee')`,
          done_at: `(select min(at) from journal where action = 'demarche_realisee')`,
        }),
      ],
      null,
    ],
    [
      'une démarche s’inscrit sous la ligne d’un autre mandat',
      'ligne_du_fait',
      [
        asAidant(AIDANT, STRUCTURE),
        line('demarche_realisee', { mandat_id: `'11111111-0000-4000-8000-000000000005'` }),
        lineContenu,
        demarche({}),
        contenu({}),
      ],
      null,
    ],
    [
      'un paiement se fait en l’absence de la personne',
      'demarche_paiement_en_presence',
      [asAidant(AIDANT, STRUCTURE), ...done, demarche({ nature: `'paiement'`, presence: `'absente'` })],
      [asAidant(AIDANT, STRUCTURE), ...done, demarche({ nature: `'paiement'` }), contenu({ montant_centimes: '1250' })],
    ],
    [
      'de l’argent bouge en l’absence de la personne',
      'demarche_paiement_en_presence',
      [asAidant(AIDANT, STRUCTURE), ...done, demarche({ presence: `'absente_prevenue'` }), contenu({ montant_centimes: '1250' })],
      [asAidant(AIDANT, STRUCTURE), ...done, demarche({}), contenu({})],
    ],
    [
      'une démarche se fait avec une personne absente, qui n’en sait rien',
      'demarche_ensemble',
      [asAidant(AIDANT, STRUCTURE), ...done, demarche({ mode: `'avec_la_personne'`, presence: `'absente'` })],
      [asAidant(AIDANT, STRUCTURE), ...done, demarche({ presence: `'absente'` }), contenu({})],
    ],
    [
      'une réclamation reste lisible de la direction par le journal',
      'demarche_discrete',
      [
        asAidant(AIDANT, STRUCTURE),
        ...done,
        demarche({ nature: `'reclamation'`, reclamation: 'true', sensible: 'true' }),
        contenu({}),
      ],
      [
        asAidant(AIDANT, STRUCTURE),
        line('demarche_realisee', mandat),
        insert('journal_contenu', {
          journal_id: lastLine,
          structure_id: `'${STRUCTURE}'`,
          usager_id: `'${USAGER}'`,
          sensible: 'true',
          payload: `'{}'`,
          salt: SALT,
        }),
        demarche({ nature: `'reclamation'`, reclamation: 'true', sensible: 'true' }),
        contenu({}),
      ],
    ],
    [
      'l’identité d’une personne change sans ligne au journal',
      'identite_journalisee',
      [asAidant(AIDANT, STRUCTURE), `update usager set nom_naissance = 'Autre' where id = '${USAGER}'`],
      [
        asAidant(AIDANT, STRUCTURE),
        line('identite_modifiee'),
        `update usager set nom_naissance = 'Autre' where id = '${USAGER}'`,
      ],
    ],
    [
      'un contact change sans ligne au journal',
      'contact_journalise',
      [asAidant(AIDANT, STRUCTURE), `update usager set email = 'autre@exemple.fr' where id = '${USAGER}'`],
      [
        asAidant(AIDANT, STRUCTURE),
        line('contact_modifie'),
        `update usager set email = 'autre@exemple.fr' where id = '${USAGER}'`,
      ],
    ],
    [
      'un dossier s’ouvre pour toujours',
      '42501',
      [
        asAidant(AIDANT, STRUCTURE, 'referent'),
        line('dossier_ouvert'),
        `insert into ouverture (aidant_id, structure_id, usager_id, motif, opened_at, journal_id)
          values ('${AIDANT}', '${STRUCTURE}', '${USAGER}', 'controle', horloge() + interval '10 years', ${lastLine})`,
        'do $$ begin if not exists (select 1 from ouverture where opened_at > horloge()) then raise check_violation; end if; end $$',
      ],
      null,
    ],
    [
      'un dossier s’ouvre sous une ligne qui dit autre chose',
      'ligne_du_fait',
      [
        asAidant(AIDANT, STRUCTURE, 'referent'),
        line('attestation_imprimee', mandat),
        `insert into ouverture (aidant_id, structure_id, usager_id, motif, journal_id) values ('${AIDANT}', '${STRUCTURE}', '${USAGER}', 'controle', ${lastLine})`,
      ],
      [
        asAidant(AIDANT, STRUCTURE, 'referent'),
        line('dossier_ouvert'),
        `insert into ouverture (aidant_id, structure_id, usager_id, motif, journal_id) values ('${AIDANT}', '${STRUCTURE}', '${USAGER}', 'controle', ${lastLine})`,
      ],
    ],
    [
      'une session s’ouvre dans une structure qui n’est pas la sienne',
      'session_aidant_id_structure_id_fkey',
      [
        `select set_config('app.who', 'portier', true)`,
        `insert into session (jeton, aidant_id, structure_id) values (repeat('k', 32)::bytea, '${AIDANT_2}', '${STRUCTURE}')`,
      ],
      [
        `select set_config('app.who', 'portier', true)`,
        `insert into session (jeton, aidant_id, structure_id) values (repeat('k', 32)::bytea, '${AIDANT}', '${STRUCTURE}')`,
      ],
    ],
    [
      'un brouillon commence sans durée choisie (et cela, la base l’accepte)',
      'brouillon_duree_check',
      [
        asAidant(AIDANT, STRUCTURE),
        `insert into brouillon (structure_id, aidant_id, duree) values ('${STRUCTURE}', '${AIDANT}', 'toujours')`,
      ],
      [asAidant(AIDANT, STRUCTURE), `insert into brouillon (structure_id, aidant_id) values ('${STRUCTURE}', '${AIDANT}')`],
    ],
    ...['dossier_ouvert', 'aidant_ajoute', 'aidant_suspendu', 'aidant_retabli', 'structure_modifiee'].map(
      (action): [string, string, string[], string[]] => {
        const written = line(action, action.startsWith('aidant_') ? { cible_aidant_id: `'${AIDANT}'` } : {})
        return [
          `un aidant écrit « ${action} », qui revient à la direction`,
          '42501',
          [asAidant(AIDANT, STRUCTURE), written],
          [asAidant(AIDANT, STRUCTURE, 'referent'), written],
        ]
      },
    ),
    [
      'une aidante écrit qu’une autre a changé de moyens de connexion',
      '42501',
      [asAidant(AIDANT, STRUCTURE), line('structure_modifiee', { cible_aidant_id: `'${AIDANT_2}'` })],
      [asAidant(AIDANT, STRUCTURE), hersChange],
    ],
    [
      'un moyen de connexion s’ajoute sans sa ligne',
      'facteur_journalise',
      [asAidant(AIDANT, STRUCTURE), asked, paired],
      [asAidant(AIDANT, STRUCTURE), asked, hersChange, paired],
    ],
    [
      'un moyen de connexion s’ajoute depuis une session fermée',
      'ajout_ferme',
      [
        asAidant(AIDANT, STRUCTURE),
        asked,
        hersChange,
        `update session set ended_at = horloge() where aidant_id = '${AIDANT}'`,
        paired,
      ],
      null,
    ],
    [
      'un moyen de connexion s’ajoute deux fois',
      'ajout_ferme',
      [asAidant(AIDANT, STRUCTURE), asked, hersChange, paired, paired],
      null,
    ],
    [
      'le dernier moyen de connexion est retiré',
      'facteur_dernier',
      [asAidant(AIDANT, STRUCTURE), hersChange, unpaired],
      [asAidant(AIDANT, STRUCTURE), asked, hersChange, paired, unpaired],
    ],
    ['un moyen de connexion est retiré sans sa ligne', 'facteur_journalise', [asAidant(AIDANT, STRUCTURE), unpaired], null],
    [
      'le compteur d’un moyen de connexion recule',
      'facteur_avance',
      [asAidant(AIDANT, STRUCTURE), 'update facteur set dernier_pas = 9', 'update facteur set dernier_pas = 8'],
      [asAidant(AIDANT, STRUCTURE), 'update facteur set dernier_pas = 9', 'update facteur set dernier_pas = 9'],
    ],
    [
      'une clé d’accès n’a pas de clé publique',
      'facteur_de_son_genre',
      [
        'set local role traitdunion_owner',
        `insert into facteur (aidant_id, genre, cle_id) values ('${AIDANT}', 'cle_acces', repeat('c', 16)::bytea)`,
      ],
      [
        'set local role traitdunion_owner',
        `insert into facteur (aidant_id, genre, cle_id, cle_publique) values ('${AIDANT}', 'cle_acces', repeat('c', 16)::bytea, 'cle')`,
      ],
    ],
    [
      'un mandat se signe sans les mots qui ont été acceptés',
      'mandat_entier',
      [asAidant(AIDANT, STRUCTURE), ...signature, granted('travail')],
      [asAidant(AIDANT, STRUCTURE), ...signature, granted('travail'), agreed],
    ],
    [
      'un mandat se signe pour aucune thématique, et finit aussitôt',
      'mandat_entier',
      [
        asAidant(AIDANT, STRUCTURE),
        ...signature,
        agreed,
        line('mandat_termine', { mandat_id: `'${NEW}'` }),
        `update mandat set ended_at = horloge(), ended_how = 'renonce', ended_journal_id = ${lastLine} where id = '${NEW}'`,
      ],
      null,
    ],
    [
      'une thématique que la structure ne propose pas est accordée',
      'autorisation_thematique_proposee',
      [asAidant(AIDANT, STRUCTURE), ...signature, granted('justice'), agreed],
      [
        'set local role traitdunion_owner',
        `update structure set thematiques_desactivees = '{}' where id = '${STRUCTURE}'`,
        'set local role traitdunion_app',
        asAidant(AIDANT, STRUCTURE),
        ...signature,
        granted('justice'),
        agreed,
      ],
    ],
    [
      'une thématique naît déjà arrêtée',
      'autorisation_accordee_en_vigueur',
      [
        asAidant(AIDANT, STRUCTURE),
        ...signature,
        granted('travail'),
        agreed,
        `insert into autorisation (mandat_id, structure_id, usager_id, thematique, signed_at, expires_at, journal_id, revoked_at, revoked_how, revoked_journal_id)
          select id, structure_id, usager_id, 'argent', signed_at, expires_at, journal_id, signed_at, 'revoque', journal_id from mandat where id = '${NEW}'`,
      ],
      null,
    ],
    [
      'un arrêt est daté de demain',
      'fin_une_fois',
      [
        asAidant(AIDANT, STRUCTURE),
        line('autorisation_revoquee', mandat),
        `update autorisation set revoked_at = horloge() + interval '1 day', revoked_how = 'renonce', revoked_journal_id = ${lastLine} where mandat_id = '${MANDAT}' and thematique = 'logement'`,
      ],
      [
        asAidant(AIDANT, STRUCTURE),
        line('autorisation_revoquee', mandat),
        `update autorisation set revoked_at = date_trunc('second', horloge()), revoked_how = 'renonce', revoked_journal_id = ${lastLine} where mandat_id = '${MANDAT}' and thematique = 'logement'`,
      ],
    ],
    [
      'une fin se déguise en remplacement',
      'remplace_par_un_autre',
      [
        asAidant(AIDANT, STRUCTURE),
        line('autorisation_remplacee', mandat),
        `update autorisation set revoked_at = date_trunc('second', horloge()), revoked_how = 'remplace', revoked_journal_id = ${lastLine} where mandat_id = '${MANDAT}' and thematique = 'logement'`,
      ],
      null,
    ],
    ['une fin se dit un décès, quand chaque thématique fut rendue', 'mandat_coherent', ended('deces'), ended('renonce')],
    [
      'une personne se dit effacée, et ne l’est pas',
      '42501',
      [asWorker, line('donnees_effacees', { acteur: `'systeme'`, acteur_id: 'null', structure_id: 'null' })],
      null,
    ],
    [
      'le service déclare une clé volée',
      '42501',
      [asWorker, line('cle_compromise', { acteur: `'systeme'`, acteur_id: 'null', structure_id: 'null', usager_id: 'null' })],
      null,
    ],
    [
      'la fin d’un mandat est antidatée',
      'fin_une_fois',
      [
        asAidant(AIDANT, STRUCTURE),
        line('mandat_termine', mandat),
        `update mandat set ended_at = horloge() - interval '1 minute', ended_how = 'renonce', ended_journal_id = ${lastLine} where id = '${MANDAT}'`,
      ],
      null,
    ],
    [
      'une pause est antidatée',
      'suspension_maintenant',
      [asUsager, ...pause({ from_at: `horloge() - interval '1 minute'` })],
      [asUsager, ...pause({ from_at: 'horloge()' })],
    ],
    [
      'une pause commence demain',
      'suspension_maintenant',
      [asUsager, ...pause({ from_at: `horloge() + interval '1 day'` })],
      null,
    ],
    [
      'une pause naît déjà finie',
      'suspension_maintenant',
      [asUsager, ...pause({ from_at: 'horloge()', until_at: 'horloge()', until_journal_id: lastLine })],
      null,
    ],
    [
      'la fin d’une pause est datée de demain',
      'fin_une_fois',
      [asUsager, ...pause({ from_at: 'horloge()' }), ...resumption(`horloge() + interval '1 day'`)],
      [asUsager, ...pause({ from_at: 'horloge()' }), ...resumption('horloge()')],
    ],
    [
      'la fin d’une pause est antidatée',
      'fin_une_fois',
      [
        asUsager,
        ...pause({ from_at: `horloge() - interval '29 seconds'` }),
        ...resumption(`(select from_at - interval '2 seconds' from suspension where until_at is null)`),
      ],
      null,
    ],
    [
      'une démarche se note sans dire laquelle',
      'demarche_entiere',
      [asAidant(AIDANT, STRUCTURE), ...done, demarche({})],
      [asAidant(AIDANT, STRUCTURE), ...done, demarche({}), contenu({})],
    ],
    ...[`select set_config('app.who', 'verifier', true)`, `select set_config('app.who', '', true)`].map(
      (nobody, index): [string, string, string[], string[]] => [
        `${index ? 'personne' : 'un vérificateur'} fait partir un message`,
        '42501',
        [nobody, queued],
        [asUsager, queued],
      ],
    ),
    [
      'un aidant publie une clé de sceau',
      '42501',
      [...publication.slice(0, 2), asAidant(AIDANT, STRUCTURE), publication[2]!],
      publication,
    ],
    [
      'une clé de sceau se publie sous une ligne qui ne le dit pas',
      'ligne_du_fait',
      publication.with(
        1,
        line('jwks_archive', { acteur: `'systeme'`, acteur_id: 'null', structure_id: 'null', usager_id: 'null' }),
      ),
      publication,
    ],
  ]
  /** What refused it, or that nothing did; deferred constraints included. */
  const outcome = (steps: string[]) =>
    trying(db.adminSql, async (tx) => {
      await tx`update horloge_reglage set decalage = decalage + interval '2 hours'` // the story is not of this minute
      await tx.unsafe('set local role traitdunion_app')
      for (const step of steps) await tx.unsafe(step)
      await tx.unsafe('set constraints all immediate')
      return 'accepté'
    }).catch((error: postgres.PostgresError) => error.constraint_name ?? error.code)

  it.each(ATTEMPTS)('%s', async (_what, by, bad, good) => {
    if (good) expect(await outcome(good)).toBe('accepté')
    expect(await outcome(bad)).toBe(by)
  })

  it('l’exploitant lui-même ne fait ni aidant ni référent sans sa ligne, n’invente ni coupure ni effacement', async () => {
    const by = (steps: string[]) =>
      trying(db.adminSql, async (tx) => {
        await tx.unsafe('set local role traitdunion_app')
        for (const step of publication) await tx.unsafe(step)
        await tx.unsafe(`set local role traitdunion_operator; select set_config('app.who', 'operator', true)`)
        for (const step of steps) await tx.unsafe(step)
        await tx.unsafe('set constraints all immediate')
        return 'accepté'
      }).catch((error: postgres.PostgresError) => error.constraint_name ?? error.code)
    const its = (action: string, more: Record<string, string>) =>
      line(action, { acteur: `'operateur'`, acteur_id: 'null', structure_id: 'null', usager_id: 'null', ...more })
    const names = `update habilitation set referent = not referent where aidant_id = '${AIDANT}' and structure_id = '${STRUCTURE}'`
    const said = its('structure_modifiee', { structure_id: `'${STRUCTURE}'`, cible_aidant_id: `'${AIDANT}'` })
    expect([await by([names]), await by([names, said])]).toEqual(['equipe_journalisee', 'accepté'])

    const payload = '{"coupure":5,"kid":"une-cle"}'
    const cut = (coupure: number) => [
      its('cle_compromise', { commitment: `sha256(${SALT} || '${payload}')` }),
      `insert into journal_contenu (journal_id, payload, salt) values (${lastLine}, '${payload}', ${SALT})`,
      `update cle set coupure = ${coupure}, coupure_journal_id = ${lastLine} where kid = 'une-cle'`,
    ]
    expect([await by(cut(1)), await by(cut(5))]).toEqual(['ligne_du_fait', 'accepté'])
    expect(await by([its('donnees_effacees', { usager_id: `'${USAGER}'` })])).toBe('42501')
  })

  it.each([
    'app',
    'operator',
    'effaceur',
  ])('%s ne choisit ni le numéro d’une ligne, ni son heure, ni ses octets', async (role) => {
    const inserted = async (column: string, value: string, overriding = '') =>
      trying(db.adminSql, async (tx) => {
        await tx.unsafe(
          `set local role traitdunion_${role}; select set_config('app.who', '${role === 'app' ? 'worker' : 'operator'}', true)`,
        )
        await tx.unsafe(
          `insert into journal (action, acteur, usager_id, commitment${column}) ${overriding} values ('donnees_effacees', 'systeme', '${USAGER}', ${COMMITMENT}${value})`,
        )
        return 'accepté'
      }).catch(({ code, message }: postgres.PostgresError) => (message.includes('permission denied') ? code : 'une politique'))
    // Who writes which lines is another matter: here, the words of the statement.
    expect(await inserted('', '')).not.toBe('42501')
    // Read by nobody after that: no line has its place in the tree any more.
    expect(await inserted(', id', ', 9007199254740993', 'overriding system value')).toBe('42501')
    for (const [column, value] of Object.entries({ xid: `'1'`, at: 'now()', mandat_seq: '1', entry: `''` }))
      expect([column, await inserted(`, ${column}`, `, ${value}`)]).toEqual([column, '42501'])
  })

  it('le journal des accès ne s’efface qu’au bout de douze mois, et par le service', async () => {
    const erased = (context: string, months: number) =>
      trying(db.adminSql, async (tx) => {
        await tx`update horloge_reglage set decalage = decalage + ${months} * interval '1 month' + interval '1 day'`
        await tx.unsafe('set local role traitdunion_app')
        await tx.unsafe(context)
        return (await tx`delete from acces`).count
      })
    expect(await erased(asWorker, 11)).toBe(0)
    expect(await erased(asWorker, 12)).toBe(1)
    for (const other of [asUsager, asAidant(AIDANT, STRUCTURE), asAidant(AIDANT, STRUCTURE, 'referent')])
      expect(await erased(other, 12)).toBe(0)
  })

  it('une référente ne lit les mots d’un accord que le dossier ouvert ; l’aidant et la personne, toujours', async () => {
    const read = (context: string, ms: number) =>
      trying(db.adminSql, async (tx) => {
        await tx`update horloge_reglage set decalage = decalage + ${ms} * interval '1 millisecond'`
        await tx.unsafe('set local role traitdunion_app')
        await tx.unsafe(context)
        return (await tx`select mandat_id from mandat_contenu`).length
      })
    const referente = asAidant(AIDANT, STRUCTURE, 'referent')
    expect(await read(referente, 0)).toBe(2) // the story opened it just now
    expect(await read(referente, 16 * 60_000)).toBe(0)
    expect(await read(asAidant(AIDANT_2, STRUCTURE_2, 'referent'), 0)).toBe(0)
    expect(await read(asAidant(AIDANT, STRUCTURE), 16 * 60_000)).toBe(2)
    expect(await read(asUsager, 16 * 60_000)).toBe(2)
  })

  it.each([
    'journal',
    'journal_contenu',
    'ouverture',
    'mandat_contenu',
    'demarche_contenu',
  ])('qui se dit référente sans l’être ne lit rien de la direction : %s', async (table) => {
    const read = (referent: boolean) =>
      trying(db.adminSql, async (tx) => {
        await tx`update habilitation set referent = ${referent} where aidant_id = ${AIDANT}`
        await tx.unsafe('set local role traitdunion_app')
        await tx.unsafe(asAidant(AIDANT, STRUCTURE, 'referent'))
        const [row] = await tx`select count(*)::int as rows from ${tx(table)}`
        return row!.rows as number
      })
    expect(await read(true)).toBeGreaterThan(0)
    expect(await read(false)).toBe(0)
  })
})

/** Runs it, then undoes it whatever it did. */
async function trying<T>(sql: postgres.Sql, work: (tx: postgres.TransactionSql) => Promise<T>): Promise<T> {
  const undo = { result: undefined as T | undefined }
  await sql
    .begin(async (tx) => {
      undo.result = await work(tx)
      throw undo
    })
    .catch((error) => {
      if (error !== undo) throw error
    })
  return undo.result as T
}

const STRUCTURE = '11111111-0000-4000-8000-000000000001'
const AIDANT = '11111111-0000-4000-8000-000000000002'
const USAGER = '11111111-0000-4000-8000-000000000003'
const STRUCTURE_2 = '22222222-0000-4000-8000-000000000001'
const AIDANT_2 = '22222222-0000-4000-8000-000000000002'
const AJOUT = '33333333-0000-4000-8000-000000000003'
const SALT = `repeat('s', 32)::bytea`
const COMMITMENT = `sha256(${SALT} || '{}')`

/** One row at least in each table, through every trigger: a mandat in force, one ended, a démarche, an opening, a draft, a session. */
const STORY = `
  create function pg_temp.ligne(p_action text, p_acteur text, p_acteur_id uuid, p_usager uuid, p_mandat uuid) returns bigint language sql as $$
    insert into journal (action, acteur, acteur_id, structure_id, usager_id, mandat_id, commitment)
    values (p_action, p_acteur, p_acteur_id, case when p_acteur <> 'systeme' then '${STRUCTURE}'::uuid end, p_usager, p_mandat,
      ${COMMITMENT})
    returning id
  $$;
  insert into structure (id, nom, siret, adresse, telephone) values ('${STRUCTURE}', 'CCAS de Figeac', '26460001200015', '5 rue de Colomb, Figeac', '05 65 50 05 40');
  insert into aidant (id, email, prenom, nom) values ('${AIDANT}', 'awa.diallo@exemple.fr', 'Awa', 'Diallo');
  insert into habilitation (aidant_id, structure_id, referent) values ('${AIDANT}', '${STRUCTURE}', true);
  insert into structure (id, nom, siret, adresse, telephone) values ('${STRUCTURE_2}', 'PIMMS de Cahors', '26460001200023', '1 place Chapou, Cahors', '05 65 20 88 88');
  insert into aidant (id, email, prenom, nom) values ('${AIDANT_2}', 'luc.martin@exemple.fr', 'Luc', 'Martin');
  insert into habilitation (aidant_id, structure_id, referent) values ('${AIDANT_2}', '${STRUCTURE_2}', true);
  insert into facteur (aidant_id, genre, secret) values ('${AIDANT}', 'totp', 'secret');
  insert into usager (id, sub, prenoms, nom_naissance, birthdate) values ('${USAGER}', 'sub', '{Josette}', 'Vidal', '1941-03-12');
  insert into dossier (structure_id, usager_id) values ('${STRUCTURE}', '${USAGER}');
  do $$
  declare
    v_signed timestamptz := date_trunc('second', horloge());
    v_expires timestamptz := (date_trunc('day', v_signed at time zone 'Europe/Paris') + interval '31 days 23:59:59') at time zone 'Europe/Paris';
    v_jwks text := base64url(sha256('{"keys":[]}'));
    v_line bigint;
    v_mandat uuid;
    v_autorisation uuid;
    v_demarche uuid;
    v_brouillon uuid;
  begin
    insert into jwks_archive (id, fournisseur, jwks, journal_id)
    values (v_jwks, 'franceconnect', '{"keys":[]}', pg_temp.ligne('jwks_archive', 'systeme', null, null, null));
    foreach v_mandat in array array['11111111-0000-4000-8000-000000000004', '11111111-0000-4000-8000-000000000005']::uuid[] loop
      v_line := pg_temp.ligne('mandat_signe', 'aidant', '${AIDANT}', '${USAGER}', v_mandat);
      insert into journal_contenu (journal_id, structure_id, usager_id, payload, salt)
      values (v_line, '${STRUCTURE}', '${USAGER}', '{}', ${SALT});
      insert into mandat (id, structure_id, usager_id, aidant_id, duree, signed_at, expires_at, statut_bloc, journal_id)
      values (v_mandat, '${STRUCTURE}', '${USAGER}', '${AIDANT}', 'mois', v_signed, v_expires, bloc_libre(), v_line);
      insert into mandat_contenu (mandat_id, structure_id, usager_id, sceau, conditions, id_token, jwks_id, texte, identite, structure, aidant, accord)
      values (v_mandat, '${STRUCTURE}', '${USAGER}', 'sceau', '{}', 'jeton', v_jwks, 'texte', '{}', '{}', '{}', '{}');
      insert into code_verification (mandat_id, empreinte) values (v_mandat, sha256(convert_to(v_mandat::text, 'UTF8')));
      insert into autorisation (mandat_id, structure_id, usager_id, thematique, signed_at, expires_at, journal_id)
      values (v_mandat, '${STRUCTURE}', '${USAGER}', case when v_mandat::text like '%4' then 'logement' else 'social' end, v_signed, v_expires, v_line)
      returning id into v_autorisation;
      insert into suspension (autorisation_id, mandat_id, structure_id, usager_id, from_at, journal_id)
      values (v_autorisation, v_mandat, '${STRUCTURE}', '${USAGER}', v_signed, pg_temp.ligne('autorisation_suspendue', 'usager', '${USAGER}', '${USAGER}', v_mandat));
      update suspension set until_at = v_signed, until_journal_id = pg_temp.ligne('autorisation_retablie', 'usager', '${USAGER}', '${USAGER}', v_mandat)
      where mandat_id = v_mandat;
    end loop;
    update autorisation set revoked_at = horloge(), revoked_how = 'revoque',
      revoked_journal_id = pg_temp.ligne('autorisation_revoquee', 'usager', '${USAGER}', '${USAGER}', v_mandat)
    where mandat_id = v_mandat;
    insert into arret_recu (autorisation_id, mandat_id, structure_id, usager_id, aidant_id, maniere, recu_le, journal_id)
    select id, mandat_id, structure_id, usager_id, '${AIDANT}', 'courrier', signed_at, revoked_journal_id from autorisation where mandat_id = v_mandat;
    insert into rappel (mandat_id, structure_id, usager_id) values (v_mandat, '${STRUCTURE}', '${USAGER}');
    update mandat set ended_at = horloge(), ended_how = 'revoque',
      ended_journal_id = pg_temp.ligne('mandat_termine', 'usager', '${USAGER}', '${USAGER}', v_mandat)
    where id = v_mandat;

    v_mandat := '11111111-0000-4000-8000-000000000004';
    insert into autorisation (mandat_id, structure_id, usager_id, thematique, signed_at, expires_at, journal_id)
    select id, structure_id, usager_id, 'transports', signed_at, expires_at, journal_id from mandat where id = v_mandat;
    perform pg_temp.ligne('demarche_realisee', 'aidant', '${AIDANT}', '${USAGER}', v_mandat); -- a line that no démarche claims
    insert into demarche (mandat_id, structure_id, usager_id, aidant_id, genre, thematique, sensible, reclamation, nature, mode, presence, canal,
      done_at, recorded_at, resultat, envoi, journal_id)
    values (v_mandat, '${STRUCTURE}', '${USAGER}', '${AIDANT}', 'reguliere', 'logement', false, false, 'demande', 'a_sa_place', 'presente', 'guichet',
      v_signed, v_signed, 'deposee', gen_random_uuid(), pg_temp.ligne('demarche_realisee', 'aidant', '${AIDANT}', '${USAGER}', v_mandat))
    returning id into v_demarche;
    insert into demarche_contenu (demarche_id, structure_id, usager_id, genre, titre)
    values (v_demarche, '${STRUCTURE}', '${USAGER}', 'reguliere', 'Demande de logement social');
    v_line := pg_temp.ligne('demarche_contestee', 'usager', '${USAGER}', '${USAGER}', v_mandat);
    insert into contestation (id, demarche_id, mandat_id, structure_id, usager_id, motif, contested_at, journal_id)
    values (gen_random_uuid(), v_demarche, v_mandat, '${STRUCTURE}', '${USAGER}', 'autre', v_signed, v_line);
    insert into journal_contenu (journal_id, structure_id, usager_id, sensible, payload, salt) values (v_line, '${STRUCTURE}', '${USAGER}', true, '{}', ${SALT});
    v_line := pg_temp.ligne('demarche_corrigee', 'aidant', '${AIDANT}', '${USAGER}', v_mandat);
    insert into correction (id, demarche_id, mandat_id, structure_id, usager_id, aidant_id, annulee, resultat, corrected_at, journal_id)
    values (gen_random_uuid(), v_demarche, v_mandat, '${STRUCTURE}', '${USAGER}', '${AIDANT}', true, 'abandonnee', v_signed, v_line);
    insert into journal_contenu (journal_id, structure_id, usager_id, sensible, payload, salt) values (v_line, '${STRUCTURE}', '${USAGER}', true, '{}', ${SALT});
    insert into ouverture (aidant_id, structure_id, usager_id, motif, journal_id)
    values ('${AIDANT}', '${STRUCTURE}', '${USAGER}', 'controle', pg_temp.ligne('dossier_ouvert', 'aidant', '${AIDANT}', '${USAGER}', null));
    insert into brouillon (structure_id, aidant_id, duree) values ('${STRUCTURE}', '${AIDANT}', 'mois') returning id into v_brouillon;
    insert into connexion (fournisseur, but, etat, navigateur, nonce, brouillon_id)
    values ('franceconnect', 'mandat', repeat('e', 32)::bytea, repeat('n', 32)::bytea, repeat('0', 64), v_brouillon);
    insert into code_contact (brouillon_id, code, message_cle) values (v_brouillon, repeat('k', 32)::bytea, 'connexion:contact:essai');
    insert into changement_contact (id, usager_id, suivi, contact, partage, code, message_cle)
    values (gen_random_uuid(), '${USAGER}', 'sms', '+33600000000', false, repeat('k', 32)::bytea, 'connexion:contact:essai');
    insert into telephone (brouillon_id, jeton, nonce) values (v_brouillon, repeat('t', 32)::bytea, repeat('0', 64));
    insert into session (jeton, aidant_id, structure_id) values (repeat('j', 32)::bytea, '${AIDANT}', '${STRUCTURE}');
    insert into defi (pour, aidant_id, defi) values (repeat('p', 32)::bytea, '${AIDANT}', repeat('d', 32)::bytea);
    insert into code_secours (aidant_id, empreinte) values ('${AIDANT}', repeat('e', 32)::bytea);
    insert into ajout (id, aidant_id, session_id, genre, nom, defi)
      select gen_random_uuid(), aidant_id, id, 'totp', 'Téléphone', repeat('d', 32)::bytea from session;
    insert into session (jeton, usager_id) values (repeat('u', 32)::bytea, '${USAGER}');
    insert into invitation (structure_id, invite_par, genre, email, prenom, nom, jeton)
    values ('${STRUCTURE}', '${AIDANT}', 'arrivee', 'claire@exemple.fr', 'Claire', 'Vidal', repeat('i', 32)::bytea);
    insert into code_preuve (id, session_id, code) select gen_random_uuid(), id, repeat('s', 32)::bytea from session where usager_id = '${USAGER}';
    insert into code_connexion (navigateur, aidant_id, code, lien)
    values (repeat('n', 32)::bytea, '${AIDANT}', repeat('c', 32)::bytea, repeat('l', 32)::bytea);
    insert into acces (genre, aidant_id, structure_id, usager_id) values ('dossier_consulte', '${AIDANT}', '${STRUCTURE}', '${USAGER}');
    insert into code_prive (usager_id, structure_id, mandat_id, empreinte, journal_id)
    values ('${USAGER}', '${STRUCTURE}', v_mandat, repeat('p', 32)::bytea, pg_temp.ligne('attestation_imprimee', 'aidant', '${AIDANT}', '${USAGER}', v_mandat));
    insert into code_prive_essai (code_prive_id, faux) select id, 1 from code_prive;
    insert into limite (cle, debut, compte) values ('cle', horloge(), 1);
    insert into message (cle, canal, destinataire, sujet, corps) values ('essai', 'email', 'josette@exemple.fr', 'Votre mandat', 'Bonjour');
  end
  $$`
