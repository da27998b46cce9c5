import { parTrois } from '../six-digits.ts'

/** The e-mail that opens a session: a code to type or a page to open. */
export const messageDeConnexion = ({ prenom, code, lien }: { prenom: string; code: string; lien: string }) => ({
  sujet: `${parTrois(code)} : votre code de connexion`,
  corps: `Bonjour ${prenom},

Votre code de connexion à Trait d’union : ${parTrois(code)}

Tapez-le dans la page où vous avez commencé, ou ouvrez cette adresse dans le même navigateur :
${lien}

Il sert une fois, pendant 15 minutes. Vous n’avez rien demandé ? Ne le donnez à personne et prévenez votre référent.`,
})
