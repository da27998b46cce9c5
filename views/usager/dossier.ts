import { suggestions } from '../../src/demarche/demarche.ts'
import type { DemarcheRow } from '../../src/demarche/queries.ts'
import { isInForce, seTermineBientot } from '../../src/mandat/mandat.ts'
import type { MandatEtat } from '../../src/mandat/queries.ts'
import type { AutreFiche, Contacts, UsagerRow } from '../../src/usager/queries.ts'
import { alert, etat, success } from '../kit/alert.ts'
import { back, card } from '../kit/card.ts'
import { buttonLink, buttons } from '../kit/form.ts'
import { type Html, html } from '../kit/html.ts'
import { type Frame, page } from '../kit/page.ts'
import { facts, pagination, table, timeline } from '../kit/table.ts'
import {
  auSoir,
  correctionEnMots,
  dateEcrite,
  ETAPE_QUI,
  enMots,
  FIN,
  finLe,
  jour,
  jourEtHeure,
  KIND,
  majuscule,
  nomComplet,
  nomCourant,
  resultatEtQui,
  suiviEnMots,
  temps,
} from '../kit/words.ts'

type Props = {
  frame: Frame
  usager: UsagerRow & Contacts
  mandats: readonly MandatEtat[]
  demarches: readonly DemarcheRow[]
  /** Codes of those noted lately, latest first. */
  recents: readonly string[]
  /** Other dossiers of the same civil status here. */
  fiches: readonly AutreFiche[]
  /** True beyond the first page. */
  apres: boolean
  suivant: string | undefined
  /** The démarche just noted. */
  notee: DemarcheRow | undefined
  /** The aidant who reads. */
  moi: string
  fuseau: string
  now: Date
}

