import { empreinteDe } from '../../src/journal/checkpoint.ts'
import type { Point } from '../../src/journal/tree-queries.ts'
import type { Bloc } from '../../src/papier/papier.ts'
import { jourEtHeure, pluriel } from '../kit/words.ts'
import { adresse, type Service } from './words.ts'

/** The journal as it stood, in the hands of whoever keeps the paper: she is a witness of it too. */
export const journalDuJour = (
  { taille, racine, createdAt }: Pick<Point, 'taille' | 'racine' | 'createdAt'>,
  fuseau: string,
  service: Service,
): Bloc => ({
  genre: 'petit',
  texte: `Journal du service, le ${jourEtHeure(createdAt, fuseau)} : ${pluriel(taille, 'ligne')}, empreinte ${empreinteDe(racine).replaceAll(' ', '\u00a0')}. En les comparant à ${adresse(service, '/journal')}, chacun peut voir que rien de ce qui y était écrit n’a changé depuis.`,
})
