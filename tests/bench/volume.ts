import type postgres from 'postgres'

/** `count` mandats in force on logement, of as many persons, written straight into the database: ids. */
export async function addMandats(admin: postgres.Sql, structureId: string, aidantId: string, count: number): Promise<string[]> {
  return admin.begin(async (tx) => {
    const rows = await tx<{ id: string }[]>`
      with numbered as (select n, gen_random_uuid() as usager_id, gen_random_uuid() as mandat_id from generate_series(1, ${count}) n),
      persons as (
        insert into usager (id, sub, prenoms, nom_naissance, birthdate)
        select usager_id, 'volume-' || usager_id, array['Essai'], 'Numero' || n, '1950-05-05' from numbered returning id),
      dossiers as (insert into dossier (structure_id, usager_id) select ${structureId}, id from persons returning usager_id),
      lines as (
        insert into journal (action, acteur, acteur_id, structure_id, usager_id, mandat_id, commitment)
        select 'mandat_signe', 'aidant', ${aidantId}, ${structureId}, usager_id, mandat_id, decode(repeat('00', 32), 'hex') from numbered
        returning id, mandat_id, usager_id),
      dated as (
        select now_.s as signed_at,
          (date_trunc('day', now_.s at time zone 'Europe/Paris') + interval '31 days 23:59:59') at time zone 'Europe/Paris' as expires_at
        from (select date_trunc('second', horloge()) as s) now_)
      insert into mandat (id, structure_id, usager_id, aidant_id, duree, signed_at, expires_at, statut_bloc, journal_id)
      select mandat_id, ${structureId}, usager_id, ${aidantId}, 'mois', signed_at, expires_at, 100000 + row_number() over (), id
      from lines, dated
      returning id`
    const ids = rows.map(({ id }) => id)
    await tx`
      insert into autorisation (mandat_id, structure_id, usager_id, thematique, signed_at, expires_at, journal_id)
      select id, structure_id, usager_id, 'logement', signed_at, expires_at, journal_id from mandat where id = any (${ids})`
    await tx`
      with keys as (select '{"keys":[]}'::text as jwks),
      line as (
        insert into journal (action, acteur, commitment) values ('jwks_archive', 'systeme', decode(repeat('00', 32), 'hex')) returning id)
      insert into jwks_archive (id, fournisseur, jwks, journal_id)
      select base64url(sha256(convert_to(jwks, 'UTF8'))), 'essai', jwks, id from keys, line
      on conflict do nothing`
    await tx`
      insert into mandat_contenu (mandat_id, structure_id, usager_id, sceau, conditions, id_token, jwks_id, texte, identite, structure, aidant, accord)
      select m.id, m.structure_id, m.usager_id, '', '{}', '', j.id, '', '{}', '{}', '{}', '{}'
      from mandat m, jwks_archive j
      where m.id = any (${ids}) and j.fournisseur = 'essai'`
    return ids
  })
}

/** Few enough names, and years of birth, that among 1,000 persons each search measured fills a page, as it does among 100,000: twenty shown, and one more. */
const NAMES = ['Martin', 'Marie', 'Bernard', 'Dupont', 'Moreau', 'Hoarau', 'Benali', 'Da Silva', 'Lefèvre']

/** A structure of its own with `count` persons, and its aidant. */
export async function addPersonnes(admin: postgres.Sql, count: number): Promise<{ structureId: string; aidantId: string }> {
  return admin.begin(async (tx) => {
    const [ids] = await tx<{ structureId: string; aidantId: string }[]>`
      with s as (
        insert into structure (nom, siret, adresse, telephone)
        values ('Structure de ' || ${count}::text, lpad(${count}::text, 14, '0'), 'Adresse de mesure', '0100000000') returning id),
      a as (
        insert into aidant (email, prenom, nom, cgu_version, cgu_accepted_at)
        values ('mesure-' || ${count}::text || '@exemple.fr', 'Aidante', 'Mesure', 1, horloge()) returning id)
      insert into habilitation (aidant_id, structure_id) select a.id, s.id from a, s
      returning structure_id as "structureId", aidant_id as "aidantId"`
    const names = NAMES as string[]
    await tx`
      insert into usager (sub, prenoms, nom_naissance, birthdate)
      select 'liste-' || ${count}::text || '-' || n, array[(${names}::text[])[1 + n / 9 % 9]], (${names}::text[])[1 + n % 9] || ' ' || chr(97 + n % 26) || n,
        to_char(date '1950-01-01' + (n * 37) % 9000, 'YYYY-MM-DD')
      from generate_series(1, ${count}) n`
    await tx`
      insert into dossier (structure_id, usager_id)
      select ${ids!.structureId}, id from usager where sub like ${`liste-${count}-%`}`
    return ids!
  })
}
