// Écrit par npm run generate depuis le catalogue de la base ; ne pas modifier à la main.

/** Journal technique des accès, douze mois, montré à la personne ; jamais mêlé au journal des démarches */
export type AccesRow = {
  id: number
  at: Date
  genre:
    | 'connexion'
    | 'deconnexion'
    | 'changement_structure'
    | 'dossier_consulte'
    | 'demarche_consultee'
    | 'mandat_consulte'
    | 'espace_ouvert_par_code'
    | 'code_prive_remplace'
    | 'code_prive_annule'
    | 'code_prive_bloque'
  aidantId: string | null
  structureId: string | null
  autreStructureId: string | null
  usagerId: string | null
}

/** Professionnel habilité ; agit pour une structure, jamais pour lui-même */
export type AidantRow = {
  id: string
  email: string
  prenom: string
  nom: string
  cguVersion: number | null
  cguAcceptedAt: Date | null
  createdAt: Date
  suspendedAt: Date | null
  proconnectSub: string | null
}

/** Moyen de connexion que l’aidant a demandé, second facteur à l’appui, et qui reste à associer : dans sa session, une fois, quinze minutes */
export type AjoutRow = {
  id: string
  aidantId: string
  sessionId: string
  genre: 'totp' | 'cle_acces'
  nom: string
  defi: Buffer
  createdAt: Date
}

/** Arrêt demandé par la personne et enregistré par un aidant, ou par l’exploitant quand il est arrivé au service : comment et quand */
export type ArretRecuRow = {
  autorisationId: string
  mandatId: string
  structureId: string
  usagerId: string
  aidantId: string | null
  maniere: 'bulletin' | 'courrier' | 'telephone' | 'visite' | 'email'
  recuLe: Date
  recordedAt: Date
  journalId: number
}

/** Une thématique d’un mandat : l’unité accordée, utilisée, suspendue, révoquée */
export type AutorisationRow = {
  id: string
  mandatId: string
  structureId: string
  usagerId: string
  thematique:
    | 'papiers'
    | 'famille'
    | 'social'
    | 'travail'
    | 'logement'
    | 'transports'
    | 'argent'
    | 'justice'
    | 'etranger'
    | 'loisirs'
  signedAt: Date
  expiresAt: Date
  journalId: number
  revokedAt: Date | null
  revokedHow: 'revoque' | 'remplace' | 'renonce' | 'deces' | 'protection' | 'structure_fermee' | null
  revokedJournalId: number | null
}

/** L’état de chaque thématique, à l’heure de la base */
export type AutorisationEtatRow = {
  id: string
  mandatId: string
  structureId: string
  usagerId: string
  thematique:
    | 'papiers'
    | 'famille'
    | 'social'
    | 'travail'
    | 'logement'
    | 'transports'
    | 'argent'
    | 'justice'
    | 'etranger'
    | 'loisirs'
  signedAt: Date
  expiresAt: Date
  revokedAt: Date | null
  revokedHow: 'revoque' | 'remplace' | 'renonce' | 'deces' | 'protection' | 'structure_fermee' | null
  etat: 'termine' | 'expire' | 'suspendu' | 'actif'
}

/** Mandat en préparation ; l’identité n’y reste que trente minutes, les choix vingt-quatre heures ; un refus efface tout */
export type BrouillonRow = {
  id: string
  structureId: string
  aidantId: string
  usagerId: string | null
  perimetre: (
    | 'papiers'
    | 'famille'
    | 'social'
    | 'travail'
    | 'logement'
    | 'transports'
    | 'argent'
    | 'justice'
    | 'etranger'
    | 'loisirs'
  )[]
  duree: 'jour' | 'mois' | 'trimestre' | 'semestre' | 'an' | null
  conditions: string | null
  identite: unknown
  idToken: string | null
  jwksId: string | null
  authTime: Date | null
  identifiedAt: Date | null
  granted: string[] | null
  accordAt: Date | null
  dernierJour: string | null
  suivi: 'email' | 'sms' | 'papier' | null
  contact: string | null
  createdAt: Date
  updatedAt: Date
  contactProuveAt: Date | null
  contactPartage: boolean
  contactLecteur: 'personne' | 'famille' | 'proche' | 'professionnel' | 'ne_sait_pas' | null
}

/** Contact qui attend le code envoyé là-bas : dix minutes, trois essais, un à la fois pour la personne, et pour chaque aidant dans chaque structure ; effacé dès qu’il a servi */
export type ChangementContactRow = {
  id: string
  usagerId: string
  aidantId: string | null
  structureId: string | null
  suivi: 'email' | 'sms'
  contact: string
  partage: boolean
  code: Buffer
  essais: number
  messageCle: string
  createdAt: Date
}

