import { PRUDENCE_AVEC_L_AUTEUR } from '../aidant/messages.ts'
import { oneSms } from '../notification/sms.ts'
import type { Mail, Words } from '../notification/words.ts'
import { parTrois } from '../six-digits.ts'
import { aLaStructure, deLaStructure, laStructure } from '../structure/nom.ts'
import type { Maniere } from './fin.ts'
import type { Fin } from './mandat.ts'
import { jourEcrit as jour } from './texte.ts'

/*
 * The words of what both sides are told. Never a name, a démarche nor a thématique: a telephone or a mailbox is read by others. An SMS holds
 * no accent outside the GSM alphabet, no link, and at most 160 characters.
 */

type Structure = { nom: string; telephone: string; fuseau: string }

/** Who asks that a contact be proven, and for what: an aidant for a mandat, an aidant for a change alone, the person herself. */
export type PourQui = 'mandat' | 'aidant' | 'elle'

const CONSIGNE = {
  mandat: {
    corps: 'Donnez-le seulement si la personne qui vous aide à faire votre mandat est avec vous.',
    sms: 'Donnez-le seulement si la personne qui vous aide est avec vous.',
  },
  aidant: {
    corps: 'Lisez-le à votre aidant seulement si vous lui avez demandé de vous prévenir ici.',
    sms: 'Lisez-le a votre aidant seulement si vous lui avez demande ce changement.',
  },
  elle: {
    corps: 'Tapez-le dans votre espace Trait d’union, pour recevoir vos nouvelles ici. Ne le donnez à personne.',
    sms: 'Tapez-le dans votre espace. Ne le donnez a personne.',
  },
} as const satisfies Record<PourQui, { corps: string; sms: string }>

export function motsDuCode(digits: string, pour: PourQui): Words {
  const code = parTrois(digits)
  return {
    sujet: 'Votre code',
    corps: lettre(
      `Votre code est : ${code}`,
      `${CONSIGNE[pour].corps} Il sert dix minutes, une seule fois.`,
      'Vous n’avez rien demandé ? Ne faites rien : sans ce code, cette adresse ne servira pas.',
    ),
    sms: `Trait d'union : votre code est ${code}. ${CONSIGNE[pour].sms} Il sert dix minutes.`,
  }
}

/**
 * Read perhaps by someone else by now, whom she may have fled: it says nothing of where she is told from now on, nor by whom it was changed; nor of any
 * structure, which that contact may never have heard of.
 */
export function motsDuContactRemplace(canal: 'email' | 'sms'): Words {
  const ici = canal === 'sms' ? 'ce numéro' : 'cette adresse'
  return {
    sujet: 'Nous ne vous prévenons plus ici',
    corps: lettre(
      `Nous ne vous préviendrons plus à ${ici} : cela vient d’être changé, par vous dans votre espace Trait d’union, ou par un aidant à votre demande.`,
      'Vous n’avez rien demandé ? Regardez qui l’a changé, et changez-le à nouveau, dans votre espace, avec FranceConnect : « Mes données », puis « Mes contacts ». Ou demandez à un aidant qui vous accompagne.',
    ),
    sms: "Trait d'union : nous ne vous prevenons plus a ce numero. Ce n'etait pas vous ? Regardez votre espace ou demandez a un aidant qui vous accompagne.",
  }
}

export const motsDuMandat = ({ nom, telephone }: Structure): Words => ({
  sujet: 'Votre mandat commence',
  corps: lettre(
    `Vous venez de donner votre accord : ${laStructure(nom)} peut faire certaines démarches à votre place.`,
    'Vous pouvez lire ce qui est fait et arrêter quand vous voulez, sans dire pourquoi, dans votre espace Trait d’union, avec FranceConnect.',
    `Ce n’était pas vous ? Appelez ${laStructure(nom)} au ${telephone}.`,
  ),
  sms: oneSms(
    aLaStructure(nom),
    (a) =>
      `Trait d'union : vous avez donne mandat ${a}. Vous pouvez arreter quand vous voulez. Ce n'etait pas vous ? ${telephone}`,
  ),
})