/** What the structure's aidants see of a person: her mandats, and what was done. */
export const dossierPage = ({
  frame,
  usager,
  mandats,
  demarches,
  recents,
  fiches,
  apres,
  suivant,
  notee,
  moi,
  fuseau,
  now,
}: Props) => {
  const here = `/personnes/${usager.id}`
  const inForce = mandats.filter(isInForce)
  const over = ['expire', 'termine'].flatMap((state) => mandats.filter(({ etat }) => etat === state))
  // Without a mandat in force, only its author still reads what she noted.
  const readable = ({ aidantId }: DemarcheRow) => inForce.length > 0 || aidantId === moi
  // Of a person told on paper, no former contact would learn that one was given in her name; all paused, she has told them to wait.
  const changer =
    usager.suivi === 'papier' && !usager.email && !usager.telephone
      ? 'Un numéro ou une adresse se donne dans son espace, ou à son prochain mandat.'
      : mandats.some(({ etat }) => etat === 'actif') && html`<a href="${here}/contact">Changer avec elle</a>`
  return page(
    // The tab's title stays in the browser's history: it names nobody.
    { ...frame, heading: nomComplet(usager), above: back('Personnes', '/personnes') },
    'Dossier',
    html`${notee && noted(notee)}
    ${facts([
      { term: 'Naissance', value: dateEcrite(usager.birthdate) },
      ...fiches.map(autreFiche),
      {
        term: 'Pour la prévenir',
        value: inForce.length > 0 && html`${suiviEnMots(usager)}. ${changer}`,
      },
    ])}
    ${
      inForce.length === 0 &&
      alert(
        'Aucun mandat en cours',
        `Vous ne pouvez plus agir pour ${nomCourant(usager)}. Le détail des démarches et le texte des mandats ne sont plus visibles, sauf de ce que vous avez noté ou fait signer vous-même.`,
        'info',
      )
    }
    ${GROUPS.map(({ state, title }) => {
      const group = mandats.filter(({ etat }) => etat === state)
      return group.length > 0 && html`<h2>${title}</h2>${group.map((mandat) => inForceCard(mandat, recents, now))}`
    })}
    ${buttons([buttonLink('Nouveau mandat', '/mandats/expliquer', { kind: inForce.length > 0 ? 'secondary' : 'primary' })])}
    ${over.length > 0 && html`<h2>Mandats finis</h2>${overTable(over)}`}
    <h2 id="fait">Ce qui a été fait</h2>
    ${apres && back('Revenir aux dernières démarches', `${here}#fait`)}
    ${timeline(
      demarches.map((demarche) => ({
        when: temps(demarche.doneAt, jourEtHeure(demarche.doneAt, fuseau)),
        what: readable(demarche) ? html`<a href="/demarches/${demarche.id}">${titleOf(demarche)}</a>` : titleOf(demarche),
        who: resultatEtQui(demarche, 'par'),
        more: html`${apartOf(demarche, fuseau)}${correctionDe(demarche)}${nextOf(demarche)}`,
        kind: demarche.genre === 'reguliere' ? 'ordinary' : 'apart',
      })),
      'Rien n’a encore été noté.',
    )}
    ${pagination({ next: suivant && `${here}?apres=${suivant}#fait`, label: 'Pages des démarches' })}`,
  )
}

/** Said by her, or only likely: an aidant unites nothing. */
const autreFiche = ({ id, reunie }: AutreFiche) => ({
  term: reunie ? 'La même personne' : 'Même état civil',
  value: reunie
    ? html`<a href="/personnes/${id}">Son autre fiche</a>, sous un autre identifiant FranceConnect : elle les a réunies dans son espace.`
    : html`<a href="/personnes/${id}">Une autre fiche</a>, sous un autre identifiant FranceConnect. Si c’est elle, après une correction de son état civil, elle seule peut les réunir : dans son espace, avec sa feuille d’avant.`,
})

const GROUPS = [
  { state: 'actif', title: 'Mandats en cours' },
  { state: 'suspendu', title: 'Mandats en pause' },
] as const

const noteAddress = (mandat: MandatEtat) => `/mandats/${mandat.id}/demarches/nouvelle`

const DIRECTES = 3

const inForceCard = (mandat: MandatEtat, recents: readonly string[], now: Date): Html => {
  const { id, enPause, enVigueur, expiresAt, fuseau } = mandat
  const active = mandat.etat === 'actif'
  const soon = active && seTermineBientot(mandat, now)
  const see = buttonLink('Voir le mandat', `/mandats/${id}`, { kind: 'link' })
  return card({
    title: majuscule(enMots(active ? enVigueur : enPause)),
    level: 3,
    state: mandat.etat,
    body: html`<p>${etat(mandat.etat, soon ? 'Se termine bientôt' : undefined)} Jusqu’au ${temps(expiresAt, auSoir(expiresAt, fuseau))}.</p>
    ${active && enPause.length > 0 && html`<p>En pause : ${enMots(enPause)}.</p>`}
    ${!active && html`<p>La personne a mis ce mandat en pause : on ne peut pas agir tant que dure cette pause.</p>`}`,
    foot: active
      ? html`${buttons([
          buttonLink('Noter une démarche', noteAddress(mandat), { icon: 'fait', large: true }),
          soon && buttonLink('Renouveler', `/mandats/${id}/renouveler`, { kind: 'secondary' }),
          see,
        ])}
        <p>Noter directement :</p>
        <ul>${suggestions(enVigueur, recents)
          .slice(0, DIRECTES)
          .map(({ code, libelle }) => html`<li><a href="${noteAddress(mandat)}?demarche=${code}">${libelle}</a></li>`)}</ul>`
      : buttons([see, buttonLink('Noter une démarche faite avant la pause', noteAddress(mandat), { kind: 'link' })]),
  })
}

/** Those that came to their date, then those stopped before it: an act done before the end may still be noted. */
const overTable = (mandats: readonly MandatEtat[]): Html =>
  table({
    caption: 'Mandats finis',
    quiet: true,
    columns: [
      { head: 'Mandat', cell: ({ id, perimetre }) => html`<a href="/mandats/${id}">${majuscule(enMots(perimetre))}</a>` },
      { head: 'État', cell: (mandat) => etat(mandat.etat) },
      { head: 'Fin', cell: endOf },
      { head: 'Oubli à réparer', cell: (mandat) => html`<a href="${noteAddress(mandat)}">Noter une démarche d’avant la fin</a>` },
    ],
    rows: mandats,
    empty: '',
  })

const endOf = ({ expiresAt, endedAt, endedHow, recuLe, fuseau }: MandatEtat) => {
  if (endedAt && endedHow) return `${majuscule(FIN[endedHow])}${finLe(endedAt, recuLe, fuseau)}`
  return html`${temps(expiresAt, auSoir(expiresAt, fuseau))}${recuLe && `, demande d’arrêt reçue le ${jourEtHeure(recuLe, fuseau)}`}`
}

/** What no list shows: the title of what is sensitive, or no longer readable. */
const titleOf = ({ titre, sensible }: DemarcheRow) => titre ?? (sensible ? 'Démarche confidentielle' : 'Démarche')

const apartOf = ({ genre, recordedAt }: DemarcheRow, fuseau: string) =>
  genre !== 'reguliere' &&
  html`<p><strong>${KIND[genre]}</strong>${genre === 'apres_coup' && `, le ${jour(recordedAt, fuseau)}`}</p>`

const correctionDe = (demarche: DemarcheRow) => {
  const words = correctionEnMots(demarche)
  return words && html`<p><strong>${words}</strong></p>`
}

/** « Ensuite, la personne : Apporter le dernier avis d’imposition, pour le 3 mars 2027 ». */
const nextOf = ({ etapeQuoi, etapeQui, etapeQuand }: DemarcheRow) =>
  etapeQuoi !== null &&
  html`<p>Ensuite${etapeQui && `, ${ETAPE_QUI[etapeQui].toLocaleLowerCase('fr')}`} : ${etapeQuoi}${etapeQuand && `, pour le ${dateEcrite(etapeQuand)}`}</p>`

const noted = ({ id, genre, titre, sensible }: DemarcheRow) => {
  const again = html`<a href="/demarches/${id}">La relire</a>`
  const what = !sensible && titre && `${titre}. `
  if (genre === 'apres_coup')
    return success(
      'Démarche notée après coup',
      html`${what}Les deux dates sont gardées : le jour où elle a été faite, et aujourd’hui. ${again}`,
    )
  if (genre === 'hors_mandat')
    return success('Acte hors mandat noté', html`${what}La personne et le référent de votre structure le voient. ${again}`)
  return success('Démarche notée', html`${what}La personne peut la lire dans son espace. ${again}`)
}
