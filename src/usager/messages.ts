import { oneSms } from '../notification/sms.ts'
import { parTrois } from '../six-digits.ts'
import { laStructure } from '../structure/nom.ts'

/** A structure has printed a sheet that opens her space: if nobody put it into her hands, she knows at once. */
export const messageDeFeuille = (structureNom: string) => {
  const la = laStructure(structureNom)
  return {
    sujet: 'Une feuille avec un code est imprimée pour vous',
    corps: `Bonjour,

Une nouvelle feuille « Pour vous seulement » vient d’être imprimée par ${la}. Son code montre ce qui est fait pour vous avec cette structure, et rien d’autre. Celui qu’elle vous avait donné avant ne sert plus.

Vous ne l’avez pas reçue en mains propres ? Annulez ce code d’un geste dans votre espace Trait d’union, avec FranceConnect : « Mes données », puis « Mon code papier ».`,
    sms: oneSms(
      la,
      (la) =>
        `Trait d'union : feuille avec un code imprimee pour vous par ${la}. Vous ne l'avez pas ? Annulez ce code dans votre espace.`,
    ),
  }
}

/** Whoever tried it so often does not know her year of birth: perhaps she, more likely who found the sheet. */
export const messageDeCodeBloque = {
  sujet: 'Le code de votre feuille ne sert plus',
  corps: `Bonjour,

Quelqu’un a essayé quinze fois le code de votre feuille « Pour vous seulement » avec une autre année de naissance. Par précaution, ce code ne sert plus : personne n’a rien lu avec ces essais.

Vous voulez un autre code ? Demandez une nouvelle feuille à la structure qui vous aide, ou prenez-en un dans votre espace Trait d’union, avec FranceConnect : « Mes données », puis « Mon code papier ».`,
  sms: "Trait d'union : le code de votre feuille ne sert plus, il a ete essaye 15 fois avec une autre annee de naissance. Demandez une autre feuille.",
}

/** Who she is to FranceConnect was found twice here, and united by whoever held her sheet and her FranceConnect: if not she, she undoes it. */
export const messageDeReunion = {
  sujet: 'Vos deux historiques sont réunis',
  corps: `Bonjour,

FranceConnect vous a connu sous deux identifiants, avant et après une correction d’état civil. Avec votre feuille « Pour vous seulement » et FranceConnect, vous venez de les réunir : votre espace Trait d’union montre maintenant tout ensemble.

Ce n’est pas vous ? Séparez-les d’un geste dans votre espace, avec FranceConnect : « Mes données », puis « Séparer ». Ou appelez la structure qui vous aide.`,
  sms: "Trait d'union : vos deux historiques sont reunis dans votre espace. Ce n'est pas vous ? Separez-les dans Mes donnees, ou appelez la structure.",
}
export const messageDeSeparation = {
  sujet: 'Vos deux historiques sont séparés',
  corps: `Bonjour,

Les deux historiques réunis dans un espace Trait d’union viennent d’être séparés. Rien n’est perdu : chacun se lit avec l’identité FranceConnect qui va avec. Les codes papier et les feuilles « Pour vous seulement » d’avant ne servent plus : demandez une nouvelle feuille à la structure.

Ce n’est pas vous ? Avec une nouvelle feuille, vous pouvez les réunir à nouveau : dans votre espace, « Mes données ». La structure peut l’imprimer tant qu’un mandat est en cours.`,
  sms: "Trait d'union : vos historiques sont de nouveau separes. Les feuilles Pour vous seulement d'avant ne servent plus : demandez-en une autre.",
}

/** The code that comes back before a stop. It says nothing of who she is, nor of whom she stops. */
export const messageDePreuve = (code: string) => {
  const spaced = parTrois(code)
  return {
    sujet: `${spaced} : votre code`,
    corps: `Bonjour,

Votre code pour arrêter, mettre en pause ou dire un désaccord, dans votre espace Trait d’union : ${spaced}

Il sert une fois, pendant 10 minutes. Ne le donnez à personne.

Vous n’avez rien demandé ? Quelqu’un a peut-être votre feuille « Pour vous seulement » : demandez-en une autre, l’ancienne ne servira plus.`,
    sms: `Trait d'union : votre code est ${spaced}. Il sert 10 minutes. Ne le donnez a personne. Ce n'etait pas vous ? Demandez une autre feuille.`,
  }
}
