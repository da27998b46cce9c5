import type postgres from 'postgres'

/** Lines are shared among these mandats, one each in turn: the first line of a mandat signs it, the others are its démarches. */
const MANDATS = 4_000
/** Lines of one transaction. */
const CHUNK = 2_000
const id = (what: string, n: string) => `md5('${what}' || ${n})::uuid`

/** A structure and the persons that the lines will name; from now on this database takes what it is told. */
export async function openLines(admin: postgres.Sql): Promise<void> {
  await admin.unsafe(`
    alter table journal disable trigger user;
    alter table mandat disable trigger user;
    alter table autorisation disable trigger user;
    alter table demarche disable trigger user;
    drop index journal_structure, journal_usager, journal_aidant, demarche_mandat, demarche_dossier, demarche_usager, demarche_structure, demarche_aidant;
    set session_replication_role = replica;
    insert into structure (id, nom, siret, adresse, telephone)
    values (${id('structure', '0')}, 'Structure de mesure', '00000000000000', 'Adresse de mesure', '0100000000');
    insert into usager (id, sub, prenoms, nom_naissance, birthdate)
    select ${id('usager', 'k')}, 'ligne-' || k, '{Essai}', 'Numero' || k, '1950-05-05' from generate_series(0, ${MANDATS - 1}) k;
    insert into dossier (structure_id, usager_id)
    select ${id('structure', '0')}, ${id('usager', 'k')} from generate_series(0, ${MANDATS - 1}) k`)
}

/** Lines from+1..upto of the journal, each with its content and its fact, as the service would have written them, ten a second. */
export async function addLines(admin: postgres.Sql, from: number, upto: number): Promise<void> {
  for (let at = from; at < upto; at += CHUNK) await addChunk(admin, at, Math.min(at + CHUNK, upto))
}

const addChunk = (admin: postgres.Sql, from: number, upto: number) =>
  admin.unsafe(`
    create temp table ligne on commit drop as
    select n, k, (n - 1) / ${MANDATS} + 1 as seq, at, action, payload, salt, sha256(salt || convert_to(payload, 'UTF8')) as commitment,
      ${id('structure', '0')} as structure_id, ${id('usager', 'k')} as usager_id, ${id('mandat', 'k')} as mandat_id
    from generate_series(${from + 1}, ${upto}) n,
      lateral (select (n - 1) % ${MANDATS} as k, timestamptz '2026-01-01 08:00Z' + n * interval '100 milliseconds' as at,
        case when n <= ${MANDATS} then 'mandat_signe' else 'demarche_realisee' end as action, sha256(n::text::bytea) as salt) a,
      lateral (select to_char(date_trunc('second', at) at time zone 'UTC', ISO) as signe, to_char((at + interval '1 year') at time zone 'UTC', ISO) as fin,
          to_char(at at time zone 'UTC', ISO) as fait
        from (values ('YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')) as f (ISO)) f,
      lateral (select case when action = 'mandat_signe'
        then '{"conditions_sha256":"' || base64url(sha256('{}')) || '","duree":"an","expires_at":"' || fin || '","id_token_sha256":"' || base64url(sha256(''))
        || '","jwks_id":"","perimetre":["logement"],"sceau_sha256":"' || base64url(sha256('')) || '","signed_at":"' || signe || '"}'
        else '{"canal":"en_ligne_franceconnect","done_at":"' || fait || '","genre":"reguliere","mode":"avec_la_personne",'
        || '"nature":"demande","presence":"presente","resultat":"deposee","thematique":"logement","titre":"Demander une aide au logement ' || n || '"}'
        end as payload) b;
    insert into journal (id, at, action, acteur, acteur_id, structure_id, usager_id, mandat_id, mandat_seq, entry, commitment) overriding system value
    select n, at, action, 'aidant', ${id('aidant', '0')}, structure_id, usager_id, mandat_id, seq,
      convert_to('{"acteur":"aidant","acteur_id":"' || ${id('aidant', '0')} || '","action":"' || action || '","at":"'
        || to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') || '","commitment":"' || base64url(commitment) || '","mandat_id":"'
        || mandat_id || '","mandat_seq":' || seq || ',"structure_id":"' || structure_id || '","usager_id":"' || usager_id || '","v":1}', 'UTF8'),
      commitment
    from ligne;
    insert into journal_contenu (journal_id, structure_id, usager_id, payload, salt)
    select n, structure_id, usager_id, payload, salt from ligne;
    insert into mandat (id, structure_id, usager_id, aidant_id, duree, signed_at, expires_at, statut_bloc, journal_id)
    select mandat_id, structure_id, usager_id, ${id('aidant', '0')}, 'an', date_trunc('second', at), at + interval '1 year', n, n
    from ligne where action = 'mandat_signe';
    insert into autorisation (mandat_id, structure_id, usager_id, thematique, signed_at, expires_at, journal_id)
    select mandat_id, structure_id, usager_id, 'logement', date_trunc('second', at), at + interval '1 year', n
    from ligne where action = 'mandat_signe';
    insert into mandat_contenu (mandat_id, structure_id, usager_id, sceau, conditions, id_token, jwks_id, texte, identite, structure, aidant, accord)
    select mandat_id, structure_id, usager_id, '', '{}', '', '', '', '{}', '{}', '{}', '{}' from ligne where action = 'mandat_signe';
    insert into demarche (id, mandat_id, structure_id, usager_id, aidant_id, genre, thematique, sensible, reclamation, nature, mode, presence, canal,
      done_at, recorded_at, resultat, envoi, journal_id)
    select ${id('demarche', 'n')}, mandat_id, structure_id, usager_id, ${id('aidant', '0')}, 'reguliere', 'logement', false, false, 'demande', 'avec_la_personne',
      'presente', 'en_ligne_franceconnect', at, at, 'deposee', gen_random_uuid(), n
    from ligne where action = 'demarche_realisee';
    insert into demarche_contenu (demarche_id, structure_id, usager_id, genre, titre)
    select ${id('demarche', 'n')}, structure_id, usager_id, 'reguliere', 'Demander une aide au logement ' || n
    from ligne where action = 'demarche_realisee'`)
