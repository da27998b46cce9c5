import type { MotifOuverture } from '../../src/audit/audit.ts'
import type { OuvertureRow } from '../../src/audit/queries.ts'
import type { Acces } from '../../src/usager/queries.ts'
import { back } from '../kit/card.ts'
import { type Html, html } from '../kit/html.ts'
import { type Frame, page } from '../kit/page.ts'
import { pagination } from '../kit/table.ts'
import { deLaStructure, heure, jourDeChamp, jourLong, liste, majuscule, pluriel, temps } from '../kit/words.ts'

type Props = {
  frame: Frame
  acces: readonly Acces[]
  ouvertures: readonly OuvertureRow[]
  /** True beyond the first page. */
  avant: boolean
  suivant: number | undefined
}

/** Who opened her file: aidants day by day, and apart, the direction with its reasons. */
export const accesPage = ({ frame, acces, ouvertures, avant, suivant }: Props) =>
  page(
    frame,
    'Qui a ouvert mon dossier',
    html`${
      !avant &&
      html`<h2>La direction</h2>
    <p>La direction d’une structure doit dire pourquoi elle ouvre votre dossier.</p>
    ${
      ouvertures.length > 0
        ? html`<ul>${ouvertures.map(ouvertureLine)}</ul>`
        : html`<p class="empty">La direction n’a pas ouvert votre dossier.</p>`
    }`
    }
    <h2>Les aidants</h2>
    ${avant && back('Revenir aux derniers jours', '/mon-espace/acces')}
    ${
      acces.length > 0
        ? byDay(acces).map(
            ({ day, lines }) => html`<h3>${day}</h3>
    <ul>${lines.map((line) => html`<li>${line}</li>`)}</ul>`,
          )
        : html`<p class="empty">Aucun aidant n’a ouvert votre dossier.</p>`
    }
    ${pagination({ next: suivant === undefined ? undefined : `/mon-espace/acces?avant=${suivant}`, label: 'Pages des jours' })}
    <p>Cette liste remonte à 12 mois. Une question sur un nom ? Appelez la structure.</p>`,
  )

const ouvertureLine = ({ openedAt, motif, precision, aidantPrenom, aidantNom, structureNom, fuseau }: OuvertureRow): Html =>
  html`<li>${temps(openedAt, `${majuscule(jourLong(openedAt, fuseau))}, à ${heure(openedAt, fuseau)}`)} : ${aidantPrenom} ${aidantNom}, ${deLaStructure(structureNom)}, <strong>${MOTIF[motif]}</strong>.${precision && html` «\u00a0${precision}\u00a0»`}</li>`

const MOTIF = {
  demande_de_la_personne: 'à votre demande',
  reclamation: 'à la suite d’une réclamation',
  controle: 'pour un contrôle',
  depart_aidant: 'parce qu’un aidant est parti',
  urgence: 'en urgence',
  autre: 'pour une autre raison',
} as const satisfies Record<MotifOuverture, string>

const GESTE = {
  dossier_consulte: 'a ouvert votre dossier',
  mandat_consulte: 'a lu un de vos mandats',
  demarche_consultee: 'a lu le détail d’une démarche',
} as const satisfies Record<Acces['genre'], string>

/** One line a day for each aidant and each thing looked at, however many times. */
const byDay = (acces: readonly Acces[]): { day: string; lines: Html[] }[] => {
  const days = new Map<string, Map<string, Acces[]>>()
  for (const one of acces) {
    const day = jourDeChamp(one.at, one.fuseau)
    const same = `${one.aidantId} ${one.structureNom} ${one.genre}`
    const lines = days.get(day) ?? new Map<string, Acces[]>()
    days.set(day, lines.set(same, [...(lines.get(same) ?? []), one]))
  }
  return [...days.values()].map((lines) => {
    const groups = [...lines.values()]
    const first = groups[0]![0]!
    return { day: majuscule(jourLong(first.at, first.fuseau)), lines: groups.map(accesLine) }
  })
}

const accesLine = (group: readonly Acces[]): Html => {
  const { aidantPrenom, aidantNom, structureNom, genre, fuseau } = group[0]!
  const hours = [...new Set(group.map(({ at }) => heure(at, fuseau)))].reverse()
  const when =
    hours.length > 3 ? `${pluriel(group.length, 'fois', 'fois')}, entre ${hours[0]} et ${hours.at(-1)}` : `à ${liste(hours)}`
  return html`${aidantPrenom} ${aidantNom}, ${deLaStructure(structureNom)}, ${GESTE[genre]} ${when}.`
}
