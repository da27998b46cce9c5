import type { PapierQuoi } from '../../src/mandat/papier-du.ts'
import type { PapierDu } from '../../src/mandat/papier-du-queries.ts'
import { success } from '../kit/alert.ts'
import { back } from '../kit/card.ts'
import { button, form } from '../kit/form.ts'
import { html } from '../kit/html.ts'
import { type Frame, page } from '../kit/page.ts'
import { table } from '../kit/table.ts'
import { dateEcrite, finLe, jour, nomCourant, temps } from '../kit/words.ts'

const QUOI = {
  signe: 'Son mandat est signé : ses papiers',
  arret: 'C’est arrêté',
  pause: 'C’est en pause',
  reprise: 'C’est reparti',
  code: 'Le code de sa feuille ne sert plus',
} as const satisfies Record<PapierQuoi, string>

type Props = { frame: Frame; dus: readonly PapierDu[]; remis: boolean; fuseau: string }

/** Who is told on paper, and what she was not yet handed. */
export const papiersDusPage = ({ frame, dus, remis, fuseau }: Props) =>
  page(
    { ...frame, width: 'wide', above: back('Revenir aux personnes', '/personnes') },
    'À remettre sur papier',
    html`${remis && success('C’est noté', 'Ce papier est remis, et n’est plus dans la liste.')}
    <p>Ces personnes ont choisi le papier, ou d’autres lisent leur téléphone ou leur boîte. Imprimez depuis le mandat, remettez en main propre ou par la poste, puis notez-le ici.</p>
    <p>Un mandat fini ne s’imprime plus que par l’aidant qui l’a signé, ou par la direction.</p>
    ${form(
      {},
      table({
        caption: 'Nouvelles à remettre, la plus ancienne d’abord',
        columns: [
          {
            head: 'Personne',
            cell: (du: PapierDu) => html`<a href="/personnes/${du.usagerId}">${nomCourant(du)}</a>, ${dateEcrite(du.birthdate)}`,
          },
          {
            head: 'Nouvelle',
            cell: (du: PapierDu) =>
              html`<a href="/mandats/${du.mandatId}">${QUOI[du.quoi]}</a>${du.revokedAt && finLe(du.revokedAt, du.recuLe, fuseau)}`,
          },
          { head: 'Depuis', cell: (du: PapierDu) => temps(du.createdAt, jour(du.createdAt, fuseau)) },
          {
            head: 'Remis',
            cell: (du: PapierDu) =>
              button(html`Remis<span class="sr"> à ${nomCourant(du)} : ${QUOI[du.quoi]}</span>`, {
                kind: 'secondary',
                name: 'papier',
                value: du.id,
              }),
          },
        ],
        rows: dus,
        empty: 'Rien à remettre : tout ce qui devait l’être sur papier l’a été.',
      }),
    )}`,
  )
