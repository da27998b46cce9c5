import type { ActingRow, Brouillon } from '../../src/mandat/brouillon-queries.ts'
import { THEMATIQUES } from '../../src/mandat/mandat.ts'
import { alert } from '../kit/alert.ts'
import { step } from '../kit/card.ts'
import { button, buttonLink, type Errors, errorSummary, form, radios, tiles, type Values } from '../kit/form.ts'
import { html } from '../kit/html.ts'
import { type Frame, page } from '../kit/page.ts'
import { AVERTISSEMENT_ARGENT, DUREE, enMots, ilYA, THEMATIQUE } from '../kit/words.ts'
import { REFUSAL, type Refusal } from './refusals.ts'

export const ETAPES = ['Expliquer', 'Choisir', 'S’identifier', 'Dire oui ou non', 'Accepter'] as const

type Props = {
  frame: Frame
  acting: ActingRow
  brouillon?: Brouillon | undefined
  brouillons?: readonly Brouillon[]
  now: Date
  values?: Values
  errors?: Errors
  refusal?: Refusal | undefined
}

export const newMandatPage = ({ frame, acting, brouillon, brouillons = [], now, values, errors = {}, refusal }: Props) => {
  const typed: Values = values ?? (brouillon ? { thematiques: brouillon.perimetre, duree: brouillon.duree, protegee: 'non' } : {})
  const offered = THEMATIQUES.filter((thematique) => !acting.desactivees.includes(thematique))
  return page(
    { ...frame, above: step(2, ETAPES), invalid: Object.keys(errors).length > 0 },
    brouillon ? 'Changer les choix' : 'Nouveau mandat',
    html`${errorSummary(errors)}
    ${refusal && alert('Choix non enregistrés', REFUSAL[refusal])}
    ${
      brouillons.length > 0 &&
      alert(
        'Mandats en préparation',
        html`<ul>${brouillons.map(
          (b) =>
            html`<li><a href="/mandats/brouillons/${b.id}/${b.accordAt ? 'acceptation' : b.identite ? 'accord' : 'identification'}">Reprendre : ${enMots(b.perimetre)}</a> (${ilYA(b.updatedAt, now, acting.fuseau)})</li>`,
        )}</ul>`,
        'info',
      )
    }
    ${form(
      {},
      html`${radios({
        name: 'protegee',
        legend: 'Quelqu’un est-il officiellement chargé des affaires de la personne, ou a-t-elle moins de 18 ans ?',
        hint: 'Tutelle, curatelle, habilitation familiale, mandat de protection future, sauvegarde de justice. La réponse n’est pas gardée.',
        options: { non: 'Non', oui: 'Oui' },
        value: typed.protegee,
        error: errors.protegee,
        inline: true,
      })}
      ${tiles({
        name: 'thematiques',
        legend: 'Pour quelles démarches ?',
        hint: 'Seulement ce qui est utile maintenant. On peut en ajouter plus tard, avec elle.',
        multiple: true,
        options: offered.map((value) => ({
          value,
          label: THEMATIQUE[value].titre,
          hint: THEMATIQUE[value].exemples,
          icon: value,
          warning: value === 'argent' ? AVERTISSEMENT_ARGENT : undefined,
        })),
        value: typed.thematiques,
        error: errors.thematiques,
      })}
      ${radios({
        name: 'duree',
        legend: 'Jusqu’à quand ?',
        hint: 'Le plus court qui suffit.',
        options: DUREES_PROPOSEES.map((value) => ({ value, label: DUREE[value] })),
        value: typed.duree,
        error: errors.duree,
      })}
      ${button('Continuer', { icon: 'apres' })}`,
    )}`,
  )
}

/** A month first: proposed, never ticked. */
const DUREES_PROPOSEES = ['mois', 'jour', 'trimestre', 'semestre', 'an'] as const

export const protegeePage = ({ frame }: { frame: Frame }) =>
  page(
    frame,
    'Pas de mandat possible ici',
    html`<p>Quand quelqu’un est officiellement chargé des affaires d’une personne, c’est lui, ou le juge, qui peut donner ce pouvoir. C’est pour la protéger. Il en est de même pour une personne de moins de 18 ans, avec ses parents.</p>
    <p><strong>Rien n’a été gardé.</strong></p>
    <h2>À qui parler</h2>
    <ul>
      <li>La personne chargée de ses affaires : tuteur, curateur, personne habilitée, parents.</li>
      <li>Le service des majeurs protégés du tribunal judiciaire.</li>
      <li>Pour expliquer un courrier ou donner une information, aucun mandat n’est nécessaire.</li>
    </ul>
    ${buttonLink('Retour aux personnes', '/personnes')}`,
  )
