import { constraintOf, type Db, isForbidden, type Tx, type Who } from '../db.ts'
import { append } from '../journal/append.ts'
import { listAutorisations, lockMandat } from '../mandat/queries.ts'
import { newUuid } from '../uuid.ts'
import { type DemarcheRefusal, discretion, type Kind, kindOf, type NewDemarche, refusalOf } from './demarche.ts'
import { type DejaNotee, findOfTitre, listJustNotees, mayNote } from './queries.ts'

/**
 * `aidant_inactif`: suspended, or gone from the structure, since she opened the form. `deja_notee`: she noted the same one a moment ago,
 * and has not said that this is another. `dossier_referme`: a référent who may not note for this person, or no longer.
 */
export type RecordRefusal = DemarcheRefusal | 'envoi_deja_utilise' | 'aidant_inactif' | 'deja_notee' | 'dossier_referme'
type Recorded =
  | { ok: true; id: string; usagerId: string; genre: Kind }
  | { ok: false; refusal: RecordRefusal; deja?: DejaNotee | undefined }

/**
 * Records one démarche and its journal line: both commit, or neither. `envoi` identifies the form that was sent: a double click or a
 * replay answers the démarche already recorded. Outside the mandat it refuses `hors_mandat` and the page offers the other use case.
 * `encore` false: nobody has said that it is another than the one she has just noted (« Précédent », then « Enregistrer »: the page comes
 * back with its answers and a new `envoi`).
 */
export const recordDemarche = (db: Db, by: Who & { kind: 'aidant' }, demarche: NewDemarche, encore = true): Promise<Recorded> =>
  attempt(db, by, demarche, undefined, encore)

/** Records an act done outside the mandat, with its reason: the truth is never lost, and is shown at once to the person and the référent. */
export const recordActeHorsMandat = (
  db: Db,
  by: Who & { kind: 'aidant' },
  demarche: NewDemarche,
  motif: string,
  encore = true,
): Promise<Recorded> => attempt(db, by, demarche, motif, encore)

const REFUSED_BY: Readonly<Record<string, RecordRefusal>> = {
  demarche_envoi_unique: 'envoi_deja_utilise',
  demarche_aidant_actif: 'aidant_inactif',
}

async function attempt(
  db: Db,
  by: Who & { kind: 'aidant' },
  demarche: NewDemarche,
  motif: string | undefined,
  encore: boolean,
  again = true,
): Promise<Recorded> {
  try {
    return await db.tx(by, (tx) => record(tx, by, demarche, motif, encore), { retryable: true })
  } catch (error) {
    const constraint = constraintOf(error) ?? ''
    // The mandat ended, or the day passed, between our reading of the clock and the line's own time: the kind is decided anew.
    if (constraint === 'demarche_genre_exact' && again) return attempt(db, by, demarche, motif, encore, false)
    // A référent's quarter of an hour may end between the page's check and this write: the database refuses, and that is no failure.
    if (isForbidden(error) && !(await db.tx(by, (tx) => mayNote(tx, demarche.mandatId))))
      return { ok: false, refusal: 'dossier_referme' }
    const refusal = REFUSED_BY[constraint]
    if (!refusal) throw error
    return { ok: false, refusal }
  }
}

async function record(
  tx: Tx,
  by: Who & { kind: 'aidant' },
  demarche: NewDemarche,
  motif: string | undefined,
  encore: boolean,
): Promise<Recorded> {
  // Sent together, answered in order: what is read after the lock shows what the lock waited for.
  const [mandat, autorisations, justNotees] = await Promise.all([
    lockMandat(tx, demarche.mandatId),
    listAutorisations(tx, demarche.mandatId),
    listJustNotees(tx, by.aidantId, demarche),
  ])
  if (!mandat) return { ok: false, refusal: 'introuvable' }
  const { structureId, usagerId } = mandat
  const already = justNotees.find(({ renvoi }) => renvoi)
  if (already) return { ok: true, id: already.id, genre: already.genre, usagerId }

  const doneAt = demarche.doneAt ?? tx.now
  const genre = kindOf(
    autorisations.find(({ thematique }) => thematique === demarche.thematique),
    doneAt,
    tx.now,
  )
  const refusal = refusalOf(mandat, autorisations, demarche, tx.now)
  if (refusal && !(refusal === 'hors_mandat' && motif)) return { ok: false, refusal }
  // More likely the same act told twice than two acts.
  const deja =
    encore || !justNotees.length
      ? undefined
      : await findOfTitre(
          tx,
          justNotees.map(({ id }) => id),
          demarche.titre,
        )
  if (deja) return { ok: false, refusal: 'deja_notee', deja }

  // The act proved to be inside the mandat after all: recorded as what it is, its reason not needed.
  const horsMandat = genre === 'hors_mandat'
  const { sensible, reclamation } = discretion(demarche)
  const { mandatId, envoi, doneAt: _, ...facts } = demarche
  const id = newUuid(tx)
  await append(
    tx,
    {
      action: horsMandat ? 'acte_hors_mandat' : 'demarche_realisee',
      mandat,
      contenu: { ...facts, genre, done_at: doneAt.toISOString(), ...(horsMandat && { motif: motif! }) },
      sensible: sensible || reclamation,
    },
    tx.sql`acte as (
      insert into demarche (id, mandat_id, structure_id, usager_id, aidant_id, genre, thematique, sensible, reclamation, nature, mode, presence,
        canal, done_at, duree_minutes, resultat, motif_blocage, envoi, journal_id)
      select ${id}::uuid, ${mandatId}::uuid, ${structureId}::uuid, ${usagerId}::uuid, ${by.aidantId}::uuid, ${genre}, ${demarche.thematique},
        ${sensible}::boolean, ${reclamation}::boolean, ${demarche.nature}, ${demarche.mode}, ${demarche.presence}, ${demarche.canal},
        ${doneAt}::timestamptz, ${demarche.dureeMinutes ?? null}::int, ${demarche.resultat}, ${demarche.motifBlocage ?? null}, ${envoi}::uuid, id
      from line
      returning id, structure_id, usager_id, genre),
    mots as (
      insert into demarche_contenu (demarche_id, structure_id, usager_id, genre, code, titre, administration, reference, montant_centimes,
        etape_quoi, etape_qui, etape_quand, orientation, note, motif_hors_mandat)
      select id, structure_id, usager_id, genre, ${demarche.code ?? null}, ${demarche.titre}, ${demarche.administration ?? null},
        ${demarche.reference ?? null}, ${demarche.montantCentimes ?? null}::int, ${demarche.etapeQuoi ?? null}, ${demarche.etapeQui ?? null},
        ${demarche.etapeQuand ?? null}, ${demarche.orientation ?? null}, ${demarche.note ?? null}, ${horsMandat ? motif! : null}
      from acte)`,
  )
  return { ok: true, id, usagerId, genre }
}