export type End = {
  /** `remplace`: by an accord given under her other identity, when she united them. */
  how: Exclude<Fin, 'structure_fermee'>
  at: Date
  mandatEnded: boolean
  /** When it was recorded at her request: by an aidant, or by the operator when it came to the service. */
  receipt?: { maniere: Maniere; recuLe: Date; auService?: boolean }
  /** Démarches done between receipt and recording. */
  signalees?: number
}

export function motsDeLaFin({ nom, telephone, fuseau }: Structure, { how, at, mandatEnded, receipt, signalees = 0 }: End): Words {
  const la = laStructure(nom)
  const depuis = heure(at, fuseau)
  const quoi = mandatEnded ? 'votre mandat' : 'une partie de votre mandat'
  const pourquoi = {
    revoque:
      receipt &&
      `Votre demande d’arrêt, reçue le ${jour(receipt.recuLe, fuseau)}, est enregistrée : l’arrêt est effectif le ${jour(at, fuseau)} à ${depuis}.`,
    renonce: `${majuscule(la)} met fin à votre mandat.`,
    deces: undefined,
    protection: 'Une mesure de protection met fin à votre mandat.',
    remplace: 'Vos deux historiques sont réunis, et vous aviez dit oui deux fois à la même structure pour les mêmes démarches.',
  }[how]
  const faites =
    signalees > 0 &&
    `${signalees === 1 ? 'Une démarche a été faite' : `${signalees} démarches ont été faites`} après la réception de votre demande. Votre espace dit ${signalees === 1 ? 'laquelle' : 'lesquelles'}.`
  return {
    sujet: mandatEnded ? 'C’est arrêté' : 'Une partie est arrêtée',
    corps: lettre(
      pourquoi,
      how === 'remplace'
        ? `Le plus récent continue. L’autre, ${quoi}, est arrêté depuis ${depuis}. Ce n’est pas vous qui les avez réunis ? Appelez ${la} au ${telephone}.`
        : mandatEnded
          ? `C’est arrêté depuis ${depuis} : ${la} n’a plus le droit de continuer vos démarches.`
          : `Une partie de votre mandat est arrêtée depuis ${depuis} : ${la} n’a plus le droit de continuer ces démarches. ${LE_RESTE}`,
      faites,
      'Les demandes déjà envoyées ne sont pas annulées. Vous les retrouvez dans votre espace Trait d’union.',
      RELEVE,
    ),
    // The day too: an SMS of the night leaves the next morning.
    sms: oneSms(
      la,
      receipt
        ? (la) =>
            `Trait d'union : demande recue le ${jourEnChiffres(receipt.recuLe, fuseau)}, arret effectif le ${jourEnChiffres(at, fuseau)} a ${depuis}, mandat${mandatEnded ? '' : ' (une partie)'} avec ${la}. Les demandes envoyees restent.`
        : how === 'remplace'
          ? (la) =>
              `Trait d'union : historiques reunis, le mandat le plus recent avec ${la} continue, l'autre s'arrete. Ce n'est pas vous ? ${telephone}`
          : (la) =>
              `Trait d'union : ${quoi} avec ${la} est ${mandatEnded ? 'arrete' : 'arretee'} depuis ${depuis} le ${jourCourt(at, fuseau)}. Les demandes envoyees ne sont pas annulees.`,
    ),
  }
}

/** Of a part alone: a message names no thématique, and must not let her believe that it is all of it. */
const LE_RESTE = 'Le reste ne change pas. Votre espace Trait d’union dit de quoi il s’agit.'

/** Art. 1993 C. civ.: what was done is accounted for. */
const RELEVE =
  'Vous avez droit au relevé de ce qui a été fait. Imprimez-le depuis votre espace, ou demandez-le sur papier à la structure.'

/** What tells a mandat from another without naming whose it is: when it was signed, and by which aidant. */
export type Signe = { signedAt: Date; prenom: string; nom: string }

