import { type ActionCherchee, COMPTE_MAX, EXPORT_MAX, MANDATS_MAX } from '../../src/audit/audit.ts'
import type { ExportRefusal } from '../../src/audit/export.ts'
import type { Filtre } from '../../src/audit/forms.ts'
import type { AidantRow, CompteRow, LigneRow } from '../../src/audit/queries.ts'
import { FINS } from '../../src/mandat/mandat.ts'
import { alert } from '../kit/alert.ts'
import { back, more } from '../kit/card.ts'
import { csv } from '../kit/csv.ts'
import {
  button,
  buttons,
  type Errors,
  errorSummary,
  form,
  hidden,
  imprimer,
  input,
  refreshing,
  results,
  select,
  type Values,
} from '../kit/form.ts'
import { type Html, html } from '../kit/html.ts'
import { type Frame, page } from '../kit/page.ts'
import { facts, type Moment, pagination, timeline } from '../kit/table.ts'
import {
  dateEcrite,
  ETAT,
  FAITE_APRES_DEMANDE,
  FIN,
  heure,
  jourDeChamp,
  jourEtHeure,
  KIND,
  nombre,
  pluriel,
  THEMATIQUE,
  temps,
} from '../kit/words.ts'
import { ACTION, detailEnMots, faitEnMots, faiteLe, personneEnMots, quiEnMots, raison, receptionEnMots } from './words.ts'

type Props = {
  frame: Frame
  lignes: readonly LigneRow[]
  compte: number
  aidants: readonly AidantRow[]
  /** Of the whole journal, from its first page. */
  comptes: readonly CompteRow[] | 'trop' | undefined
  fuseau: string
  values: Values
  /** As it was read from `values`; undefined when it is refused. */
  filtre: Filtre | undefined
  errors?: Errors
  refusal?: ExportRefusal | undefined
  /** Address of the next page. */
  suivante?: string | undefined
  /** Address of the first page, when this is another. */
  premiere?: string | undefined
}

const JOURNAL = '/structure/journal'

/** What the mandats of the structure have become. Stopped and come to its end are two things, and two numbers. */
function mandatsComptes(comptes: readonly CompteRow[] | 'trop'): Html {
  const title = 'Les mandats de la structure'
  if (comptes === 'trop') return more(title, html`<p>Il y en a plus de ${nombre(MANDATS_MAX)} : ils ne se comptent pas ici.</p>`)
  const of = (found: (compte: CompteRow) => boolean) => comptes.filter(found).reduce((sum, { nombre }) => sum + nombre, 0)
  const listed = (etat: 'expire' | 'termine', action: ActionCherchee) => {
    const count = of((one) => one.etat === etat)
    return count === 0 ? nombre(0) : html`<a href="${JOURNAL}?action=${action}">${pluriel(count, 'mandat')}</a>`
  }
  const ways = FINS.map((how) => [of((one) => one.how === how), FIN[how]] as const).filter(([count]) => count > 0)
  const enCours = nombre(of(({ etat }) => etat === 'actif'))
  return more(
    `${title} : ${enCours} en cours`,
    facts([
      { term: ETAT.actif, value: enCours },
      { term: ETAT.suspendu, value: nombre(of(({ etat }) => etat === 'suspendu')) },
      { term: ETAT.expire, value: listed('expire', 'mandat_expire') },
      {
        term: ETAT.termine,
        value: html`${listed('termine', 'mandat_termine')}${ways.length > 0 && html` : ${ways.map(([count, words]) => `${nombre(count)} ${words}`).join(', ')}`}`,
      },
    ]),
  )
}

