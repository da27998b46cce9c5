import type { AidantRow } from '../../src/audit/queries.ts'
import { html } from '../kit/html.ts'
import { type Frame, page } from '../kit/page.ts'
import { table } from '../kit/table.ts'
import { ilYA, jour, pluriel, temps } from '../kit/words.ts'

type Props = { frame: Frame; aidants: readonly AidantRow[]; fuseau: string; now: Date }

/** Who acts, or has acted, for the structure. */
export const aidantsPage = ({ frame, aidants, fuseau, now }: Props) => {
  const actifs = aidants.filter(({ endedAt, suspendedAt }) => !endedAt && !suspendedAt)
  return page(
    { ...frame, width: 'wide' },
    'Aidants de la structure',
    html`<p>${pluriel(actifs.length, 'aidant actif', 'aidants actifs', 'Aucun aidant actif')}.</p>
    ${table({
      caption: 'Aidants de la structure',
      quiet: true,
      columns: [
        { head: 'Aidant', cell: ({ prenom, nom }) => `${prenom} ${nom}` },
        { head: 'E-mail', cell: ({ email }) => email },
        { head: 'Rôle', cell: ({ referent }) => (referent ? 'Référent' : 'Aidant') },
        {
          head: 'Dernière ligne au journal',
          cell: ({ lastAt, id }) =>
            lastAt ? html`<a href="/structure/journal?aidant=${id}">${temps(lastAt, ilYA(lastAt, now, fuseau))}</a>` : 'Aucune',
        },
        {
          head: 'État',
          cell: ({ suspendedAt, endedAt }) =>
            endedAt
              ? `Parti le ${jour(endedAt, fuseau)}`
              : suspendedAt
                ? `Suspendu depuis le ${jour(suspendedAt, fuseau)}`
                : 'Actif',
        },
      ],
      rows: aidants,
      empty: 'Aucun aidant.',
    })}`,
  )
}
