import { COMPTE_MAX } from '../../src/audit/audit.ts'
import type { AidantRow, LigneRow } from '../../src/audit/queries.ts'
import { alert } from '../kit/alert.ts'
import { button, type Errors, errorSummary, form, input, results, select, type Values } from '../kit/form.ts'
import { html } from '../kit/html.ts'
import { type Frame, page } from '../kit/page.ts'
import { type Moment, pagination, timeline } from '../kit/table.ts'
import { FAITE_APRES_DEMANDE, jourEtHeure, KIND, nombre, nomCourant, pluriel, THEMATIQUE, temps } from '../kit/words.ts'
import { ACTION, detailEnMots, faitEnMots, quiEnMots, raison, receptionEnMots } from './words.ts'

type Props = {
  frame: Frame
  lignes: readonly LigneRow[]
  compte: number
  aidants: readonly AidantRow[]
  fuseau: string
  values: Values
  errors?: Errors
  /** Address of the next page. */
  suivante?: string | undefined
  /** Address of the first page, when this is another. */
  premiere?: string | undefined
}

const JOURNAL = '/structure/journal'

/** The journal of a structure, for its référents. */
export const journalPage = ({ frame, lignes, compte, aidants, fuseau, values, errors = {}, suivante, premiere }: Props) => {
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
    <p>Ce qui a été fait au nom de votre structure. Le service ne laisse personne y changer ni y effacer une ligne. Le contenu des démarches confidentielles ne se lit que dans le dossier de la personne, ouvert avec une raison qu’elle voit ; le filtre par thématique les laisse de côté.</p>
    <p>La preuve d’une ligne est un fichier qui permet de montrer qu’elle n’a pas été modifiée depuis. Celle d’une démarche ne dit ce qui a été fait que pendant que vous avez le dossier ouvert.</p>
    ${form(
      {
        action: JOURNAL,
        method: 'get',
        label: 'Filtrer le journal',
        attrs: {
          class: 'search',
          'hx-get': JOURNAL,
          'hx-trigger': 'change, submit',
          'hx-target': '#resultats',
          'hx-select': '#resultats',
          'hx-swap': 'outerMorph',
          'hx-replace-url': 'true',
          'hx-sync': 'this:replace',
        },
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
      html`${Object.keys(values).length > 0 && html`<p><a href="${JOURNAL}">Effacer les filtres</a></p>`}
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

const moment = (ligne: LigneRow, fuseau: string): Moment => {
  const { at, action, genre, doneAt, usagerId, prenoms, nomNaissance, nomUsage } = ligne
  const personne =
    prenoms && nomNaissance
      ? html`<a href="/structure/personnes/${usagerId}?de=journal">${nomCourant({ prenoms, nomNaissance, nomUsage })}</a>`
      : 'une personne dont le dossier est archivé ou effacé'
  const detail = detailEnMots(ligne)
  const reception = receptionEnMots(ligne, fuseau)
  const apart = action === 'acte_hors_mandat' || genre === 'apres_coup' || ligne.signalee === true
  return {
    when: temps(at, jourEtHeure(at, fuseau)),
    what: faitEnMots(ligne),
    who: html`${quiEnMots(ligne)}${usagerId && html`, ${ligne.acteur !== 'usager' && 'pour '}${personne}`}`,
    more: html`${detail && html`<p>${detail}</p>`}${ligne.signalee && html`<p><strong>${FAITE_APRES_DEMANDE}</strong></p>`}${reception && html`<p>${reception}</p>`}${genre === 'apres_coup' && html`<p>${KIND.apres_coup}${doneAt && ` : faite le ${jourEtHeure(doneAt, fuseau)}`}</p>`}
      ${action === 'acte_hors_mandat' && doneAt && html`<p>Faite le ${jourEtHeure(doneAt, fuseau)}</p>`}
      ${raison(ligne.motifHorsMandat ?? ligne.precision)}
      <p><a href="${JOURNAL}/${ligne.id}/preuve.tlog-proof">Preuve de la ligne ${nombre(ligne.id)}</a></p>`,
    kind: apart ? 'apart' : 'ordinary',
  }
}
