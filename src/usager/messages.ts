/** The code that comes back before a stop. It says nothing of who she is, nor of whom she stops. */
export const messageDePreuve = (code: string) => {
  const spaced = `${code.slice(0, 3)} ${code.slice(3)}`
  return {
    sujet: `${spaced} : votre code`,
    corps: `Bonjour,

Votre code pour arrêter ou mettre en pause, dans votre espace Trait d’union : ${spaced}

Il sert une fois, pendant 10 minutes. Ne le donnez à personne.

Vous n’avez rien demandé ? Quelqu’un a peut-être votre feuille « Pour vous seulement » : demandez-en une autre, l’ancienne ne servira plus.`,
    sms: `Trait d'union : votre code ${spaced}, pendant 10 minutes. Ne le donnez a personne. Rien demande ? Demandez une autre feuille.`,
  }
}
