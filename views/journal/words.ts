import type { LineRefusal } from '../../src/journal/proof.ts'
import type { ProveRefusal } from '../../src/journal/prove.ts'
import { perduesDe, type RestaurationDite } from '../../src/journal/restauration.ts'
import type { RestoreRefusal } from '../../src/journal/restore.ts'
import type { Fault, FaultKind, Faults, Verified } from '../../src/journal/verify.ts'
import type { EraseRefusal, MotifEffacement } from '../../src/usager/erase.ts'
import { jourEtHeure, nombre, pluriel } from '../kit/words.ts'

type Told = Omit<Fault, 'kind'>

/** The line that is wrong: « la ligne 12 (rang 11) ». */
const la = ({ ligne, rang }: Told): string =>
  [ligne === undefined ? 'une ligne' : `la ligne ${ligne}`, rang !== undefined && `(rang ${rang})`].filter(Boolean).join(' ')

/** What is wrong, said to a person: one sentence each. */
const FAULT = {
  rang_manquant: ({ rang, ligne }) =>
    `il manque la ligne de rang ${rang}${ligne === undefined ? '' : `, juste après la ligne ${ligne}`} : des lignes ont été retirées ou déplacées.`,
  ligne_effacee: (f) => `${la(f)} a sa place dans l’arbre, et n’existe plus dans le journal : elle a été effacée.`,
  colonnes_changees: (f) =>
    `${la(f)} ne dit plus ce qu’elle disait : une de ses colonnes a changé (action, auteur, heure, personne, mandat ou numéro).`,
  octets_changes: (f) => `${la(f)} a été récrite : ses octets ne sont plus ceux qui ont été rangés dans l’arbre.`,
  octets_illisibles: (f) => `${la(f)} n’est pas écrite comme le service écrit : elle a été récrite ou ajoutée.`,
  contenu_change: (f) => `le contenu de ${la(f)} a changé : il ne correspond plus à l’engagement pris en l’écrivant.`,
  contenu_efface_sans_ligne: (f) => `le contenu de ${la(f)} a été effacé sans la ligne « donnees_effacees » qui doit le dire.`,
  contenu_reste: (f) =>
    `la ligne ${f.ou} dit que les données de cette personne ont été effacées, et le contenu de ${la(f)} est toujours là : l’effacement n’a pas été fait, ou la ligne qui le dit est fausse.`,
  numero_manquant: (f) => `avant ${la(f)}, un numéro du mandat ${f.ou} manque : une ligne de ce mandat a été retirée.`,
  numero_en_double: (f) =>
    `${la(f)} porte un numéro déjà pris, ou qui n’existe pas, dans le mandat ${f.ou} : elle a été ajoutée ou déplacée.`,
  antidatee: (f) => `${la(f)} est datée de bien avant celles qui la précèdent : elle a été ajoutée après coup.`,
  hors_de_l_arbre: (f) => `${la(f)} n’est pas dans l’arbre alors qu’elle devrait y être : elle a été ajoutée après coup.`,
  fait_disparu: (f) => `${la(f)} dit un fait (${f.ou}) que les tables n’ont plus : il a été effacé, déplacé ou défait.`,
  fait_sans_ligne: (f) => `${f.ou} n’a pas de ligne de journal qui le dise : ce fait a été ajouté ou déplacé.`,
  fait_redate: (f) => `${f.ou} n’a plus l’heure que dit ${la(f)}.`,
  parties_changees: (f) => `le mandat ${f.ou} n’est plus entre la personne, la structure et l’aidant que dit ${la(f)}.`,
  perimetre_change: (f) =>
    `les thématiques du mandat ${f.ou} ne sont plus celles que dit ${la(f)} : son périmètre a été élargi, réduit ou remplacé.`,
  dates_changees: (f) => `la durée ou les dates du mandat ${f.ou} ne sont plus celles que dit ${la(f)}.`,
  thematique_changee: (f) =>
    `dans le mandat ${f.ou}, l’arrêt ou la pause que dit ${la(f)} porte maintenant sur une autre thématique.`,
  fait_change: (f) =>
    `dans le mandat ${f.ou}, le fait que dit ${la(f)} a été récrit dans les tables : qui l’a fait, comment, quand, ou ses mots.`,
  cle_changee: (f) =>
    `la clé publique ${f.ou} n’est pas celle que le journal dit publiée, ou sa coupure n’est pas celle qu’il dit${f.ligne === undefined ? '' : ` (${la(f)})`}.`,
  tuile_changee: (f) =>
    `la tuile ${f.ou} de l’arbre n’est plus celle de ces lignes${f.rang === undefined ? '' : ` (à partir du rang ${f.rang})`}.`,
  tuile_manquante: (f) => `la tuile ${f.ou} de l’arbre manque.`,
  point_illisible: (f) => `le point de contrôle ${f.ou} ne se lit pas.`,
  point_non_signe: (f) =>
    `le point de contrôle ${f.ou} n’est pas signé par la clé de ce journal : il a été refait avec une autre clé.`,
  point_change: (f) => `le point de contrôle ${f.ou} ne dit pas la taille ou la racine sous laquelle il est rangé.`,
  racine_differente: (f) =>
    `le point de contrôle ${f.ou} a été signé pour d’autres lignes : une ligne de rang ${f.rang} à ${Number(f.ou) - 1} a changé depuis.`,
  fin_sans_point: (f) => `les lignes à partir du rang ${f.rang} ne sont sous aucun point de contrôle signé.`,
  temoignage_faux: (f) => `une signature de témoin sous le point de contrôle ${f.ou} est fausse.`,
  temoin_illisible: (f) => `ce que le témoin a gardé ne se lit pas, ou n’est signé ni par ce journal ni par lui : ${f.ou}.`,
  temoin_plus_loin: (f) =>
    `un témoin a vu ce journal avec ${f.ou} lignes, et il n’en a plus que ${f.rang} : la fin a été coupée, ou une vieille sauvegarde a pris sa place.`,
  temoin_autre_arbre: (f) =>
    `un témoin a vu, à ${f.ou} lignes, un autre arbre que celui-ci : une ligne de rang ${f.rang} à ${Number(f.ou) - 1} a été récrite, ou deux journaux ont été montrés.`,
  restauration_fausse: (f) =>
    `${la(f)} dit une restauration qui n’est pas celle du journal à cet endroit : elle a été récrite, ajoutée, ou ce qu’elle disait a été retiré.`,
  paquet_illisible: (f) => `le paquet ne se lit pas, à sa ligne ${f.ou}.`,
  paquet_coupe: (f) => `le paquet est coupé, ou des enregistrements y manquent (ligne ${f.ou}).`,
} as const satisfies Record<FaultKind, (fault: Told) => string>