/** Clés publiques de scellement publiées ; jamais de clé privée en base */
export type CleRow = {
  kid: string
  jwk: unknown
  createdAt: Date
  journalId: number
  coupure: number | null
  coupureJournalId: number | null
}

/** Code et lien envoyés à la connexion ; même ligne pour une adresse inconnue, sans aidant */
export type CodeConnexionRow = {
  id: string
  navigateur: Buffer
  aidantId: string | null
  code: Buffer
  lien: Buffer
  essais: number
  suite: string | null
  createdAt: Date
  usedAt: Date | null
  secours: boolean
}

/** Code envoyé à la personne pour prouver son contact : un à la fois, dix minutes, trois essais ; effacé dès qu’il a servi */
export type CodeContactRow = {
  brouillonId: string
  code: Buffer
  essais: number
  messageCle: string
  createdAt: Date
}

/** Code à six chiffres envoyé au contact prouvé d’une personne, pour arrêter depuis un espace ouvert avec son papier */
export type CodePreuveRow = {
  id: string
  sessionId: string
  code: Buffer
  essais: number
  createdAt: Date
  usedAt: Date | null
}

/** Empreinte, sous clé, du code privé imprimé pour la personne ; pour chaque structure un seul sert, le dernier */
export type CodePriveRow = {
  id: string
  usagerId: string
  structureId: string | null
  mandatId: string | null
  empreinte: Buffer
  journalId: number | null
  createdAt: Date
  replacedAt: Date | null
}

/** Années de naissance fausses essayées avec un code privé, en tout ; à quinze il ne sert plus, et cela se dit */
export type CodePriveEssaiRow = {
  codePriveId: string
  faux: number
  bloqueAt: Date | null
  ditAt: Date | null
}

/** Codes de secours qui restent à un aidant, effacés en servant ; seule une empreinte sous le secret du service est gardée */
export type CodeSecoursRow = {
  aidantId: string
  empreinte: Buffer
  createdAt: Date
}

/** Empreinte du code imprimé sur un mandat ; écrite à la signature, lue par la seule fonction verifie() */
export type CodeVerificationRow = {
  mandatId: string
  empreinte: Buffer
}

/** Aller-retour d’identification en attente : un navigateur, une fois, trente minutes */
export type ConnexionRow = {
  id: string
  fournisseur: 'franceconnect' | 'proconnect'
  but: 'mandat' | 'espace' | 'telephone' | 'reunion' | 'aidant' | 'signature' | 'confirmation'
  etat: Buffer
  navigateur: Buffer
  nonce: string
  brouillonId: string | null
  createdAt: Date
  usedAt: Date | null
  telephoneId: string | null
  suite: string | null
  sessionId: string | null
  objet: Buffer | null
}

/** La personne n’est pas d’accord avec un acte : ce qu’elle en dit, et la réponse de la structure ; les mots sont au journal, effaçables */
export type ContestationRow = {
  id: string
  demarcheId: string
  mandatId: string
  structureId: string
  usagerId: string
  motif: 'pas_demande' | 'pas_au_courant' | 'inexact' | 'autre'
  contestedAt: Date
  journalId: number
  aidantId: string | null
  maniere: 'bulletin' | 'courrier' | 'telephone' | 'visite' | 'email' | null
  recuLe: Date | null
  auteurSeul: boolean
  reponse: 'corrigee' | 'reconnue' | 'maintenue' | null
  answeredAt: Date | null
  answeredBy: string | null
  answeredJournalId: number | null
}

/** Un acte corrigé, ou noté par erreur : s’ajoute à ce qui était noté, qui reste lisible ; les mots sont au journal, effaçables */
export type CorrectionRow = {
  id: string
  demarcheId: string
  mandatId: string
  structureId: string
  usagerId: string
  aidantId: string
  annulee: boolean
  resultat: 'deposee' | 'terminee' | 'en_attente' | 'bloquee' | 'refusee' | 'abandonnee' | 'a_faire_par_la_personne'
  correctedAt: Date
  journalId: number
}

/** Ce qu’une clé d’accès doit signer, effacé en servant : cinq minutes. Pour qui : empreinte d’un navigateur à la connexion, ou d’une session et de ce qu’elle confirme */
export type DefiRow = {
  pour: Buffer
  aidantId: string | null
  defi: Buffer
  createdAt: Date
}

