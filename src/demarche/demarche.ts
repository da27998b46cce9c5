import { type Autorisation, etatAutorisation, THEMATIQUES, type Thematique } from '../mandat/mandat.ts'
import catalogue from './catalogue.json' with { type: 'json' }

export const NATURES = [
  'demande',
  'renouvellement',
  'declaration',
  'changement_de_situation',
  'consultation',
  'suivi',
  'reclamation',
  'paiement',
  'prise_de_rendez_vous',
  'creation_de_compte',
] as const
export type Nature = (typeof NATURES)[number]

export const MODES = ['avec_la_personne', 'a_sa_place', 'seule_avec_appui'] as const
export type Mode = (typeof MODES)[number]

export const PRESENCES = ['presente', 'absente_prevenue', 'absente'] as const
export type Presence = (typeof PRESENCES)[number]

export const CANAUX = [
  'en_ligne_franceconnect',
  'en_ligne_autre',
  'telephone',
  'courrier',
  'guichet',
  'email',
  'visio',
  'messagerie',
] as const
export type Canal = (typeof CANAUX)[number]

export const DUREES_MINUTES = [5, 15, 30, 45, 60, 90, 120] as const
export type DureeMinutes = (typeof DUREES_MINUTES)[number]

export const RESULTATS = [
  'deposee',
  'terminee',
  'en_attente',
  'bloquee',
  'refusee',
  'abandonnee',
  'a_faire_par_la_personne',
] as const
export type Resultat = (typeof RESULTATS)[number]

/** Sent, and no answer yet: the end of a mandat does not cancel it. */
export const attendReponse = ({ resultat }: { resultat: Resultat }): boolean =>
  resultat === 'deposee' || resultat === 'en_attente'

export const MOTIFS_BLOCAGE = [
  'site_indisponible',
  'compte_impossible',
  'piece_manquante',
  'identite_non_reconnue',
  'pas_d_interlocuteur',
  'delai_anormal',
  'langue',
  'autre',
] as const
export type MotifBlocage = (typeof MOTIFS_BLOCAGE)[number]

/** Whose turn it is. */
export const ETAPES_QUI = ['personne', 'aidant', 'administration'] as const
export type EtapeQui = (typeof ETAPES_QUI)[number]

export type Kind = 'reguliere' | 'apres_coup' | 'hors_mandat'

/** One act, as the aidant tells it. Only titre, thématique and résultat are always hers to choose; the form has a default for the rest. */
export type NewDemarche = {
  mandatId: string
  /** One per form shown: the same form sent twice is the same démarche. */
  envoi: string
  thematique: Thematique
  /** Of the catalogue; null for a free title. */
  code?: string | null
  titre: string
  administration?: string | null
  nature: Nature
  mode: Mode
  presence: Presence
  canal: Canal
  /** The aidant's claim; null means now. */
  doneAt?: Date | null
  dureeMinutes?: DureeMinutes | null
  resultat: Resultat
  motifBlocage?: MotifBlocage | null
  reference?: string | null
  /** When money moves. */
  montantCentimes?: number | null
  etapeQuoi?: string | null
  etapeQui?: EtapeQui | null
  /** 'YYYY-MM-DD'. */
  etapeQuand?: string | null
  orientation?: string | null
  note?: string | null
}

/** What may be said otherwise later, beside what was noted. */
export const CORRIGEABLES = [
  'titre',
  'administration',
  'resultat',
  'mode',
  'presence',
  'canal',
  'dureeMinutes',
  'motifBlocage',
  'reference',
  'montantCentimes',
  'etapeQuoi',
  'etapeQui',
  'etapeQuand',
  'orientation',
  'note',
] as const satisfies readonly (keyof NewDemarche)[]
export type Faits = Required<Pick<NewDemarche, (typeof CORRIGEABLES)[number]>>
export const faitsDe = (demarche: Readonly<Record<keyof Faits, unknown>>): Faits =>
  Object.fromEntries(CORRIGEABLES.map((key) => [key, demarche[key]])) as Faits

export type Alerte =
  | 'paiement'
  | 'signature_personne'
  | 'timbre'
  | 'fraude'
  | 'reclamation'
  | 'patrimoine'
  | 'donnees_sante'
  | 'donnees_penales'
  | `echeance:${string}`

