import type { Connue } from '../../src/mandat/brouillon-queries.ts'
import type { Thematique } from '../../src/mandat/mandat.ts'
import { alert } from '../kit/alert.ts'
import { type Html, html } from '../kit/html.ts'
import { auSoir, enMots, majuscule } from '../kit/words.ts'

/** What a new accord ends, by thématique: never silently, for it may end sooner than what she had. */
export const remplacements = (
  connue: Connue | undefined,
  chosen: readonly Thematique[],
  whose: 'votre' | 'son',
  fuseau: string,
): Html | false => {
  const ended = (connue?.enVigueur ?? []).filter(({ thematique }) => chosen.includes(thematique))
  return (
    ended.length > 0 &&
    alert(
      'Un mandat est déjà en cours',
      html`${ended.map(
        ({ thematique, expiresAt }) =>
          html`<p>${majuscule(enMots([thematique]))} : ceci remplace ${whose} mandat jusqu’au ${auSoir(expiresAt, fuseau)}.</p>`,
      )}`,
      'info',
    )
  )
}