/** Un acte fait au nom de la personne ; deux heures : celle dite par l’aidant, celle de la base */
export type DemarcheRow = {
  id: string
  mandatId: string
  structureId: string
  usagerId: string
  aidantId: string
  genre: 'reguliere' | 'apres_coup' | 'hors_mandat'
  thematique:
    | 'papiers'
    | 'famille'
    | 'social'
    | 'travail'
    | 'logement'
    | 'transports'
    | 'argent'
    | 'justice'
    | 'etranger'
    | 'loisirs'
  sensible: boolean
  reclamation: boolean
  nature:
    | 'demande'
    | 'renouvellement'
    | 'declaration'
    | 'changement_de_situation'
    | 'consultation'
    | 'suivi'
    | 'reclamation'
    | 'paiement'
    | 'prise_de_rendez_vous'
    | 'creation_de_compte'
  mode: 'avec_la_personne' | 'a_sa_place' | 'seule_avec_appui'
  presence: 'presente' | 'absente_prevenue' | 'absente'
  canal: 'en_ligne_franceconnect' | 'en_ligne_autre' | 'telephone' | 'courrier' | 'guichet' | 'email' | 'visio' | 'messagerie'
  doneAt: Date
  recordedAt: Date
  dureeMinutes: 5 | 15 | 30 | 45 | 60 | 90 | 120 | null
  resultat: 'deposee' | 'terminee' | 'en_attente' | 'bloquee' | 'refusee' | 'abandonnee' | 'a_faire_par_la_personne'
  motifBlocage:
    | 'site_indisponible'
    | 'compte_impossible'
    | 'piece_manquante'
    | 'identite_non_reconnue'
    | 'pas_d_interlocuteur'
    | 'delai_anormal'
    | 'langue'
    | 'autre'
    | null
  envoi: string
  journalId: number
}

/** Les mots d’une démarche : titre, référence, note ; effaçables après conservation */
export type DemarcheContenuRow = {
  demarcheId: string
  structureId: string
  usagerId: string
  genre: 'reguliere' | 'apres_coup' | 'hors_mandat'
  code: string | null
  titre: string
  administration: string | null
  reference: string | null
  montantCentimes: number | null
  etapeQuoi: string | null
  etapeQui: 'personne' | 'aidant' | 'administration' | null
  etapeQuand: string | null
  orientation: string | null
  note: string | null
  motifHorsMandat: string | null
}

/** Une structure connaît une personne */
export type DossierRow = {
  structureId: string
  usagerId: string
  tri: string
  naissance: string
  createdAt: Date
  archivedAt: Date | null
}

/** Mots du nom d’une personne, sans accents, pour la retrouver dans sa structure */
export type DossierMotRow = {
  structureId: string
  usagerId: string
  mot: string
  tri: string
  cle: string
}

/** Moyen de connexion d’un aidant : secret d’application chiffré, ou clé publique d’une clé d’accès */
export type FacteurRow = {
  id: string
  aidantId: string
  genre: 'totp' | 'cle_acces'
  secret: Buffer | null
  dernierPas: number
  createdAt: Date
  removedAt: Date | null
  nom: string | null
  usedAt: Date | null
  cleId: Buffer | null
  clePublique: Buffer | null
}

/** Droit d’un aidant d’agir pour une structure ; fin datée, jamais effacée */
export type HabilitationRow = {
  aidantId: string
  structureId: string
  referent: boolean
  createdAt: Date
  endedAt: Date | null
  ouverteAt: Date
  alerteAt: Date | null
}

/** Décalage de l’horloge pour les essais et la démonstration ; vide de sens et jamais modifiable par l’application en production */
export type HorlogeReglageRow = {
  seul: boolean
  decalage: string
  fige: Date | null
}

/** Lien envoyé par un référent pour rejoindre sa structure ou associer un nouveau second facteur : sept jours, une fois ; effacé un mois après */
export type InvitationRow = {
  id: string
  structureId: string
  invitePar: string
  genre: 'arrivee' | 'facteur'
  email: string
  prenom: string
  nom: string
  aidantId: string | null
  jeton: Buffer
  sentAt: Date
  cancelledAt: Date | null
  usedAt: Date | null
  usedXid: string | null
}

