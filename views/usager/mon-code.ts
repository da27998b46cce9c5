import { laStructure } from '../../src/structure/nom.ts'
import type { CodePrive } from '../../src/usager/code-queries.ts'
import { back, sentence } from '../kit/card.ts'
import { button, buttonLink, buttons, type Errors, errorSummary, form } from '../kit/form.ts'
import { html } from '../kit/html.ts'
import { type Frame, page } from '../kit/page.ts'
import { facts } from '../kit/table.ts'
import { jourEtHeure, majuscule, temps } from '../kit/words.ts'

type Props = {
  frame: Frame
  codes: readonly CodePrive[]
  /** One last opened her space, or united what was apart; undefined when none did since they were drawn, or in the twelve months that the log is kept. */
  usedAt: Date | undefined
  /** A code may be sent to her: without it, that of her paper reads and stops nothing. */
  prouve: boolean
  now: Date
  fuseau: string
  errors?: Errors | undefined
}

/** What the access log keeps, in milliseconds. */
const AN = 365 * 24 * 3600 * 1000

/** When her codes were drawn, by whom, and used; one press replaces them by hers, another cancels them. */
export const monCodePage = ({ frame, codes, usedAt, prouve, now, fuseau, errors = {} }: Props): string =>
  page(
    { ...frame, above: back('Mes données', '/mon-espace/donnees'), invalid: Object.keys(errors).length > 0 },
    'Mon code papier',
    html`${errorSummary(errors, { geste: 'contenu' })}${sentence(`Avec ce code et l’année de votre naissance, cet espace s’ouvre sans FranceConnect : pour lire${prouve ? ', et pour arrêter ou mettre en pause avec un code reçu par SMS ou par e-mail' : ' seulement'}.`)}
    ${!prouve && html`<p>Pour arrêter avec lui, il faut aussi un numéro ou une adresse où recevoir un code : <a href="/mon-espace/contacts">Mes contacts</a>. Sans cela, vous arrêtez avec FranceConnect, par téléphone ou par courrier.</p>`}
    ${
      codes.length > 0
        ? html`${facts([
            ...codes.flatMap((code) => [
              { term: 'Donné le', value: temps(code.createdAt, jourEtHeure(code.createdAt, fuseau)) },
              {
                term: 'Par',
                value: code.structureNom
                  ? html`${majuscule(laStructure(code.structureNom))}, sur votre feuille « Pour vous seulement » : il ne montre que ce qui est fait avec cette structure`
                  : 'Vous, dans cet espace',
              },
            ]),
            {
              term: 'A servi en dernier',
              value: usedAt
                ? temps(usedAt, jourEtHeure(usedAt, fuseau))
                : codes.every(({ createdAt }) => now.getTime() - createdAt.getTime() < AN)
                  ? 'Pas encore'
                  : 'Pas depuis un an',
            },
          ])}
    <p><a href="/mon-espace/acces">Toutes les fois où il a servi</a></p>
    <h2>Votre feuille est perdue, ou quelqu’un l’a vue ?</h2>
    <p>Dès que vous appuyez, les anciens codes ne servent plus, et ce qu’ils avaient ouvert se ferme. Pour l’avoir sur une feuille, avec le bulletin d’arrêt : ouvrez votre mandat, puis « Ma feuille, avec un nouveau code ».</p>
    ${form(
      {},
      buttons([
        button('Prendre un nouveau code', { name: 'geste', value: 'remplacer' }),
        button('Annuler mon code', { name: 'geste', value: 'annuler', kind: 'secondary' }),
      ]),
    )}`
        : html`<p>Vous n’avez pas de code en ce moment.</p>
    ${form({}, button('Prendre un code', { name: 'geste', value: 'remplacer' }))}`
    }`,
  )

/** The one time it is shown: no link to larger letters, which would ask for the page again and lose it. */
export const nouveauCodePage = ({ frame, code }: { frame: Frame; code: string }): string =>
  page(
    { ...frame, current: undefined, above: back('Mon code papier', '/mon-espace/code-papier') },
    'Votre nouveau code',
    html`${sentence('Écrivez-le maintenant sur un papier : il ne sera plus montré.')}
    <p class="sentence"><strong>${code}</strong></p>
    <p>Gardez ce papier pour vous, et ne donnez ce code à personne, pas même à votre aidant. Les codes d’avant ne servent plus.</p>
    ${buttonLink('C’est noté', '/mon-espace/code-papier', { kind: 'secondary' })}`,
  )
