import type { DemarcheRow } from '../../src/demarche/queries.ts'
import { isInForce } from '../../src/mandat/mandat.ts'
import type { MandatEtat } from '../../src/mandat/queries.ts'
import { laStructure } from '../../src/structure/nom.ts'
import { card, more, sentence } from '../kit/card.ts'
import { buttonLink, buttons } from '../kit/form.ts'
import { type Html, html } from '../kit/html.ts'
import { type Frame, page } from '../kit/page.ts'
import { timeline } from '../kit/table.ts'
import { deMots, majuscule, pluriel } from '../kit/words.ts'
import { acte } from './actes.ts'
import { gestes } from './gestes.ts'
import { manqueQuelqueChose } from './reunir.ts'
import { droit, enPause, fini } from './sentences.ts'

type Props = {
  frame: Frame
  mandats: readonly MandatEtat[]
  /** The latest acts, whichever the mandat. */
  demarches: readonly DemarcheRow[]
  /** Those done after her request to stop had come. */
  signalees: ReadonlySet<string>
  /** She may have been known under another identity: she is asked. */
  autre: boolean
  /** Opened with the code of her paper, when no code may be sent to her. */
  sansPreuve: boolean
}

/** Her space: who may act for her, one sentence each, and how to stop it. */
export const espacePage = ({ frame, mandats, demarches, signalees, autre, sansPreuve }: Props) => {
  const inForce = mandats.filter(isInForce)
  const over = mandats.filter((mandat) => !isInForce(mandat))
  const dernier = over.toSorted((one, other) => endOf(other) - endOf(one))[0]
  return page(
    { ...frame, heading: 'Qui peut faire vos démarches' },
    'Mes mandats',
    html`${autre && manqueQuelqueChose()}
    ${inForce.length === 0 && sentence('En ce moment, personne n’a le droit de faire vos démarches ici.')}
    ${inForce.length === 0 && dernier && html`<p>${overWords(dernier)}.</p>${dernier.endedHow === 'protection' && html`<p>Une mesure de protection, c’est quand quelqu’un est officiellement chargé de vos affaires. Si ce n’est pas vrai, dites-le à cette structure : elle peut refaire un mandat avec vous.</p>`}`}
    ${inForce.map((mandat) => {
      const sujet = inForce.length > 1 && html`<span class="sr"> : ${sujetDe(mandat)}</span>`
      return card({
        title: mandat.structureNom,
        state: mandat.etat,
        body: html`${sentence(droit(mandat))}${enPause(mandat)}`,
        foot: buttons(
          [
            ...gestes(mandat, sansPreuve, sujet),
            buttonLink(html`Voir ce qui est fait${sujet}`, `/mon-espace/mandats/${mandat.id}`, {
              kind: 'secondary',
              icon: 'oeil',
            }),
          ],
          { equal: true },
        ),
      })
    })}
    <h2>Ce qui a été fait dernièrement</h2>
    ${timeline(
      demarches.map((demarche) => acte(demarche, { short: true, signalee: signalees.has(demarche.id) })),
      'Rien n’a encore été fait.',
    )}
    ${over.length > 0 && more(`Ce qui est fini (${pluriel(over.length, 'mandat')})`, html`<ul>${over.map(overLine)}</ul>`)}`,
  )
}

/** « avec le CCAS de Figeac, vos démarches de logement »: what tells one mandat from the next to who hears the names of its buttons. */
const sujetDe = ({ structureNom, enVigueur, enPause }: MandatEtat): string =>
  `avec ${laStructure(structureNom)}, vos démarches ${deMots([...enVigueur, ...enPause])}`

const endOf = ({ endedAt, expiresAt }: MandatEtat) => (endedAt ?? expiresAt).getTime()

/** « Le CCAS de Figeac : arrêté à votre demande le 3 mars 2027 à 14 h 05 ». */
const overWords = (mandat: MandatEtat): Html => html`${majuscule(laStructure(mandat.structureNom))} : ${fini(mandat)}`

const overLine = (mandat: MandatEtat): Html =>
  html`<li><a href="/mon-espace/mandats/${mandat.id}">${majuscule(laStructure(mandat.structureNom))}</a> : ${fini(mandat)}</li>`
