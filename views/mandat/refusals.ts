import type { AccordRefusal } from '../../src/mandat/agree.ts'
import type { AskRefusal } from '../../src/mandat/ask-contact.ts'
import type { ChangeRefusal } from '../../src/mandat/change-contact.ts'
import type { RenewalRefusal } from '../../src/mandat/fin.ts'
import type { JoinRefusal } from '../../src/mandat/join-telephone.ts'
import type { ProveRefusal } from '../../src/mandat/prove-contact.ts'
import type { RetourRefusal } from '../../src/mandat/receive.ts'
import type { RecordPauseRefusal } from '../../src/mandat/record-pause.ts'
import type { RecordStopRefusal } from '../../src/mandat/record-stop.ts'
import type { SendRefusal } from '../../src/mandat/send-code.ts'
import type { SignRefusal } from '../../src/mandat/sign.ts'
import type { Started } from '../../src/mandat/start.ts'
import type { StopRefusal } from '../../src/mandat/stop.ts'

type StartRefusal = Extract<Started, { ok: false }>['refusal']

/** One sentence for each reason a mandat is not made, kept or stopped. */
export const REFUSAL = {
  introuvable: 'Ce mandat en préparation n’existe plus. Vous pouvez en commencer un nouveau.',
  aucune_thematique: 'Aucune thématique n’est cochée : il en faut au moins une.',
  thematique_inconnue: 'Une thématique n’existe pas. Choisissez parmi celles qui sont affichées.',
  thematique_desactivee: 'Votre structure ne propose pas l’une de ces thématiques.',
  duree_inconnue: 'Cette durée n’existe pas. Choisissez parmi celles qui sont affichées.',
  structure_suspendue: 'Votre structure est suspendue : elle ne peut pas recevoir de mandat en ce moment.',
  aidant_suspendu: 'Votre compte est suspendu : parlez-en à votre référent.',
  aidant_hors_structure: 'Vous n’êtes plus habilité pour cette structure : parlez-en à votre référent.',
  cgu_non_acceptees: 'Acceptez d’abord les conditions d’utilisation.',
  protegee:
    'Quelqu’un est officiellement chargé des affaires de cette personne : c’est à lui qu’il faut parler. Aucun mandat n’est possible ici.',
  mineure: 'La personne a moins de 18 ans : aucun mandat n’est possible. Rien n’a été gardé.',
  majorite_incertaine:
    'FranceConnect ne donne pas sa date de naissance complète : nous ne pouvons pas savoir si elle a 18 ans. Aucun mandat n’est possible ici. Rien n’a été gardé.',
  aidant_lui_meme: 'La personne identifiée, c’est vous : on ne se donne pas mandat à soi-même. Rien n’a été gardé.',
  identite_absente:
    'La personne ne s’est pas encore identifiée, ou c’était il y a plus de trente minutes. Recommencez son identification : vos choix sont gardés.',
  connexion_perimee:
    'Plus de trente minutes ont passé depuis son identification : il faut la recommencer. Vos choix sont gardés.',
  pas_redit: 'Cochez la case quand la personne a redit avec ses mots ce qu’elle accepte.',
  perimetre_elargi:
    'On ne peut pas ajouter de thématique après l’identification : changez les choix, puis la personne s’identifie à nouveau.',
  phrase_a_relire:
    'La phrase a changé : relisez-la ensemble. La personne la redit avec ses mots, puis choisit à nouveau l’un des deux boutons.',
  contact_manquant: 'Il manque l’adresse ou le numéro où prévenir la personne.',
  contact_aidant: 'Cette adresse est la vôtre : indiquez celle de la personne, ou choisissez le papier.',
  contact_structure:
    'Cette adresse est celle d’un professionnel de votre structure : indiquez celle de la personne, ou choisissez le papier.',
  contact_non_prouve:
    'Le numéro ou l’adresse de la personne n’est pas encore vérifié : tapez le code reçu, ou choisissez le papier.',
  trop_de_codes: 'Trop de codes ont été envoyés : attendez un quart d’heure, ou choisissez le papier.',
  plus_de_sms:
    'Plus aucun SMS ne peut partir aujourd’hui, vers ce numéro ou d’ici. L’accord est gardé : continuez sur papier, ou relisez-le pour donner une adresse e-mail.',
  code_contact_faux: 'Ce code n’est pas celui qui a été envoyé. Relisez-le ensemble.',
  code_contact_perime:
    'Ce code ne sert plus : il dure dix minutes, pour trois essais. Envoyez-en un autre, ou choisissez le papier.',
  code_contact_refuse: 'Ce n’est pas le bon code, ou il ne sert plus : il dure dix minutes, pour trois essais.',
  lecteur_manquant: 'Dites qui d’autre lit ces messages.',
  lien_inconnu: 'Cette adresse ne sert plus : elle dure dix minutes, et ne sert qu’une fois. Rien n’a été changé.',
  code_telephone_faux:
    'Ce n’est pas le code affiché sur son téléphone, ou la personne n’a pas fini de s’identifier. Rien n’est relié.',
  code_telephone_perime:
    'Ce code ne sert plus : il dure dix minutes, pour trois essais. Affichez un autre carré : la personne s’identifie à nouveau.',
  accord_absent: 'La personne n’a pas encore donné son accord.',
  second_facteur_refuse:
    'Ce code n’est pas bon, ou il a déjà servi. Attendez que votre application en affiche un nouveau, puis tapez-le. Rien n’est perdu.',
  confirmation_perimee:
    'Ce qui est à signer a changé depuis que vous êtes parti le confirmer. Relisez, puis confirmez à nouveau : rien n’est perdu.',
  fin_enregistree:
    'Depuis son identification, un collègue a enregistré une mesure de protection. Rien n’est signé. Si c’est une erreur, la personne s’identifie à nouveau.',
  protection_notee:
    'Votre structure a noté une mesure de protection : dites si elle a pris fin. Si elle dure, aucun mandat n’est possible.',
  deces_note:
    'Votre structure a enregistré le décès de cette personne : aucun mandat n’est possible ici. Rien n’a été gardé. Si c’est une erreur, une autre structure peut l’aider.',
  preuve_invalide:
    'La preuve de son identification ne correspond pas à ces choix : recommencez son identification. Vos choix sont gardés.',
  deja_termine: 'C’est déjà arrêté.',
  deja_expire: 'Ce mandat est déjà arrivé à sa fin : il n’y a plus rien à arrêter.',
  deja_en_pause: 'C’est déjà en pause.',
  thematique_absente: 'Cette thématique n’est pas dans ce mandat.',
  recu_futur: 'Cette date est à venir : écrivez le jour et l’heure où la demande est arrivée.',
  recu_avant_signature: 'Ce mandat n’était pas encore signé à cette date : la demande concerne peut-être un autre mandat.',
  termine_avant:
    'Ce mandat a été arrêté avant sa fin : il ne se renouvelle pas. Un nouveau mandat reste possible avec la personne.',
  en_pause: 'La personne a mis ce mandat en pause : il ne se renouvelle pas tant que dure cette pause.',
  expire_depuis_un_an: 'Ce mandat est fini depuis plus d’un an : commencez un nouveau mandat.',
  aucune_thematique_proposee: 'Votre structure ne propose plus aucune thématique de ce mandat.',
  renouvellement_elargi: 'Un renouvellement n’ajoute rien : pour une autre thématique, commencez un nouveau mandat.',
  renouvellement_plus_long:
    'Un renouvellement n’est jamais plus long que le mandat d’avant : pour plus longtemps, commencez un nouveau mandat.',
  autre_personne:
    'Pour FranceConnect, ce n’est pas la personne dont vous renouvelez le mandat. De celle qui vient de s’identifier, rien n’a été gardé.',
  annule: 'La personne n’est pas allée au bout de son identification. Vos choix sont gardés.',
  indisponible: 'FranceConnect ne répond pas pour le moment. Vos choix sont gardés : réessayez dans quelques minutes.',
  reponse_incorrecte:
    'La réponse de FranceConnect n’est pas exactement celle attendue : nous l’avons refusée par prudence. Vos choix sont gardés.',
  retour_expire: 'L’identification a pris trop de temps. Vos choix sont gardés : recommencez-la.',
  acr_insuffisant: 'FranceConnect n’a pas confirmé l’identité avec assez de certitude. Vos choix sont gardés.',
  second_facteur_absent: 'L’identification n’a pas utilisé de second facteur. Vos choix sont gardés.',
  identification_ancienne: 'Cette identification date de plus de cinq minutes. Vos choix sont gardés : recommencez-la.',
  prenom_manquant:
    'FranceConnect n’a pas donné le prénom de la personne : aucun mandat ne peut être fait ainsi. Vos choix sont gardés.',
  nom_manquant:
    'FranceConnect n’a pas donné le nom de la personne : aucun mandat ne peut être fait ainsi. Vos choix sont gardés.',
  naissance_manquante:
    'FranceConnect n’a pas donné la date de naissance de la personne : aucun mandat ne peut être fait ainsi. Vos choix sont gardés.',
  identite_invalide: 'L’identité reçue de FranceConnect est illisible. Vos choix sont gardés.',
  choix_changes: 'Les choix ont changé pendant l’identification : elle est à refaire, pour ce qui est choisi maintenant.',
  retour_inconnu: 'Cette page ne mène à aucune identification en attente. Rien n’a été changé.',
  autre_navigateur: 'L’identification a été commencée dans un autre navigateur : elle ne peut finir que là. Rien n’a été changé.',
  deja_utilise: 'Cette identification a déjà été utilisée. Rien n’a été changé.',
  retour_tardif: 'Plus de trente minutes ont passé : recommencez l’identification. Vos choix sont gardés.',
  personne_inconnue: 'Aucun mandat n’est à votre nom ici : ce service n’a rien gardé de votre visite.',
  reunion_refusee:
    'Rien n’est réuni : l’état civil de FranceConnect et celui de la feuille ne sont pas le même, ou la feuille ne sert plus. Rien n’a été changé. Parlez-en à la structure qui vous aide.',
  session_fermee: 'Votre session s’est fermée pendant l’identification. Reconnectez-vous : vos choix sont gardés.',
} as const satisfies Record<
  | SignRefusal
  | AccordRefusal
  | SendRefusal
  | ProveRefusal
  | JoinRefusal
  | RetourRefusal
  | StartRefusal
  | StopRefusal
  | RecordStopRefusal
  | RecordPauseRefusal
  | RenewalRefusal
  | AskRefusal
  | ChangeRefusal,
  string
>
export type Refusal = keyof typeof REFUSAL
export const isRefusal = (word: string): word is Refusal => Object.hasOwn(REFUSAL, word)