export const faultSentence = ({ kind, ...told }: Fault): string => FAULT[kind](told)

/** All that was found, after the first fault, which is said apart: by kind, as many sentences as are kept, then how many there are. */
export const otherFaults = ([first, ...others]: readonly Faults[]): string[] =>
  [...(first ? [{ ...first, total: first.total - 1, premieres: first.premieres.slice(1) }] : []), ...others].flatMap(
    ({ total, premieres }) => [
      ...premieres.map(faultSentence),
      ...(total > premieres.length ? [`… et ${pluriel(total - premieres.length, 'autre')} du même genre.`] : []),
    ],
  )

/** What a fault kept from being compared; undefined when everything was. */
export const nonCompareSentence = ({ rompu, nonCompares: { points, tuiles, temoins } }: Verified): string | undefined =>
  rompu === undefined
    ? undefined
    : `L’arbre est rompu au rang ${rompu}. Les lignes d’après ont été vérifiées une à une ; n’ont pas pu être comparés à l’arbre : ${pluriel(points, 'point de contrôle', 'points de contrôle')}, ${pluriel(tuiles, 'tuile')}, ${pluriel(temoins, 'point gardé par des témoins', 'points gardés par des témoins')}. Corrigez ou retrouvez ce qui est faux, puis recommencez.`