export type CatalogueItem = {
  code: string
  libelle: string
  thematique: Thematique
  administration: string
  alertes: readonly Alerte[]
  /** Title and thématique are masked in lists, messages and the director's view. */
  sensible: boolean
}

/** Common démarches of service-public.gouv.fr, the most usual first within a thématique. */
export const CATALOGUE = catalogue.demarches as readonly CatalogueItem[]

const byCode = new Map(CATALOGUE.map((item) => [item.code, item]))
export const demarcheDuCatalogue = (code: string): CatalogueItem | undefined => byCode.get(code)

/** What is offered first under a mandat: what goes on; when nothing does, what is paused, and at last what it covered, for what was done before. */
export const proposees = (mandat: Readonly<Record<'enVigueur' | 'enPause' | 'perimetre', readonly Thematique[]>>) =>
  [mandat.enVigueur, mandat.enPause].find(({ length }) => length > 0) ?? mandat.perimetre

/**
 * The catalogue's démarches inside a périmètre, the most useful first: those done lately (`recents`, codes, latest first), then one of
 * each thématique in turn, so that a wide périmètre shows something of each.
 */
export function suggestions(perimetre: readonly Thematique[], recents: readonly string[]): CatalogueItem[] {
  const lately = recents.flatMap((code) => demarcheDuCatalogue(code) ?? []).filter((item) => perimetre.includes(item.thematique))
  const columns = THEMATIQUES.filter((thematique) => perimetre.includes(thematique)).map((thematique) =>
    CATALOGUE.filter((item) => item.thematique === thematique),
  )
  const rows = Math.max(0, ...columns.map((column) => column.length))
  const inTurn = Array.from({ length: rows }, (_, row) => columns.flatMap((column) => column[row] ?? [])).flat()
  return [...new Set([...lately, ...inTurn])]
}

type Etape = Readonly<Record<'code' | 'titre' | 'thematique' | 'administration' | 'reference', string | null>>
/** Two references say two requests; what is masked is like nothing else. */
const memeDemande = (one: Etape, other: Etape) =>
  one.titre !== null &&
  (one.code ?? one.titre) === (other.code ?? other.titre) &&
  one.thematique === other.thematique &&
  one.administration === other.administration &&
  (!one.reference || !other.reference || one.reference === other.reference)

type Notee = { correction: { annulee: boolean } | null }
/** Without what was noted by mistake. */
export const faites = <D extends Notee>(demarches: readonly D[]): D[] =>
  demarches.filter(({ correction }) => !correction?.annulee)

/** Where each request stands: of those noted several times, the latest. `demarches`: latest first. */
export const derniersEtats = <D extends Etape & Notee>(demarches: readonly D[]): D[] =>
  faites(demarches).filter((one, index, done) => !done.slice(0, index).some((later) => memeDemande(one, later)))

type AFaire = { etapeQuoi: string | null; etapeQui: EtapeQui | null; resultat: Resultat }
const FINIE: readonly Resultat[] = ['terminee', 'refusee', 'abandonnee']
/**
 * What nobody but the person does any more once she stops: hers, and what the aidant had still to do. Another act of the same request leaves a step as
 * it is, unless it says it again or that the request is over: two acts of one title may be two requests. `demarches`: latest first.
 */
export const etapesRestantes = <D extends Etape & Notee & AFaire>(demarches: readonly D[]): D[] =>
  faites(demarches).filter(
    ({ etapeQuoi, etapeQui, resultat, ...one }, index, done) =>
      (etapeQuoi === null ? resultat === 'a_faire_par_la_personne' : etapeQui !== 'administration') &&
      !done
        .slice(0, index)
        .some(
          (later) =>
            memeDemande(one, later) && (etapeQuoi === null || later.etapeQuoi === etapeQuoi || FINIE.includes(later.resultat)),
        ),
  )

const LATE_MS = 24 * 3600 * 1000

/**
 * What an act is, from the autorisation of its thématique and its two times: outside the autorisation's life (or inside a pause) it is
 * `hors_mandat`; inside, but noted once that life or the day is over, `apres_coup`. The database's trigger decides the same.
 */
