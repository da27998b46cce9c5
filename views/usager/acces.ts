import type { MotifOuverture } from '../../src/audit/audit.ts'
import type { OuvertureVue } from '../../src/audit/queries.ts'
import { deLaStructure } from '../../src/structure/nom.ts'
import type { UsageDuCode } from '../../src/usager/code-queries.ts'
import type { Acces, Structure } from '../../src/usager/queries.ts'
import { back } from '../kit/card.ts'
import { type Html, html } from '../kit/html.ts'
import { type Frame, page } from '../kit/page.ts'
import { facts, pagination } from '../kit/table.ts'
import { heure, jourDeChamp, jourEtHeure, jourLong, liste, majuscule, pluriel, temps } from '../kit/words.ts'

type Props = {
  frame: Frame
  acces: readonly Acces[]
  ouvertures: readonly OuvertureVue[]
  /** What was done with the code of her paper. */
  usages: readonly UsageDuCode[]
  /** Those that know her: her days are told on the clock of the first. */
  structures: readonly Structure[]
  /** True beyond the first page. */
  avant: boolean
  suivant: number | undefined
}

/**
 * Who opened her file: aidants by structure and day, and apart, who directs, with the reasons. « Le responsable » is the word of the text she
 * agreed to (textes/fr-1.md), here as there: « référent » tells her nothing.
 */
export const accesPage = ({ frame, acces, ouvertures, usages, structures, avant, suivant }: Props) =>
  page(
    frame,
    'Qui a ouvert mon dossier',
    html`${
      !avant &&
      html`<h2>Le responsable</h2>
    <p>Le responsable d’une structure doit dire pourquoi il ouvre votre dossier, quand ce n’est pas lui qui vous aide.</p>
    ${
      ouvertures.length > 0
        ? html`<ul>${ouvertures.map(ouvertureLine)}</ul>`
        : html`<p class="empty">Le responsable n’a pas ouvert votre dossier à ce titre.</p>`
    }
    ${usages.length > 0 && codeUses(usages, structures[0]?.fuseau ?? 'Europe/Paris', frame.parCode)}`
    }
    <h2>Les aidants</h2>
    ${avant && back('Revenir aux derniers jours', '/mon-espace/acces')}
    ${
      acces.length > 0
        ? [...grouped(acces, ({ structureNom }) => structureNom)].map(
            ([structure, its]) => html`<h3>${structure}</h3>
    ${facts([...grouped(its, ({ at, fuseau }) => jourDeChamp(at, fuseau)).values()].map(dayOf))}`,
          )
        : html`<p class="empty">Aucun aidant n’a ouvert votre dossier.</p>`
    }
    ${pagination({ next: suivant === undefined ? undefined : `/mon-espace/acces?avant=${suivant}`, label: 'Pages des jours' })}
    <p>Cette liste remonte à 12 mois. Une question sur un nom ? Appelez la structure.</p>`,
  )

const ouvertureLine = ({ openedAt, motif, precision, aidantPrenom, aidantNom, structureNom, fuseau, lus }: OuvertureVue): Html =>
  html`<li>${temps(openedAt, `${majuscule(jourLong(openedAt, fuseau))}, à ${heure(openedAt, fuseau)}`)} : ${aidantPrenom} ${aidantNom}, ${deLaStructure(structureNom)}, <strong>${MOTIF[motif]}</strong>.${precision && html` « ${precision} »`}${lus.length > 0 && ` ${majuscule(liste(lus.map((genre) => GESTE[genre])))}.`}</li>`

const codeUses = (usages: readonly UsageDuCode[], fuseau: string, parCode: boolean | undefined): Html =>
  html`<h2>Le code de votre feuille</h2>
    <ul>${usages.map(({ at, genre }) => html`<li>${USAGE[genre]} ${temps(at, `le ${jourEtHeure(at, fuseau)}`)}.</li>`)}</ul>
    <p>Ce n’était pas vous ? ${parCode ? 'Connectez-vous avec FranceConnect pour changer ce code, ou demandez une autre feuille à la structure.' : html`<a href="/mon-espace/code-papier">Changez ou annulez ce code</a>.`}</p>`

const USAGE = {
  espace_ouvert_par_code: 'Votre code a servi,',
  code_prive_remplace: 'Vous avez pris un nouveau code,',
  code_prive_annule: 'Vous avez annulé votre code,',
  code_prive_bloque: 'Un code a été essayé quinze fois avec une autre année de naissance, et ne sert plus,',
} as const satisfies Record<UsageDuCode['genre'], string>

const MOTIF = {
  demande_de_la_personne: 'à votre demande',
  reclamation: 'pour vous répondre',
  controle: 'pour un contrôle',
  depart_aidant: 'parce qu’un aidant est parti',
  urgence: 'en urgence',
  autre: 'pour une autre raison',
} as const satisfies Record<MotifOuverture, string>

/** What was done besides opening the dossier, which the page's title says for all. */
const GESTE = {
  mandat_consulte: 'a lu un de vos mandats',
  demarche_consultee: 'a lu le détail d’une démarche',
} as const satisfies Record<Exclude<Acces['genre'], 'dossier_consulte'>, string>

/** In the order in which each group is first met. */
const grouped = <T>(list: readonly T[], by: (one: T) => string): Map<string, T[]> => {
  const groups = new Map<string, T[]>()
  for (const one of list) groups.set(by(one), [...(groups.get(by(one)) ?? []), one])
  return groups
}

/** One day in one structure: one line for each aidant, however many times. */
const dayOf = (acces: readonly Acces[]) => {
  const { at, fuseau } = acces[0]!
  const lines = [...grouped(acces, ({ aidantId }) => aidantId).values()].map(accesLine)
  return {
    term: majuscule(jourLong(at, fuseau)),
    value: lines.length > 1 ? html`<ul>${lines.map((line) => html`<li>${line}</li>`)}</ul>` : lines[0],
  }
}

/** « Inès Delmas, à 9 h 12 », or « Inès Delmas a ouvert votre dossier à 9 h 12, et a lu un de vos mandats à 9 h 15 ». */
const accesLine = (acces: readonly Acces[]): Html => {
  const { aidantPrenom, aidantNom } = acces[0]!
  const gestes = grouped(acces, ({ genre }) => genre)
  const opened = gestes.get('dossier_consulte')
  const others = (Object.keys(GESTE) as (keyof typeof GESTE)[]).flatMap((genre) => {
    const group = gestes.get(genre)
    return group ? [`${GESTE[genre]} ${quand(group)}`] : []
  })
  return html`${aidantPrenom} ${aidantNom}${opened && `${others.length > 0 ? ' a ouvert votre dossier' : ','} ${quand(opened)}`}${others.length > 0 && `${opened ? ', et' : ''} ${liste(others)}`}`
}

const quand = (group: readonly Acces[]): string => {
  const hours = [...new Set(group.map(({ at, fuseau }) => heure(at, fuseau)))].reverse()
  return hours.length > 3 ? `${pluriel(group.length, 'fois', 'fois')}, entre ${hours[0]} et ${hours.at(-1)}` : `à ${liste(hours)}`
}