/** Last in its e-mail: the address of the mandat follows. */
const lequel = ({ signedAt, prenom, nom }: Signe, fuseau: string) =>
  `C’est le mandat signé le ${jour(signedAt, fuseau)} à ${heure(signedAt, fuseau)} avec ${prenom} ${nom}. Pour le lire, connectez-vous :`

export function motsDeLaFinAuxAidants(
  { nom, fuseau }: Structure,
  quel: Signe,
  { how, at, mandatEnded, receipt, signalees = 0 }: End,
): Mail {
  const depuis = `${jour(at, fuseau)} à ${heure(at, fuseau)}`
  const part = mandatEnded ? 'un mandat' : 'une partie d’un mandat'
  const a = aLaStructure(nom)
  const fait = {
    revoque: receipt
      ? `Le ${depuis}, ${receipt.auService ? 'le service Trait d’union' : 'un collègue'} a enregistré la demande d’une personne d’arrêter ${part} donné ${a}, reçue le ${jour(receipt.recuLe, fuseau)} à ${heure(receipt.recuLe, fuseau)}. L’arrêt est effectif depuis son enregistrement.`
      : `Le ${depuis}, une personne a arrêté ${part} donné ${a}.`,
    renonce: `Le ${depuis}, un mandat donné ${a} a pris fin : la structure y renonce.`,
    deces: `Le ${depuis}, un mandat donné ${a} a pris fin : la personne est décédée.`,
    protection: `Le ${depuis}, un mandat donné ${a} a pris fin : la personne a une mesure de protection.`,
    remplace: `Le ${depuis}, ${part} donné ${a} a pris fin : la personne a réuni deux identités, et un mandat plus récent donné sous l’autre porte les mêmes démarches.`,
  }[how]
  return {
    sujet: mandatEnded ? 'Un mandat est arrêté' : 'Une partie d’un mandat est arrêtée',
    corps: lettre(
      fait,
      signalees > 0 &&
        `${signalees === 1 ? 'Une démarche faite' : `${signalees} démarches faites`} depuis la réception ${signalees === 1 ? 'est signalée' : 'sont signalées'} à la personne et à votre référent, sur la page du mandat.`,
      'Une démarche faite avant cette heure peut encore être notée.',
      how !== 'deces' &&
        how !== 'remplace' &&
        'Il reste à remettre à la personne, ou à qui est chargé de ses affaires, le relevé de ce qui a été fait : la page d’après la fin l’imprime.',
      lequel(quel, fuseau),
    ),
  }
}

export const motsDeLaFermeture = ({ nom, fuseau }: Structure, at: Date): Words => ({
  sujet: 'C’est arrêté',
  corps: lettre(
    `${majuscule(laStructure(nom))} ferme : votre mandat est arrêté depuis le ${jour(at, fuseau)}.`,
    'Les demandes déjà envoyées ne sont pas annulées. Vous les retrouvez dans votre espace Trait d’union.',
    'Vous avez droit au relevé de ce qui a été fait. Imprimez-le depuis votre espace.',
  ),
  sms: oneSms(
    laStructure(nom),
    (la) =>
      `Trait d'union : ${la} ferme, votre mandat est arrete depuis le ${jourCourt(at, fuseau)}. Les demandes envoyees ne sont pas annulees.`,
  ),
})

export const motsDeLaFermetureAuxAidants = ({ nom, fuseau }: Structure, at: Date): Mail => ({
  sujet: 'Les mandats de votre structure sont arrêtés',
  corps: lettre(
    `${majuscule(laStructure(nom))} ferme : les mandats donnés ${aLaStructure(nom)} sont arrêtés depuis le ${jour(at, fuseau)}. Plus personne n’agit en leur nom.`,
    'Les personnes qui ont choisi un e-mail ou un SMS sont prévenues. Prévenez les autres, rendez les papiers, détruisez les copies et les identifiants gardés.',
  ),
})

