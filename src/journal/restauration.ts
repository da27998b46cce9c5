import { z } from 'zod'

/**
 * What the line of a restore says, for ever: the name of the tree before and after, and what witnesses had seen of the tree under each name, in
 * lines. `sauvegarde`: when the backup was ended, RFC 3339, when it is known.
 */
const schema = z.object({
  avant: z.string(),
  nom: z.string(),
  vues: z.record(z.string(), z.int().min(0)),
  sauvegarde: z.string().optional(),
})
export type Restauration = z.infer<typeof schema>

/** A restore as it is kept: its line, its facts as they were engaged, and its salt. */
export type RestaurationGardee = { ligne: number; payload: string; salt: Buffer }
/** A restore as its tree tells it. `tenues`: how many lines the backup held, which is also the rank of its line. */
export type RestaurationDite = Restauration & { ligne: number; tenues: number; at: Date }

/** undefined when the facts are not those of a restore. */
export function readRestauration(payload: string): Restauration | undefined {
  try {
    return schema.safeParse(JSON.parse(payload)).data
  } catch {
    return undefined
  }
}

/** Lines that witnesses had seen and that the backup did not hold: as many at least, since they may not have seen the last ones. */
export const perduesDe = ({ avant, vues, tenues }: Pick<RestaurationDite, 'avant' | 'vues' | 'tenues'>): number =>
  Math.max(0, (vues[avant] ?? 0) - tenues)

/**
 * The tree's next name. Never one that served: under it a checkpoint may have been signed, and shown, that nobody remembers. `at`: of the
 * machine's own clock.
 */
export const nomSuivant = (avant: string, at: Date): string =>
  `${avant.replace(/\/\d{8}T\d{6}Z$/, '')}/${at.toISOString().replace(/[-:]|\.\d+/g, '')}`

/** As they are told to people, without being verified. */
export const restaurationsDites = (
  rows: readonly (RestaurationGardee & { at: Date; rang: number | null })[],
): RestaurationDite[] =>
  rows.flatMap(({ ligne, at, rang, payload }) => {
    const said = readRestauration(payload)
    return said && rang !== null ? [{ ...said, ligne, at, tenues: rang }] : []
  })
