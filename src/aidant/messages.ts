import type { Mail } from '../notification/words.ts'
import { parTrois } from '../six-digits.ts'
import { deLaStructure, laStructure } from '../structure/nom.ts'
import { ALERTE_JOURS, INACTIVITE_JOURS, INVITATION_JOURS } from './equipe.ts'

/** The e-mail that opens a session: a code to type or a page to open. */
export const messageDeConnexion = ({ prenom, code, lien }: { prenom: string; code: string; lien: string }) => ({
  sujet: `${parTrois(code)} : votre code de connexion`,
  corps: `Bonjour ${prenom},

Votre code de connexion à Trait d’union : ${parTrois(code)}

Tapez-le dans la page où vous avez commencé, ou ouvrez cette adresse dans le même navigateur :
${lien}

Le code sert une fois, pendant 10 minutes ; l’adresse aussi, pendant 15. Vous n’avez rien demandé ? Ne le donnez à personne et prévenez votre référent.`,
})

/** To her with whose address too many codes were tried. */
export const messageDEssais = ({ prenom }: { prenom: string }): Mail => ({
  sujet: 'Beaucoup d’essais de connexion avec votre adresse',
  corps: `Bonjour ${prenom},

Beaucoup de codes faux ont été tapés aujourd’hui avec votre adresse e-mail, sur la page de connexion de Trait d’union. Aucun de ces essais n’a ouvert de session.

Par prudence, cette page n’accepte plus votre adresse jusqu’à demain, sauf dans un navigateur où vous vous êtes déjà connecté. Une clé d’accès vous ouvre toujours.

Ce n’était pas vous ? Prévenez votre référent, et ne donnez à personne les codes que vous recevez.`,
})

type Link = { prenom: string; structure: string; referent: string; lien: string }

/** The e-mail that invites into a structure: the same words for who is known elsewhere and for who is not. */
export const messageDInvitation = ({ prenom, structure, referent, lien }: Link): Mail => ({
  sujet: `Rejoindre ${laStructure(structure)} dans Trait d’union`,
  corps: `Bonjour ${prenom},

${referent} vous invite à rejoindre l’équipe ${deLaStructure(structure)} dans Trait d’union, pour faire des démarches avec mandat.

Ouvrez cette adresse et suivez la page :
${lien}

Elle sert une fois, pendant ${INVITATION_JOURS} jours. Vous n’attendiez pas cette invitation ? Ne l’ouvrez pas, et prévenez votre direction.`,
})

/** The e-mail by which an aidant whose second factor was reset pairs another. */
export const messageDeFacteur = ({ prenom, structure, referent, lien }: Link): Mail => ({
  sujet: 'Votre second facteur a été réinitialisé',
  corps: `Bonjour ${prenom},

${referent}, qui dirige l’équipe ${deLaStructure(structure)}, vient de réinitialiser votre second facteur. L’ancien ne sert plus, et vos sessions sont fermées.

Pour associer une nouvelle application, ouvrez cette adresse :
${lien}

Elle sert une fois, pendant ${INVITATION_JOURS} jours. Vous n’avez rien demandé ? Ne l’ouvrez pas, et appelez votre direction.`,
})

type Reset = { qui: string; structure: string; referent: string }
export const messageDeFacteurAuxReferents = ({ qui, structure, referent }: Reset): Mail => ({
  sujet: `Second facteur réinitialisé : ${qui}`,
  corps: `Bonjour,

${referent} a réinitialisé le second facteur de ${qui}, dans l’équipe ${deLaStructure(structure)}. Un lien vient de partir à son adresse pour en associer un autre.

Si cela vous étonne, suspendez son accès depuis la page « L’équipe ».`,
})

/** To who has paired a new authenticator, and to those who direct her structures. */
export const messageDApplicationAssociee = ({ qui }: { qui: string }): Mail => ({
  sujet: `Nouvelle application d’authentification : ${qui}`,
  corps: `Bonjour,

Une nouvelle application d’authentification vient d’être associée au compte de ${qui}, après une réinitialisation.

Si ce n’est pas ce qui était prévu, faites suspendre cet accès aussitôt, depuis la page « L’équipe ».`,
})

/** To her who has just signed in, or begun to, with a recovery code. */
export const messageDeSecours = ({ prenom, restent }: { prenom: string; restent: number }): Mail => ({
  sujet: 'Un de vos codes de secours vient de servir',
  corps: `Bonjour ${prenom},

Un de vos codes de secours vient de servir, à la place de votre application d’authentification. Il ne sert plus ; il vous en reste ${restent}.

Une fois dans Trait d’union, ouvrez « Mes moyens de connexion », associez une nouvelle application ou une clé d’accès, et retirez celle que vous n’avez plus.

Ce n’était pas vous ? Faites suspendre votre accès aussitôt par votre référent.`,
})

/** To her whose ways in have changed. */
export const messageDeMoyens = ({ prenom, quoi }: { prenom: string; quoi: string }): Mail => ({
  sujet: 'Vos moyens de connexion ont changé',
  corps: `Bonjour ${prenom},

${quoi}

Ce n’était pas vous ? Faites suspendre votre accès aussitôt par votre référent.`,
})

/** What she is told when a ProConnect account first opens hers. */
export const COMPTE_LIE =
  'Quelqu’un vient de se connecter à votre compte par ProConnect, pour la première fois : ce compte ProConnect y donne désormais accès.'

/** Last in an e-mail to who answers a contestation: the address of her list follows. */
export const PRUDENCE_AVEC_L_AUTEUR =
  'N’en parlez pas à qui a noté cet acte sans y avoir réfléchi : la personne peut craindre son aidant. Pour lire et répondre, connectez-vous :'

/** To her who has just been named référente, while persons wait for an answer. */
export const messageDeContestations = ({ prenom, structure }: { prenom: string; structure: string }): Mail => ({
  sujet: 'Des personnes attendent votre réponse',
  corps: `Bonjour ${prenom},

Vous dirigez maintenant l’équipe ${deLaStructure(structure)}. Une personne au moins n’est pas d’accord avec un acte qui y est noté, et attend votre réponse : les quinze jours pour lui répondre courent déjà.

${PRUDENCE_AVEC_L_AUTEUR}`,
})

type Absence = { prenom: string; structure: string }
export const messageDInactivite = ({ prenom, structure }: Absence): Mail => ({
  sujet: 'Votre accès à Trait d’union ne sert plus',
  corps: `Bonjour ${prenom},

Depuis ${ALERTE_JOURS} jours, vous n’avez rien fait pour ${laStructure(structure)} dans Trait d’union.

Connectez-vous pour garder votre accès. Sans cela il sera suspendu au bout de ${INACTIVITE_JOURS} jours ; un référent de la structure pourra le rétablir.`,
})

export const messageDeFinDInactivite = ({ prenom, structure }: Absence): Mail => ({
  sujet: 'Votre accès à Trait d’union est suspendu',
  corps: `Bonjour ${prenom},

Depuis ${INACTIVITE_JOURS} jours, vous n’avez rien fait pour ${laStructure(structure)} dans Trait d’union : votre accès y est suspendu.

Un référent de la structure peut le rétablir, depuis la page « L’équipe ».`,
})
