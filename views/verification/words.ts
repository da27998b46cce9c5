import type { AttestationReason } from '../../src/verification/attestation.ts'
import type { CodeRefusal } from '../../src/verification/check-code.ts'
import { html, type Words } from '../kit/html.ts'

/** What `public/v.js` may conclude; each is a part of the page that it shows. */
type Verdict =
  | 'en_cours'
  | 'en_cours_garde'
  | 'en_pause'
  | 'arrete'
  | 'theme_arrete'
  | 'expire'
  | 'statut_ancien'
  | 'statut_inconnu'
  | 'horloge'
  | 'sans_papier'
  | 'sans_cles'
  | 'navigateur'
  | 'sceau_coupe'
  | AttestationReason

type Kind = 'success' | 'warning' | 'refused' | 'info'
const FAUX =
  'Ne l’acceptez pas. Si le papier a l’air vrai, tapez plutôt le code imprimé dessus : une photo floue ou un papier abîmé se lisent mal.'

export const VERDICT = {
  en_cours: {
    kind: 'success',
    titre: 'Ce papier est authentique, et le mandat est en cours',
    texte: 'Seulement pour les thèmes marqués « En cours » ci-dessous.',
  },
  /** As it was kept: nothing could be asked now. */
  en_cours_garde: {
    kind: 'success',
    titre: html`Ce papier est authentique, et le mandat était en cours <span data-fait="quand"></span> (sans réseau)`,
    texte:
      'Ce téléphone n’a pas pu demander le statut de maintenant : le mandat a pu être arrêté depuis. Seulement pour les thèmes marqués « En cours » ci-dessous.',
  },
  en_pause: {
    kind: 'warning',
    titre: 'Ce papier est authentique, mais le mandat est en pause',
    texte: 'La personne l’a mis en pause : il ne permet rien pour le moment.',
  },
  arrete: {
    kind: 'refused',
    titre: 'Ce papier est authentique, mais le mandat est arrêté',
    texte: 'Il ne permet plus rien. Ne l’acceptez pas.',
  },
  /** A paper of one thématique: the mandat may go on for others. */
  theme_arrete: {
    kind: 'refused',
    titre: 'Ce papier est authentique, mais ce qu’il dit est arrêté',
    texte: 'La structure n’a plus le droit d’agir pour ce thème. N’acceptez pas ce papier.',
  },
  expire: {
    kind: 'refused',
    titre: 'Ce papier est authentique, mais le mandat est arrivé à sa fin',
    texte: 'Il ne permet plus rien. Ne l’acceptez pas.',
  },
  statut_ancien: {
    kind: 'warning',
    titre: 'Ce papier est authentique, mais on ne sait pas si le mandat est encore en cours',
    texte:
      'Le dernier statut connu de ce téléphone a plus de 24 heures : le mandat a pu être arrêté depuis. Vérifiez à nouveau avec du réseau.',
  },
  statut_inconnu: {
    kind: 'warning',
    titre: 'Ce papier est authentique, mais on ne sait pas si le mandat est encore en cours',
    texte: 'Ce téléphone n’a pas pu connaître le statut du mandat : il a pu être arrêté. Vérifiez à nouveau avec du réseau.',
  },
  horloge: {
    kind: 'warning',
    titre: 'Ce papier est authentique, mais l’heure de ce téléphone semble fausse',
    texte: 'On ne peut donc pas dire si le mandat est en cours. Mettez le téléphone à l’heure, puis vérifiez à nouveau.',
  },
  sans_papier: {
    kind: 'info',
    titre: 'Photographiez le QR du papier',
    texte: 'Avec l’appareil photo de ce téléphone. Cette page marchera ensuite sans réseau.',
  },
  sans_cles: {
    kind: 'warning',
    titre: 'Ce papier n’a pas pu être vérifié',
    texte:
      'Il manque à ce téléphone de quoi le vérifier sans réseau. Cela ne dit pas qu’il est faux : recommencez avec du réseau.',
  },
  navigateur: {
    kind: 'warning',
    titre: 'Ce navigateur ne peut pas vérifier le papier',
    texte: 'Il est trop ancien, ou une erreur est survenue. Cela ne dit pas que le papier est faux.',
  },
  illisible: { kind: 'refused', titre: 'Ce n’est pas un papier de ce service', texte: FAUX },
  algorithme_refuse: {
    kind: 'refused',
    titre: 'Ce papier est faux : sa signature n’est pas d’une sorte acceptée',
    texte: FAUX,
  },
  /** Its signature says nothing more: whoever stole the key signs as well. The code asks the service, which has the journal. */
  cle_compromise: {
    kind: 'warning',
    titre: 'Ce carré ne suffit plus : la clé qui l’a signé a été volée',
    texte:
      'Un faux pourrait porter la même signature. Tapez le code imprimé sur le papier : le service dira si ce mandat est d’avant le vol. Sinon, demandez à la structure de l’imprimer à nouveau.',
  },
  sceau_coupe: {
    kind: 'refused',
    titre: 'Ce mandat ne compte pas',
    texte: 'Il a été scellé avec une clé volée, après le vol. Ne l’acceptez pas.',
  },
  cle_inconnue: { kind: 'refused', titre: 'Ce papier n’a pas été signé par ce service', texte: FAUX },
  signature_fausse: {
    kind: 'refused',
    titre: 'Ce papier est faux : sa signature ne correspond pas à ce qu’il dit',
    texte: FAUX,
  },
  type_inattendu: { kind: 'refused', titre: 'Ce n’est pas l’attestation d’un mandat', texte: FAUX },
  contenu_incomplet: { kind: 'refused', titre: 'Ce papier ne dit pas ce que dit une attestation', texte: FAUX },
} as const satisfies Record<Verdict, { kind: Kind; titre: Words; texte: string }>

export const REFUSAL = {
  papier_inconnu:
    'Aucun mandat n’a ce code avec cette année de naissance. Relisez le papier, et recommencez ; après cinq essais du même code, attendez une heure. Le code de la feuille « Pour vous seulement » n’est pas celui-là : il est à la personne, ne le lui demandez pas.',
} as const satisfies Record<CodeRefusal, string>

export const IDENTITE = 'Demandez une pièce d’identité à qui présente ce papier.'
export const LIBRE = 'Vous n’êtes pas obligé d’accepter.'
/** A code shows the whole mandat: a sheet for one thème carries none (ADR 0015). */
export const SANS_CODE = 'Une fiche « Mandat pour un seul thème » n’a pas de code : demandez le mandat entier.'