export function kindOf(autorisation: Autorisation | undefined, doneAt: Date, recordedAt: Date): Kind {
  const inForce = (at: Date) =>
    autorisation !== undefined && autorisation.signedAt <= at && etatAutorisation(autorisation, at).etat === 'actif'
  if (!inForce(doneAt)) return 'hors_mandat'
  return inForce(recordedAt) && recordedAt.getTime() - doneAt.getTime() <= LATE_MS ? 'reguliere' : 'apres_coup'
}

export type DemarcheRefusal =
  | 'introuvable'
  | 'demarche_inconnue'
  | 'sans_titre'
  | 'done_at_futur'
  | 'montant_sans_presence'
  | 'ensemble_sans_elle'
  | 'hors_mandat'

/**
 * Why this démarche cannot be recorded under this mandat. `hors_mandat` comes last: alone it means that all the rest is right, and that
 * the act may be recorded as one done outside the mandat, with its reason.
 */
export function refusalOf(
  mandat: object | undefined,
  autorisations: readonly Autorisation[],
  demarche: Pick<NewDemarche, 'thematique' | 'code' | 'titre' | 'nature' | 'mode' | 'presence' | 'doneAt' | 'montantCentimes'>,
  now: Date,
): DemarcheRefusal | undefined {
  const { thematique, code, titre, doneAt } = demarche
  if (!mandat) return 'introuvable'
  if (!titre.trim()) return 'sans_titre'
  if (code != null) {
    // The code decides what is masked: it may not be that of another démarche than the one named.
    const item = demarcheDuCatalogue(code)
    if (item?.thematique !== thematique || item.libelle !== titre) return 'demarche_inconnue'
  }
  if (doneAt && doneAt > now) return 'done_at_futur'
  const refusal = refusalOfFaits(demarche)
  if (refusal) return refusal
  const autorisation = autorisations.find((one) => one.thematique === thematique)
  return kindOf(autorisation, doneAt ?? now, now) === 'hors_mandat' ? 'hors_mandat' : undefined
}

/** What an act cannot have been, whenever it is said. */
export function refusalOfFaits({
  nature,
  mode,
  presence,
  montantCentimes,
}: Pick<NewDemarche, 'nature' | 'mode' | 'presence' | 'montantCentimes'>) {
  // No payment while the person is absent: she types her own card.
  if ((nature === 'paiement' || montantCentimes != null) && presence !== 'presente') return 'montant_sans_presence'
  // Told of it she may take part from afar; absent without knowing, she did nothing of it.
  if (mode !== 'a_sa_place' && presence === 'absente') return 'ensemble_sans_elle'
  return undefined
}

type Corrigible = { aidantId: string; reclamation: boolean; correction: { parDirection: boolean } | null }
/** Who corrects an act: its author, until the direction has, who may be answering what the person complained of; the direction, but a complaint. */
export const peutCorriger = (
  { aidantId, reclamation, correction }: Corrigible,
  { id, referent }: { id: string; referent: boolean },
) => (aidantId === id ? !correction?.parDirection : referent && !reclamation)

const isReclamation = (item: CatalogueItem) => item.alertes.includes('reclamation')
/** Where the catalogue knows a démarche sensitive by its subject (health, penal, residence, debt). */
const DELICATES: ReadonlySet<Thematique> = new Set(
  CATALOGUE.filter((item) => item.sensible && !isReclamation(item)).map((item) => item.thematique),
)

/**
 * Who may read its title. A free title cannot be judged by a machine: it is held sensitive in every thématique where a sensitive démarche
 * exists. A complaint is seen by the person and its author only, whether the catalogue or its nature says it is one.
 */
export function discretion({ code, thematique, nature }: Pick<NewDemarche, 'code' | 'thematique' | 'nature'>): {
  sensible: boolean
  reclamation: boolean
} {
  const item = code == null ? undefined : demarcheDuCatalogue(code)
  const reclamation = nature === 'reclamation' || (item !== undefined && isReclamation(item))
  return { sensible: reclamation || (item ? item.sensible : DELICATES.has(thematique)), reclamation }
}
