import { raw } from 'hono/html'
import type { Bloc, Ligne, Papier, PapierRefusal } from '../../src/papier/papier.ts'
import { alert } from '../kit/alert.ts'
import { back, sentence } from '../kit/card.ts'
import { button, form, hidden, imprimer } from '../kit/form.ts'
import { type Html, html } from '../kit/html.ts'
import { type Frame, page } from '../kit/page.ts'
import { facts, table } from '../kit/table.ts'
import { PAPIER_REFUSE } from './words.ts'

/** The same paper for the browser to print, where no PDF can be made. The tab names nobody. */
export const papierPage = ({ frame, papier, retour }: { frame: Frame; papier: Papier; retour: string }) =>
  page(
    { ...frame, above: back('Revenir', retour), script: 'imprimer.js' },
    papier.titre,
    html`<div class="a-l-ecran">${alert('Le fichier PDF ne peut pas être fait ici', 'Imprimez cette page : elle dit la même chose.', 'info')}${imprimer()}</div>
    <div class="papier">${papier.filigrane && html`<p class="filigrane"><strong>${papier.filigrane}</strong></p>`}${[...papier.une, ...papier.suite].map(bloc)}
    <p class="pied">${papier.pied}</p></div>`,
  )

export const papierRefusePage = ({ frame, refusal, retour }: { frame: Frame; refusal: PapierRefusal; retour: string }) =>
  page({ ...frame, above: back('Revenir', retour) }, 'Ce papier ne peut pas être imprimé', html`<p>${PAPIER_REFUSE[refusal]}</p>`)

type OccupeProps = { frame: Frame; retour: string; address: string; thematique: string | undefined }

/** She has enough in the making: the same form, to send again in a moment. */
export const papierOccupePage = ({ frame, retour, address, thematique }: OccupeProps) =>
  page(
    { ...frame, above: back('Revenir', retour) },
    'Attendez un instant',
    html`<p>Plusieurs papiers se font déjà pour vous. Attendez quelques secondes, puis imprimez à nouveau : celui-ci n’a pas été fait, et rien n’a été enregistré.</p>
    ${form({ action: address }, html`${thematique && hidden('thematique', thematique)}${button('Imprimer à nouveau')}`)}`,
  )

const rangee = ({ fort, texte }: Ligne): Html => html`${fort && html`<strong>${fort}</strong> : `}${lignes(texte)}`
const lignes = (texte: string): Html => html`${texte.split('\n').map((one, index) => html`${index > 0 && html`<br>`}${one}`)}`

const bloc = (one: Bloc): Html => {
  switch (one.genre) {
    case 'titre':
      return html`<h2>${one.texte}</h2>`
    case 'soustitre':
      return html`<h3>${one.texte}</h3>`
    case 'phrase':
      return sentence(one.texte)
    case 'texte':
      return html`<p>${one.texte}</p>`
    case 'petit':
      return html`<p><small>${one.texte}</small></p>`
    case 'avis':
      return html`<p class="avis"><strong>${one.texte}</strong></p>`
    case 'liste':
      return html`<ul>${one.lignes.map((ligne) => html`<li>${rangee(ligne)}</li>`)}</ul>`
    case 'parties':
      return facts(
        one.parties.map(({ titre, nom, lignes: autres }) => ({
          term: titre,
          value: html`<strong>${nom}</strong>${autres.map((ligne) => html`<br>${ligne}`)}`,
        })),
      )
    case 'tableau':
      return table({
        caption: one.legende,
        columns: one.colonnes.map((head, index) => ({ head, cell: (row: readonly string[]) => lignes(row[index] ?? '') })),
        rows: one.lignes,
        empty: '',
      })
    case 'code':
      return html`<p class="code">${one.code}</p>`
    case 'verifier':
      // The drawing is ours: modules of a code, and no word of anyone.
      return html`<h2>${one.titre}</h2><div class="verifier"><div class="qr" role="img" aria-label="${one.lire}">${raw(one.qr)}</div><div><p>${one.texte}</p>${one.lignes.map((ligne) => html`<p>${rangee(ligne)}</p>`)}${one.code && html`<p>Code : <strong>${one.code}</strong></p>`}</div></div>`
    case 'coupon':
      return html`<section class="coupon" aria-labelledby="coupon"><p>${one.couper}</p><h2 id="coupon">${one.titre}</h2>${one.lignes.map((ligne) => html`<p>${rangee(ligne)}</p>`)}<ul>${one.cases.map((words) => html`<li>${words}</li>`)}</ul><div class="blancs">${one.blancs.map((words) => html`<p>${words} :</p>`)}</div></section>`
  }
}