/** `recorded`: by an aidant, at her request. */
export type Pause = { quoi: 'pause' | 'reprise'; at: Date; whole: boolean; recorded?: boolean }

export function motsDeLaPause({ nom, telephone, fuseau }: Structure, { quoi, at, whole, recorded = false }: Pause): Words {
  const la = laStructure(nom)
  const part = whole ? 'votre mandat' : 'une partie de votre mandat'
  const depuis = heure(at, fuseau)
  const le = jourCourt(at, fuseau)
  return quoi === 'pause'
    ? {
        sujet: whole ? 'C’est en pause' : 'Une partie est en pause',
        corps: lettre(
          recorded && `Votre demande de pause est enregistrée. Ce n’était pas vous ? Appelez ${la} au ${telephone}.`,
          whole
            ? `C’est en pause depuis ${depuis} : ${la} ne fait plus vos démarches pour le moment.`
            : `Une partie de votre mandat est en pause depuis ${depuis} : ${la} ne fait plus ces démarches pour le moment. ${LE_RESTE}`,
          'Vous pouvez remettre en route, ou tout arrêter, quand vous voulez, dans votre espace Trait d’union.',
        ),
        sms: oneSms(
          la,
          (la) => `Trait d'union : ${part} avec ${la} est en pause depuis ${depuis} le ${le}. Vous pouvez changer d'avis.`,
        ),
      }
    : {
        sujet: whole ? 'C’est reparti' : 'Une partie est repartie',
        corps: lettre(
          whole
            ? `Depuis ${depuis}, ${la} peut de nouveau faire vos démarches.`
            : `Une partie de votre mandat n’est plus en pause : depuis ${depuis}, ${la} peut de nouveau faire ces démarches. ${LE_RESTE}`,
          'Ce n’était pas vous ? Vous pouvez arrêter tout de suite dans votre espace Trait d’union.',
        ),
        sms: oneSms(
          la,
          (la) => `Trait d'union : ${part} avec ${la} reprend, ${depuis} le ${le}. Vous pouvez arreter quand vous voulez.`,
        ),
      }
}

export function motsDeLaPauseAuxAidants({ nom, fuseau }: Structure, quel: Signe, { at, whole, recorded = false }: Pause): Mail {
  const sien = whole ? 'un mandat' : 'une partie d’un mandat'
  const depuis = heure(at, fuseau)
  return {
    sujet: 'Un mandat est en pause',
    corps: lettre(
      `À ${depuis}, ${recorded ? 'un collègue a enregistré la demande d’une personne de mettre' : 'une personne a mis'} en pause ${sien} donné ${aLaStructure(nom)}. On ne peut pas agir tant que dure cette pause.`,
      lequel(quel, fuseau),
    ),
  }
}

export const motsDeLaContestation = ({ nom }: Structure): Words => ({
  sujet: 'Votre désaccord est écrit',
  corps: lettre(
    `Vous n’êtes pas d’accord avec ce qui a été fait : c’est écrit, et le responsable ${deLaStructure(nom)} doit vous répondre dans les quinze jours.`,
    'Vous lirez sa réponse dans votre espace Trait d’union. En attendant, vous pouvez arrêter quand vous voulez, sans dire pourquoi.',
    'Ce n’était pas vous ? Dites-le au responsable de la structure.',
  ),
  sms: oneSms(
    deLaStructure(nom),
    (de) =>
      `Trait d'union : votre desaccord est ecrit, le responsable ${de} doit vous repondre sous 15 jours. Vous pouvez arreter quand vous voulez.`,
  ),
})

export const motsDeLaContestationALaDirection = (): Mail => ({
  sujet: 'Une personne conteste un acte',
  corps: lettre(
    'Une personne n’est pas d’accord avec un acte noté par votre structure. C’est aux référents de lui répondre, dans les quinze jours.',
    PRUDENCE_AVEC_L_AUTEUR,
  ),
})

