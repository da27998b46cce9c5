/** What is told on paper to whom is not told otherwise, or by a telephone that others read. The database writes it with its fact. */
const PAPIER_QUOI = ['signe', 'arret', 'pause', 'reprise', 'code'] as const
export type PapierQuoi = (typeof PAPIER_QUOI)[number]
