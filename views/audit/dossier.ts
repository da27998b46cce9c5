import { OUVERTURE_MINUTES } from '../../src/audit/audit.ts'
import type { OuvertureRow } from '../../src/audit/queries.ts'
import type { DemarcheRow } from '../../src/demarche/queries.ts'
import { isInForce } from '../../src/mandat/mandat.ts'
import type { MandatEtat } from '../../src/mandat/queries.ts'
import type { UsagerRow } from '../../src/usager/queries.ts'
import { alert, etat, success } from '../kit/alert.ts'
import { type Html, html } from '../kit/html.ts'
import { type Frame, page } from '../kit/page.ts'
import { facts, type Moment, pagination, table, timeline } from '../kit/table.ts'
import {
  auSoir,
  contestationEnMots,
  correctionEnMots,
  de,
  enMots,
  FAITE_APRES_DEMANDE,
  FIN,
  faitsNotes,
  heure,
  jour,
  jourEtHeure,
  KIND,
  majuscule,
  nomComplet,
  resultatEtQui,
  THEMATIQUE,
  temps,
} from '../kit/words.ts'
import { MOTIF_OUVERTURE } from './words.ts'

type Props = {
  frame: Frame
  usager: UsagerRow
  ouverture: OuvertureRow
  mandats: readonly MandatEtat[]
  demarches: readonly DemarcheRow[]
  /** Those done after a request to stop had come. */
  signalees: ReadonlySet<string>
  suivante?: string | undefined
  /** Where she came from. */
  retour: Html
  /** What she has just noted. */
  notee?: DemarcheRow | undefined
}

/** A dossier while a référent has it open. */
export const dossierPage = ({ frame, usager, ouverture, mandats, demarches, signalees, suivante, retour, notee }: Props) => {
  const { fuseau } = ouverture
  const until = new Date(ouverture.openedAt.getTime() + OUVERTURE_MINUTES * 60_000)
  return page(
    // The tab's title stays in the browser's history: it names nobody.
    { ...frame, heading: `Dossier ${de(nomComplet(usager))}`, above: retour },
    'Dossier',
    html`${notee && success(notee.genre === 'reguliere' ? 'Démarche notée' : KIND[notee.genre], html`<a href="/demarches/${notee.id}">${notee.titre ?? 'La relire'}</a>`)}${alert(
      `Dossier ouvert jusqu’à ${heure(until, fuseau)}`,
      html`<p>${MOTIF_OUVERTURE[ouverture.motif]}${ouverture.precision && html` : ${ouverture.precision}`}. La personne voit cette ouverture et sa raison.</p>`,
      'info',
    )}
    ${table({
      caption: 'Mandats avec votre structure',
      columns: [
        { head: 'Mandat', cell: ({ id, perimetre }) => html`<a href="/mandats/${id}">${majuscule(enMots(perimetre))}</a>` },
        {
          head: 'État',
          cell: (m) =>
            html`${etat(m.etat, m.etat === 'actif' && m.enPause.length > 0 ? `En cours, ${enMots(m.enPause)} en pause` : undefined)}${m.endedHow && html` ${FIN[m.endedHow]}`}${finies(m).length > 0 && html` N’est plus en cours pour : ${enMots(finies(m))}`}`,
        },
        { head: 'Signé le', cell: (m) => temps(m.signedAt, jour(m.signedAt, m.fuseau)) },
        { head: 'Jusqu’au', cell: (m) => (m.endedAt ? jourEtHeure(m.endedAt, m.fuseau) : auSoir(m.expiresAt, m.fuseau)) },
        { head: 'Demande d’arrêt reçue', cell: (m) => m.recuLe !== null && jourEtHeure(m.recuLe, m.fuseau) },
      ],
      rows: mandats,
      empty: 'Aucun mandat.',
    })}
    <h2>Démarches</h2>
    <p>Les réclamations n’y sont pas : seules la personne et qui les a notées les lisent.</p>
    ${timeline(
      demarches.map((one) => moment(one, signalees.has(one.id))),
      'Aucune démarche.',
    )}
    ${pagination({ next: suivante, label: 'Pages des démarches' })}`,
  )
}

/** Of a mandat that goes on, what of it does not. */
const finies = (mandat: MandatEtat) =>
  isInForce(mandat) ? mandat.perimetre.filter((one) => !mandat.enVigueur.includes(one) && !mandat.enPause.includes(one)) : []

const moment = (d: DemarcheRow, signalee: boolean): Moment => ({
  when: html`${temps(d.doneAt, jourEtHeure(d.doneAt, d.fuseau))}${
    jourEtHeure(d.doneAt, d.fuseau) !== jourEtHeure(d.recordedAt, d.fuseau) &&
    html`, notée le ${temps(d.recordedAt, jourEtHeure(d.recordedAt, d.fuseau))}`
  }`,
  what: html`<a href="/demarches/${d.id}">${d.titre ?? 'Démarche'}</a>`,
  who: resultatEtQui(d, 'notée par'),
  more: html`${signalee && html`<p><strong>${FAITE_APRES_DEMANDE}</strong></p>`}${d.genre !== 'reguliere' && html`<p><strong>${KIND[d.genre]}</strong>${d.motifHorsMandat && ` : ${d.motifHorsMandat}`}</p>`}${[correctionEnMots(d), contestationEnMots(d)].map((words) => words && html`<p><strong>${words}</strong></p>`)}${facts(
    [
      { term: 'Thématique', value: d.thematique !== null && THEMATIQUE[d.thematique].titre },
      { term: 'Administration', value: d.administration },
      ...faitsNotes(d),
    ],
  )}`,
  kind: d.genre === 'reguliere' && !signalee && !d.correction && !d.contestation ? 'ordinary' : 'apart',
})