/** The journal of a structure, for its référents. */
export const journalPage = (props: Props) => {
  const { frame, lignes, compte, aidants, fuseau, values, filtre, errors = {}, refusal, suivante, premiere } = props
  const field = (name: string) => ({ name, value: values[name], error: errors[name], optional: true })
  const wrong = Object.entries(errors).filter((entry): entry is [string, string] => Boolean(entry[1]))
  const count =
    wrong.length > 0
      ? 'Filtre à revoir'
      : compte > COMPTE_MAX
        ? `Plus de ${nombre(COMPTE_MAX)} lignes`
        : pluriel(compte, 'ligne', 'lignes', 'Aucune ligne')
  return page(
    { ...frame, invalid: Object.keys(errors).length > 0 },
    'Journal de la structure',
    html`${errorSummary(errors)}
    ${refusal && alert('Rien n’est exporté', REFUSAL[refusal])}
    <p>Ce qui a été fait au nom de votre structure. Ce que vous exportez est noté au journal ; gardez-le comme un dossier.</p>
    ${more(
      'Ce que ce journal cache, et ce qu’il prouve',
      html`<p>Le service ne laisse personne y changer ni y effacer une ligne. Le contenu des démarches confidentielles ne se lit que dans le dossier de la personne, ouvert avec une raison qu’elle voit ; le filtre par thématique les laisse de côté.</p>
    <p>La preuve d’une ligne est un fichier qui permet de montrer qu’elle n’a pas été modifiée depuis. Celle d’une démarche ne dit ce qui a été fait que pendant que vous avez le dossier ouvert.</p>
    <p>Une personne peut ne pas être d’accord avec un acte, et craindre son aidant : qui l’a noté ne lit ici ni ce désaccord ni la réponse, sauf s’il est seul à diriger. Pour la même raison, une thématique reprise ne dit pas par qui, et n’a pas de preuve à télécharger ici : la personne l’a dans son espace.</p>`,
    )}
    ${props.comptes && mandatsComptes(props.comptes)}
    ${form(
      {
        action: JOURNAL,
        method: 'get',
        label: 'Filtrer le journal',
        attrs: refreshing(JOURNAL, 'change, submit'),
      },
      html`${input({ ...field('du'), label: 'Du', type: 'date', size: 12 })}
      ${input({ ...field('au'), label: 'Au', type: 'date', size: 12 })}
      ${select({ ...field('aidant'), label: 'Aidant', empty: 'Tous', options: aidants.map(({ id, prenom, nom }) => ({ value: id, label: `${prenom} ${nom}` })) })}
      ${select({
        ...field('thematique'),
        label: 'Thématique',
        empty: 'Toutes',
        options: Object.entries(THEMATIQUE).map(([value, { titre }]) => ({ value, label: titre })),
      })}
      ${select({ ...field('action'), label: 'Ce qui s’est passé', empty: 'Tout', options: ACTION })}
      ${button('Filtrer', { kind: 'secondary', icon: 'chercher' })}`,
    )}
    ${results(
      count,
      html`${filtre && filtreDit(filtre, aidants)}
      ${Object.keys(values).length > 0 && html`<p class="pages"><a href="${JOURNAL}">Effacer les filtres</a></p>`}
      ${
        filtre &&
        lignes.length > 0 &&
        form(
          { action: `${JOURNAL}/export`, label: 'Emporter ces lignes' },
          html`${Object.entries(values).map(([name, value]) => hidden(name, String(value)))}
      ${buttons([
        button('Exporter pour un tableur', { name: 'forme', value: 'csv', kind: 'secondary' }),
        button('Version à imprimer', { name: 'forme', value: 'page', kind: 'secondary' }),
      ])}`,
        )
      }
      ${premiere && html`<p><a href="${premiere}">Revenir aux lignes les plus récentes</a></p>`}
      ${
        // Here too, since htmx refreshes this part alone; it takes no focus from who is still typing a date.
        wrong.length > 0
          ? alert(
              'Ce filtre ne peut pas servir',
              html`<ul>${wrong.map(([name, error]) => html`<li><a href="#champ-${name}">${error}</a></li>`)}</ul>`,
            )
          : timeline(
              lignes.map((ligne) => moment(ligne, fuseau)),
              'Aucune ligne ne correspond.',
            )
      }
      ${pagination({ next: suivante })}`,
    )}`,
  )
}

type ImprimeProps = {
  frame: Frame
  lignes: readonly LigneRow[]
  aidants: readonly AidantRow[]
  fuseau: string
  filtre: Filtre
  now: Date
}

/** All that a filter finds, to be printed. */
export const journalImprimePage = ({ frame, lignes, aidants, fuseau, filtre, now }: ImprimeProps) =>
  page(
    { ...frame, bare: true, above: back('Journal de la structure', JOURNAL), script: 'imprimer.js' },
    'Journal de la structure',
    html`${imprimer()}
    <p>${pluriel(lignes.length, 'ligne', 'lignes', 'Aucune ligne')}, le ${jourEtHeure(now, fuseau)}. Le contenu des démarches confidentielles n’y est pas.</p>
    ${filtreDit(filtre, aidants)}
    ${timeline(
      lignes.map((ligne) => moment(ligne, fuseau)),
      'Aucune ligne ne correspond.',
    )}`,
  )

