import type { PapierDu, PapierQuoi, PapierRemis } from '../../src/mandat/papier-du-queries.ts'
import { success } from '../kit/alert.ts'
import { back } from '../kit/card.ts'
import { button, form } from '../kit/form.ts'
import { type Html, html } from '../kit/html.ts'
import { type Frame, page } from '../kit/page.ts'
import { type Column, table } from '../kit/table.ts'
import { dateEcrite, finLe, heure, jour, nomCourant, temps } from '../kit/words.ts'

const QUOI = {
  signe: 'Son mandat est signé : ses papiers',
  arret: 'C’est arrêté',
  pause: 'C’est en pause',
  reprise: 'C’est reparti',
  code: 'Le code de sa feuille ne sert plus',
} as const satisfies Record<PapierQuoi, string>

const nouvelleDe = ({ quoi, fini, arrete, remplace }: PapierDu): string => {
  if (quoi !== 'arret') return QUOI[quoi]
  if (remplace && arrete) return 'Une partie est arrêtée, une autre est dans un nouveau mandat'
  if (remplace) return fini ? 'Un autre mandat l’a remplacé' : 'Un autre mandat en a remplacé une partie'
  return fini ? QUOI.arret : 'Une partie est arrêtée'
}

const FAIT: Record<'remis' | 'annule', [string, string]> = {
  remis: ['C’est noté', 'Ce papier est remis, et n’est plus à remettre. Une erreur ? Annulez-la plus bas, aujourd’hui.'],
  annule: ['C’est annulé', 'Ce papier est de nouveau à remettre.'],
}

type Props = {
  frame: Frame
  dus: readonly PapierDu[]
  /** What was handed over today. */
  remis: readonly PapierRemis[]
  fait?: keyof typeof FAIT | undefined
  fuseau: string
}

/** Who is told on paper, and what she was not yet handed. */
export const papiersDusPage = ({ frame, dus, remis, fait, fuseau }: Props) =>
  page(
    { ...frame, width: 'wide', above: back('Revenir aux personnes', '/personnes') },
    'À remettre sur papier',
    html`${fait && success(...FAIT[fait])}
    <p>Ces personnes ont choisi le papier, ou d’autres lisent leur téléphone ou leur boîte. Imprimez depuis le mandat, remettez en main propre ou par la poste, puis notez-le ici.</p>
    <p>Un mandat fini ne s’imprime plus que par l’aidant qui l’a signé, ou par un référent.</p>
    ${form(
      {},
      table({
        caption: 'Nouvelles à remettre, la plus ancienne d’abord',
        columns: [
          ...nouvelle(fuseau),
          { head: 'Depuis', cell: (du: PapierDu) => temps(du.createdAt, jour(du.createdAt, fuseau)) },
          { head: 'Remis', cell: (du: PapierDu) => geste(du, 'Remis') },
        ],
        rows: dus,
        empty: 'Rien à remettre : tout ce qui devait l’être sur papier l’a été.',
      }),
    )}
    ${
      remis.length > 0 &&
      form(
        { action: '/a-remettre/annuler' },
        table({
          caption: 'Remis aujourd’hui',
          columns: [
            ...nouvelle(fuseau),
            {
              head: 'Noté',
              cell: (one: PapierRemis) => html`à ${temps(one.remisAt, heure(one.remisAt, fuseau))} par ${one.remisPar}`,
            },
            { head: 'Annuler', cell: (one: PapierRemis) => geste(one, 'Annuler') },
          ],
          rows: remis,
          empty: '',
        }),
      )
    }`,
  )

const nouvelle = (fuseau: string): Column<PapierDu>[] => [
  {
    head: 'Personne',
    cell: (du) => html`<a href="/personnes/${du.usagerId}">${nomCourant(du)}</a>, ${dateEcrite(du.birthdate)}`,
  },
  {
    head: 'Nouvelle',
    cell: (du) =>
      html`<a href="/mandats/${du.mandatId}">${nouvelleDe(du)}</a>${du.revokedAt && finLe(du.revokedAt, du.recuLe, fuseau)}`,
  },
]

const geste = (du: PapierDu, words: string): Html =>
  button(html`${words}<span class="sr">${words === 'Remis' ? ' à' : ' : remis à'} ${nomCourant(du)} : ${nouvelleDe(du)}</span>`, {
    kind: 'secondary',
    name: 'papier',
    value: du.id,
  })