/** Journal : une ligne par fait de droit, jamais modifiée ni effacée, sans nom ni texte libre */
export type JournalRow = {
  id: number
  xid: string
  at: Date
  action:
    | 'mandat_signe'
    | 'autorisation_remplacee'
    | 'autorisation_revoquee'
    | 'autorisation_suspendue'
    | 'autorisation_retablie'
    | 'mandat_termine'
    | 'mandat_expire'
    | 'demarche_realisee'
    | 'demarche_corrigee'
    | 'acte_hors_mandat'
    | 'demarche_contestee'
    | 'contestation_repondue'
    | 'session_deleguee'
    | 'attestation_imprimee'
    | 'identite_modifiee'
    | 'contact_modifie'
    | 'dossier_ouvert'
    | 'export'
    | 'structure_ajoutee'
    | 'structure_modifiee'
    | 'aidant_ajoute'
    | 'aidant_suspendu'
    | 'aidant_retabli'
    | 'cle_publiee'
    | 'jwks_archive'
    | 'donnees_effacees'
    | 'restauration'
    | 'cle_compromise'
    | 'arret_recu'
  acteur: 'usager' | 'aidant' | 'systeme' | 'operateur'
  acteurId: string | null
  structureId: string | null
  usagerId: string | null
  mandatId: string | null
  mandatSeq: number | null
  cibleAidantId: string | null
  entry: Buffer
  commitment: Buffer
}

/** Qui range le journal dans l’arbre, jusqu’à quand, et jusqu’où c’est fait ; une seule ligne */
export type JournalBailRow = {
  seul: boolean
  titulaire: string | null
  epoch: number
  jusquA: Date | null
  horizon: string
}

/** Dernier numéro de ligne de chaque mandat, sans trou */
export type JournalCompteurRow = {
  mandatId: string
  seq: number
}

/** Contenu effaçable d’une ligne : les faits en JCS et le sel de leur engagement */
export type JournalContenuRow = {
  journalId: number
  structureId: string | null
  usagerId: string | null
  sensible: boolean
  payload: string | null
  salt: Buffer | null
}

/** Place de chaque ligne du journal dans l’arbre, et l’empreinte de ses octets */
export type JournalFeuilleRow = {
  leafIndex: number
  journalId: number
  epoch: number
  hash: Buffer
}

/** Points de contrôle signés : la taille du journal et la racine de l’arbre à un moment */
export type JournalPointRow = {
  taille: number
  racine: Buffer
  epoch: number
  note: string
  createdAt: Date
}

/** Signatures des témoins : un tiers a vu le journal à cette taille, et qu’il ne faisait que s’allonger */
export type JournalTemoignageRow = {
  taille: number
  temoin: string
  ligne: string
  vuAt: Date
}

/** Tuiles pleines de l’arbre : 256 empreintes, et la racine de ce qu’elles couvrent */
export type JournalTuileRow = {
  niveau: number
  numero: number
  hashes: Buffer
  racine: Buffer
}

/** Clés publiques du fournisseur d’identité, archivées le jour où elles ont servi */
export type JwksArchiveRow = {
  id: string
  fournisseur: string
  jwks: string
  seenAt: Date
  journalId: number
}

/** Compteurs des limites d’usage, clés hachées */
export type LimiteRow = {
  cle: Buffer
  debut: Date
  compte: number
  fin: Date
}

/** Accord d’une personne : une structure peut faire certaines démarches jusqu’à une date */
export type MandatRow = {
  id: string
  structureId: string
  usagerId: string
  aidantId: string
  duree: 'jour' | 'mois' | 'trimestre' | 'semestre' | 'an'
  niveau: 'franceconnect' | 'papier'
  signedAt: Date
  expiresAt: Date
  statutBloc: number
  journalId: number
  endedAt: Date | null
  endedHow: 'revoque' | 'remplace' | 'renonce' | 'deces' | 'protection' | 'structure_fermee' | null
  endedJournalId: number | null
}

/** Ce qui a été accepté, mot pour mot, et sa preuve ; effaçable après conservation */
export type MandatContenuRow = {
  mandatId: string
  structureId: string
  usagerId: string
  sceau: string
  conditions: string
  idToken: string
  jwksId: string
  texte: string
  identite: unknown
  structure: unknown
  aidant: unknown
  accord: unknown
}

/** L’unique définition de l’état d’un mandat : actif, suspendu, expire, termine */
export type MandatEtatRow = {
  id: string
  structureId: string
  usagerId: string
  aidantId: string
  duree: 'jour' | 'mois' | 'trimestre' | 'semestre' | 'an'
  niveau: 'franceconnect' | 'papier'
  signedAt: Date
  expiresAt: Date
  statutBloc: number
  endedAt: Date | null
  endedHow: 'revoque' | 'remplace' | 'renonce' | 'deces' | 'protection' | 'structure_fermee' | null
  etat: 'termine' | 'expire' | 'suspendu' | 'actif'
}

