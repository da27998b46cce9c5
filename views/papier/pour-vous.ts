import type { Papier } from '../../src/papier/papier.ts'
import { aLaStructure } from '../../src/structure/nom.ts'
import { auSoir, jour, nomComplet, telephoneEnMots } from '../kit/words.ts'
import type { FaitsMandat } from './mandat.ts'
import { adresse, parCourrier, type Service, TITRE } from './words.ts'

type Faits = Pick<FaitsMandat, 'numero' | 'contenu' | 'expiresAt' | 'now'> & {
  /** The titles of what is in force: a slip may stop one alone. */
  themes: readonly string[]
  codePrive: string
  /** She printed it herself, in her space. */
  elleMeme: boolean
  /** A code may be sent to her: without it, that of this sheet reads and stops nothing. */
  prouve: boolean
  service: Service
}

/** Her own sheet, which the structure never files: her private code is on this paper and nowhere else. */
export const pourVousPapier = ({
  numero,
  contenu,
  expiresAt,
  now,
  themes,
  codePrive,
  elleMeme,
  prouve,
  service,
}: Faits): Papier => {
  const { structure } = contenu
  const nom = nomComplet(contenu.identite)
  return {
    nom: 'pour-vous',
    titre: TITRE['pour-vous'],
    pied: `Feuille à garder chez vous, imprimée le ${jour(now, structure.fuseau)}`,
    date: now,
    une: [
      {
        genre: 'avis',
        texte:
          'Gardez cette feuille. Ne la donnez à personne, pas même à votre aidant : personne n’a le droit d’en faire une copie.',
      },
      {
        genre: 'phrase',
        texte: `${nom}, vous avez donné mandat ${aLaStructure(structure.nom)} jusqu’au ${auSoir(expiresAt, structure.fuseau)}.`,
      },
      { genre: 'titre', texte: 'Votre code privé' },
      { genre: 'code', code: codePrive },
      {
        genre: 'texte',
        texte: elleMeme
          ? 'Avec votre année de naissance, il ouvre votre espace sans FranceConnect : ne le dites à personne, même au téléphone. Il remplace tous ceux d’avant : une ancienne feuille ne sert plus. Si vous perdez celle-ci, imprimez-en une autre.'
          : 'Avec votre année de naissance, il montre sans FranceConnect ce que cette structure fait pour vous : ne le dites à personne, même au téléphone. Il remplace celui que cette structure vous avait donné. Si vous perdez cette feuille, demandez-en une autre.',
      },
      { genre: 'titre', texte: 'Voir ce qui est fait pour vous' },
      {
        genre: 'liste',
        lignes: [
          { fort: 'Sur internet', texte: `${adresse(service, '/mon-espace')}, avec FranceConnect ou avec ce code` },
          { fort: 'Sur papier', texte: 'demandez le relevé des démarches à chaque visite : c’est gratuit' },
        ],
      },
      { genre: 'titre', texte: 'Arrêter, quand vous voulez, sans dire pourquoi' },
      {
        genre: 'liste',
        lignes: [
          {
            fort: 'Sur internet',
            texte: `${adresse(service, '/mon-espace')}, bouton « Arrêter », ${prouve ? 'avec FranceConnect, ou avec ce code et un autre que vous recevrez' : 'avec FranceConnect seulement : ce code montre, il n’arrête pas'}`,
          },
          { fort: 'Par téléphone ou sur place', texte: `${telephoneEnMots(structure.telephone)}, ${structure.adresse}` },
          { fort: 'Par courrier', texte: 'coupez le bas de cette feuille et envoyez-le' },
        ],
      },
      {
        genre: 'coupon',
        couper: 'Coupez ici',
        titre: 'J’arrête mon mandat',
        lignes: [
          { fort: 'Qui', texte: nom },
          { fort: 'Avec', texte: structure.nom },
          { fort: 'Mandat', texte: numero },
          { fort: 'À envoyer ou à remettre', texte: parCourrier(structure, service) },
        ],
        cases: [
          'Tout arrêter',
          ...(themes.length > 1 ? themes.map((theme) => `Arrêter seulement : ${theme}`) : []),
          'Ne pas arrêter, mettre seulement en pause',
        ],
        blancs: ['Le', 'Signature'],
      },
    ],
    suite: [],
  }
}