export const motsDeLaReponse = ({ nom }: Structure, reprise: boolean): Words => ({
  sujet: 'Une réponse vous attend',
  corps: lettre(
    `Le responsable ${deLaStructure(nom)} vous a répondu. Sa réponse est dans votre espace Trait d’union.`,
    reprise && 'La pause qui attendait cette réponse est finie : vous pouvez la remettre, ou arrêter, quand vous voulez.',
    'Cette réponse ne vous convient pas ? Votre espace dit à qui vous adresser.',
  ),
  sms: oneSms(
    deLaStructure(nom),
    (de) =>
      `Trait d'union : le responsable ${de} vous a repondu, lisez-le dans votre espace.${reprise ? ' La pause est finie.' : ''} Vous pouvez arreter quand vous voulez.`,
  ),
})

/** The same whether she resumed it or was answered: who signed it must not learn that a pause was a complaint. Nor does it say how much of the mandat. */
export const motsDeLaRepriseAuxAidants = ({ nom, fuseau }: Structure, quel: Signe, at: Date): Mail => ({
  sujet: 'Un mandat n’est plus en pause',
  corps: lettre(
    `Depuis ${heure(at, fuseau)}, un mandat donné ${aLaStructure(nom)}, ou une partie de ce mandat, n’est plus en pause.`,
    lequel(quel, fuseau),
  ),
})

export const motsDuCodeBloqueAuxAidants = (quel: Signe, fuseau: string): Mail => ({
  sujet: 'Le code d’une feuille ne sert plus',
  corps: lettre(
    'Le code d’une feuille « Pour vous seulement » que votre structure a imprimée ne sert plus : quelqu’un l’a essayé quinze fois avec une autre année de naissance.',
    'La feuille est peut-être perdue, ou la personne se trompe d’année. Dites-le-lui, et proposez-lui d’en imprimer une autre.',
    lequel(quel, fuseau),
  ),
})

export const motsDuRappel = ({ nom, fuseau }: Structure, expiresAt: Date): Words => ({
  sujet: 'Votre mandat se termine bientôt',
  corps: lettre(
    `Votre mandat avec ${laStructure(nom)} se termine le ${jour(expiresAt, fuseau)} au soir.`,
    'Vous n’avez rien à faire si cela vous convient. Pour continuer, prenez rendez-vous : rien n’est renouvelé sans vous.',
  ),
  sms: oneSms(
    laStructure(nom),
    (la) =>
      `Trait d'union : votre mandat avec ${la} se termine le ${jourCourt(expiresAt, fuseau)}. Rien n'est renouvele sans vous.`,
  ),
})

export const motsDuRappelAuxAidants = (count: number): Mail => ({
  sujet: count === 1 ? 'Un mandat se termine bientôt' : 'Des mandats se terminent bientôt',
  corps: lettre(
    count === 1 ? 'Un mandat se termine dans trente jours au plus.' : `${count} mandats se terminent dans trente jours au plus.`,
    'Dans Trait d’union, la liste des personnes dit lesquels. Un renouvellement se fait avec la personne, qui donne de nouveau son accord.',
  ),
})

const lettre = (...paragraphs: readonly (string | false | undefined)[]) =>
  ['Bonjour,', ...paragraphs].filter(Boolean).join('\n\n')
const majuscule = (words: string) => words.charAt(0).toLocaleUpperCase('fr') + words.slice(1)
const said = (at: Date, timeZone: string, options: Intl.DateTimeFormatOptions) =>
  new Intl.DateTimeFormat('fr-FR', { timeZone, ...options }).format(at)
/** « 14 h 05 », « 3 mars ». */
const heure = (at: Date, fuseau: string) => said(at, fuseau, { hour: '2-digit', minute: '2-digit' }).replace(/^0?(\d+):/, '$1 h ')
const jourCourt = (at: Date, fuseau: string) => said(at, fuseau, { day: 'numeric', month: 'long' }).replace(/^1 /, '1er ')
/** « 03/03 »: an SMS has no room for more. */
const jourEnChiffres = (at: Date, fuseau: string) => said(at, fuseau, { day: '2-digit', month: '2-digit' })