/** Messages écrits dans la transaction de leur fait, envoyés ensuite ; un seul par clé */
export type MessageRow = {
  id: string
  cle: string
  canal: 'email' | 'sms'
  destinataire: string
  sujet: string | null
  corps: string
  createdAt: Date
  dueAt: Date
  tries: number
  sentAt: Date | null
  failedAt: Date | null
  fuseau: string | null
  atOnce: boolean
  chemin: string | null
}

/** Migrations appliquées et empreinte de leur fichier ; une migration appliquée ne change plus */
export type MigrationRow = {
  name: string
  sha256: string
  appliedAt: Date
}

/** Ouverture d’un dossier par le référent, avec son motif, visible de la personne ; vaut quinze minutes */
export type OuvertureRow = {
  id: string
  aidantId: string
  structureId: string
  usagerId: string
  motif: 'demande_de_la_personne' | 'reclamation' | 'controle' | 'depart_aidant' | 'urgence' | 'autre'
  openedAt: Date
  journalId: number
}

/** Nouvelle à remettre sur papier à qui a choisi le papier, ou dont d’autres lisent le contact ; effacée trente jours après sa remise */
export type PapierDuRow = {
  id: string
  mandatId: string
  structureId: string
  usagerId: string
  quoi: 'signe' | 'arret' | 'pause' | 'reprise' | 'code'
  createdAt: Date
  remisAt: Date | null
  remisPar: string | null
  annuleAt: Date | null
  annulePar: string | null
}

/** Rappel de la fin prochaine d’un mandat : un seul par mandat */
export type RappelRow = {
  mandatId: string
  structureId: string
  usagerId: string
  at: Date
}

/** Session d’un aidant ou d’une personne ; seule l’empreinte du jeton est gardée */
export type SessionRow = {
  id: string
  jeton: Buffer
  aidantId: string | null
  structureId: string | null
  usagerId: string | null
  createdAt: Date
  lastSeenAt: Date
  endedAt: Date | null
  niveau: 'identite' | 'code_prive' | 'contact_prouve'
  prouveAt: Date | null
  codePriveId: string | null
  proconnectIdToken: string | null
  proconnectAuthAt: Date | null
  appareil: string | null
  reseau: Buffer | null
  confirmeAt: Date | null
  jetonsAvant: Buffer[]
}

/** Organisme mandataire ; frontière d’isolement */
export type StructureRow = {
  id: string
  nom: string
  siret: string
  adresse: string
  telephone: string
  fuseau: string
  thematiquesDesactivees: (
    | 'papiers'
    | 'famille'
    | 'social'
    | 'travail'
    | 'logement'
    | 'transports'
    | 'argent'
    | 'justice'
    | 'etranger'
    | 'loisirs'
  )[]
  createdAt: Date
  suspendedAt: Date | null
  closedAt: Date | null
}

/** Pause d’une autorisation, par la personne ou le temps d’une contestation */
export type SuspensionRow = {
  id: string
  autorisationId: string
  mandatId: string
  structureId: string
  usagerId: string
  fromAt: Date
  untilAt: Date | null
  journalId: number
  untilJournalId: number | null
  aidantId: string | null
  maniere: 'bulletin' | 'courrier' | 'telephone' | 'visite' | 'email' | null
  contestationId: string | null
}

/** Identification sur le téléphone de la personne ; l’identité y attend trente minutes au plus que son code soit lu à l’aidant */
export type TelephoneRow = {
  id: string
  brouillonId: string
  jeton: Buffer
  nonce: string
  navigateur: Buffer | null
  usedAt: Date | null
  identite: unknown
  idToken: string | null
  jwksId: string | null
  authTime: Date | null
  identifiedAt: Date | null
  essais: number
  createdAt: Date
}

/** Personne qui donne mandat ; une ligne par identifiant FranceConnect, commune à toutes les structures */
export type UsagerRow = {
  id: string
  sub: string | null
  prenoms: string[] | null
  nomNaissance: string | null
  nomUsage: string | null
  birthdate: string | null
  birthplace: string | null
  birthcountry: string | null
  email: string | null
  telephone: string | null
  suivi: 'email' | 'sms' | 'papier'
  createdAt: Date
  refreshedAt: Date
  emailProuveAt: Date | null
  telephoneProuveAt: Date | null
  contactLecteur: 'personne' | 'famille' | 'proche' | 'professionnel' | 'ne_sait_pas' | null
  erasedAt: Date | null
  personneId: string
  personnesAvant: string[]
  reunionRefuseeAt: Date | null
}