/** What a spreadsheet shows: what the page shows, a line a row. */
export const journalCsv = (lignes: readonly LigneRow[], fuseau: string): string =>
  csv([
    ['Ligne', 'Date', 'Heure', 'Ce qui s’est passé', 'Détail', 'Qui', 'Pour qui', 'Faite le', 'Demande d’arrêt', 'Raison'],
    ...lignes.map((ligne) => [
      String(ligne.id),
      jourDeChamp(ligne.at, fuseau),
      heure(ligne.at, fuseau),
      faitEnMots(ligne),
      [
        detailEnMots(ligne),
        ligne.genre === 'apres_coup' && KIND.apres_coup,
        ligne.annulee && ANNULEE,
        ligne.contestee && CONTESTEE,
      ]
        .filter(Boolean)
        .join(', '),
      quiEnMots(ligne),
      ligne.usagerId ? personneEnMots(ligne) : '',
      faiteLe(ligne, fuseau) ?? '',
      receptionEnMots(ligne, fuseau) ?? '',
      ligne.motifHorsMandat ?? ligne.precision ?? '',
    ]),
  ])

const CONTESTEE = 'Contestée, sans réponse'
const ANNULEE = 'Notée par erreur'

const REFUSAL = {
  trop_de_lignes: `Il y a plus de ${nombre(EXPORT_MAX)} lignes : choisissez une période plus courte, ou un filtre.`,
} as const satisfies Record<ExportRefusal, string>

/** « Filtre : à partir du 1er mars 2026 ; Inès Faure »: on paper the form is not there to say it. */
const filtreDit = ({ du, au, aidant, thematique, action }: Filtre, aidants: readonly AidantRow[]): Html | false => {
  const who = aidants.find(({ id }) => id === aidant)
  const words = [
    du && `à partir du ${dateEcrite(du)}`,
    au && `jusqu’au ${dateEcrite(au)}`,
    who && `${who.prenom} ${who.nom}`,
    thematique && THEMATIQUE[thematique].titre,
    action && ACTION[action],
  ].filter(Boolean)
  return words.length > 0 && html`<p>Filtre : ${words.join(' ; ')}</p>`
}

const moment = (ligne: LigneRow, fuseau: string): Moment => {
  const { at, action, genre, usagerId, nomNaissance } = ligne
  const words = personneEnMots(ligne)
  const personne = nomNaissance ? html`<a href="/structure/personnes/${usagerId}?de=journal">${words}</a>` : words
  const done = faiteLe(ligne, fuseau)
  const detail = detailEnMots(ligne)
  const reception = receptionEnMots(ligne, fuseau)
  const apart =
    action === 'acte_hors_mandat' || genre === 'apres_coup' || ligne.signalee === true || ligne.contestee || ligne.annulee
  return {
    when: temps(at, jourEtHeure(at, fuseau)),
    what: faitEnMots(ligne),
    who: html`${quiEnMots(ligne)}${usagerId && html`, ${ligne.acteur !== null && ligne.acteur !== 'usager' && 'pour '}${personne}`}`,
    more: html`${detail && html`<p>${detail}</p>`}${ligne.signalee && html`<p><strong>${FAITE_APRES_DEMANDE}</strong></p>`}${ligne.annulee && html`<p><strong>${ANNULEE}</strong></p>`}${ligne.contestee && html`<p><strong>${CONTESTEE}</strong></p>`}${reception && html`<p>${reception}</p>`}${genre === 'apres_coup' && html`<p>${KIND.apres_coup}${done && ` : faite le ${done}`}</p>`}
      ${action === 'acte_hors_mandat' && done && html`<p>Faite le ${done}</p>`}
      ${raison(ligne.motifHorsMandat ?? ligne.precision)}
      ${ligne.corrigeeId && nomNaissance && html`<p><a href="/demarches/${ligne.corrigeeId}">Lire la démarche corrigée</a></p>`}
      ${ligne.acteur !== null && html`<p><a href="${JOURNAL}/${ligne.id}/preuve.tlog-proof">Preuve de la ligne ${nombre(ligne.id)}</a></p>`}`,
    kind: apart ? 'apart' : 'ordinary',
  }
}