/** What is kept, and what is lost, said as such. */
export const restaurationSentence = ({ at, avant, nom, vues, tenues, ...rest }: Omit<RestaurationDite, 'ligne'>): string => {
  const perdues = perduesDe({ avant, vues, tenues })
  const vu = vues[avant]
  return [
    `le ${jourEtHeure(at, 'Europe/Paris')}, d’après une sauvegarde${rest.sauvegarde ? ` du ${jourEtHeure(new Date(rest.sauvegarde), 'Europe/Paris')}` : ''} qui tenait ${pluriel(tenues, 'ligne', 'lignes')}.`,
    vu === undefined
      ? 'Aucun témoin n’a été consulté : rien ne dit combien de lignes écrites ensuite sont perdues.'
      : perdues > 0
        ? `Les témoins en avaient vu ${nombre(vu)} : ${perdues > 1 ? `les ${nombre(perdues)} dernières au moins sont perdues` : 'la dernière au moins est perdue'}.`
        : `Les témoins en avaient vu ${nombre(vu)} : aucune de celles-là n’est perdue.`,
    `Depuis, le journal s’appelle ${nom}.`,
  ].join(' ')
}

export const RESTORE_REFUSAL = {
  service_en_marche:
    'Le service est connecté à cette base : arrêtez-le, puis recommencez. Une restauration se dit quand personne n’écrit.',
} as const satisfies Record<RestoreRefusal, string>

export const PROVE_REFUSAL = {
  ligne_inconnue: 'Aucune ligne du journal ne porte ce numéro.',
  pas_encore_rangee:
    'Cette ligne vient d’être écrite et n’a pas encore sa place dans le journal signé : réessayez dans quelques secondes.',
} as const satisfies Record<ProveRefusal, string>

export const PROOF_REFUSAL = {
  preuve_illisible: 'La preuve ne se lit pas.',
  faits_changes: 'Les faits ne sont plus ceux de cette ligne.',
  autre_journal: 'La preuve est celle d’un autre journal.',
  point_non_signe: 'Le point de contrôle de la preuve n’est pas signé par la clé de ce journal.',
  pas_dans_l_arbre: 'La ligne n’est pas dans l’arbre que ce point de contrôle signe.',
} as const satisfies Record<LineRefusal, string>

/** Never « vérifié »: it says nothing of whether what was done was right. `demo`: its witness runs beside the service, and proves nothing. */
export const mentionOf = (depuis: Date, temoigne: boolean, demo = false): string =>
  `Non modifié depuis le ${jourEtHeure(depuis, 'Europe/Paris')}${temoigne ? (demo ? ', le témoin de cette démonstration l’a vu (il ne prouve rien)' : ', un témoin extérieur l’a vu') : ' ; aucun témoin ne l’a encore vu'}. Cela ne dit pas que ce qui a été fait était juste.`

export const MOTIF_EFFACEMENT = {
  conservation: 'six ans ont passé depuis la fin de son dernier mandat',
  demande: 'la personne l’a demandé, et le délégué à la protection des données l’accepte',
  decision: 'la CNIL ou un juge l’a décidé',
  erreur: 'elle a été enregistrée par erreur',
} as const satisfies Record<MotifEffacement, string>

export const ERASE_REFUSAL = {
  personne_inconnue: () => 'Personne, ici, n’a ce numéro, ni un mandat de ce numéro.',
  mandat_en_cours: () =>
    'Cette personne a un mandat en cours : il faut d’abord l’arrêter (elle-même, un aidant qui reçoit sa demande, npm run mandat -- stop si elle est arrivée au service, ou la fermeture de la structure).',
  conservation: (le) =>
    `Ses données se gardent jusqu’au ${jourEtHeure(le!, 'Europe/Paris')}, six ans après la fin de son dernier mandat. Avant, seule une décision du délégué à la protection des données les efface : --motif demande, decision ou erreur.`,
} as const satisfies Record<EraseRefusal, (le: Date | null) => string>
