import { type CatalogueItem, proposees } from '../../src/demarche/demarche.ts'
import { AUTRE, PAR_DEFAUT } from '../../src/demarche/forms.ts'
import type { DejaNotee } from '../../src/demarche/queries.ts'
import type { RecordRefusal } from '../../src/demarche/record.ts'
import { type Autorisation, THEMATIQUES, type Thematique } from '../../src/mandat/mandat.ts'
import type { MandatEtat } from '../../src/mandat/queries.ts'
import type { UsagerRow } from '../../src/usager/queries.ts'
import { alert } from '../kit/alert.ts'
import { back, more } from '../kit/card.ts'
import {
  button,
  buttonLink,
  buttons,
  type Choice,
  type Errors,
  errorSummary,
  form,
  hidden,
  input,
  radios,
  select,
  textarea,
  tiles,
  type Values,
} from '../kit/form.ts'
import { type Html, html } from '../kit/html.ts'
import { type Frame, page } from '../kit/page.ts'
import {
  auSoir,
  CANAL,
  de,
  ETAPE_QUI,
  enMots,
  FIN,
  heure,
  jourEtHeure,
  MINUTES,
  MODE,
  MOTIF_BLOCAGE,
  NATURE,
  nomComplet,
  nomCourant,
  PRESENCE,
  RESULTAT,
  THEMATIQUE,
  temps,
} from '../kit/words.ts'
import { alertesEnMots, pourquoiHorsMandat, REFUSAL } from './words.ts'

type NewDemarcheProps = {
  frame: Frame
  mandat: MandatEtat
  usager: UsagerRow
  autorisations: readonly Autorisation[]
  /** The most useful first. */
  suggestions: readonly CatalogueItem[]
  /** The same, of what the mandat does not allow. */
  ailleurs: readonly CatalogueItem[]
  envoi: string
  values?: Values
  errors?: Errors
  refusal?: RecordRefusal | undefined
  /** With the refusal `deja_notee`: the démarche that is the same. */
  deja?: DejaNotee | undefined
  /** The page of an act outside the mandat, which asks why; `done` when the answers were found to be one. */
  horsMandat?: { done?: { thematique: Thematique; at: Date } | undefined } | undefined
}

const TUILES = 8

const choice = ({ code, libelle, thematique, administration, alertes }: CatalogueItem): Choice => {
  const { alerte, echeance } = alertesEnMots(alertes)
  return {
    value: code,
    label: libelle,
    hint: echeance ? `${administration}. ${echeance}.` : administration,
    icon: thematique,
    warning: alerte,
  }
}

const PRECISIONS = [
  'faiteLe',
  'nature',
  'mode',
  'presence',
  'canal',
  'duree',
  'administration',
  'motifBlocage',
  'reference',
  'montant',
  'etapeQuoi',
  'etapeQui',
  'etapeQuand',
  'orientation',
  'note',
] as const

/** Refused when it was to be recorded, but said of one field: shown where it is mended. */
const FIELD_OF: Partial<Record<RecordRefusal, (typeof PRECISIONS)[number]>> = {
  done_at_futur: 'faiteLe',
  montant_sans_presence: 'presence',
  ensemble_sans_elle: 'presence',
}

export const newDemarchePage = (props: NewDemarcheProps) => {
  const { frame, mandat, usager, autorisations, envoi, values = {}, refusal, deja, horsMandat } = props
  const field = refusal && FIELD_OF[refusal]
  const errors = field ? { ...props.errors, [field]: REFUSAL[refusal] } : (props.errors ?? {})
  const address = `/mandats/${mandat.id}/demarches`
  const done = horsMandat?.done
  // Nothing of it was sent yet: she did not come from a démarche that the mandat refused.
  const direct = Object.keys(values).length === 0
  return page(
    { ...frame, above: back(nomComplet(usager), `/personnes/${usager.id}`), invalid: Object.keys(errors).length > 0 },
    horsMandat ? 'Noter un acte hors mandat' : 'Noter une démarche',
    html`${errorSummary(errors, { envoi: 'contenu', encore: 'contenu', formulaire: 'contenu' })}
    ${refusal && !field && !SAID_APART.has(refusal) && alert('Démarche non enregistrée', REFUSAL[refusal])}
    ${deja && dejaNotee(deja, { ...values, envoi }, mandat.fuseau)}
    ${
      done &&
      alert(
        'Démarche hors du mandat',
        html`<p>${pourquoiHorsMandat(
          autorisations.find(({ thematique }) => thematique === done.thematique),
          done.thematique,
          done.at,
          mandat.fuseau,
        )}</p><p>Ce qui a été fait doit se savoir : notez-la comme acte hors mandat, en disant pourquoi. Ou corrigez vos réponses, gardées plus bas.</p>`,
      )
    }
    ${situation(mandat, usager)}
    ${form(
      // A browser gives ticks back by their place: after one is noted the tiles have moved, and « Précédent » would tick another démarche.
      { action: horsMandat ? `${address}/hors-mandat` : undefined, attrs: { autocomplete: 'off' } },
      html`${hidden('envoi', envoi)}
      ${
        horsMandat &&
        html`${textarea({
          name: 'motif',
          label: 'Pourquoi cet acte a-t-il été fait hors mandat ?',
          hint: 'La personne et le référent de votre structure le liront.',
          maxlength: 280,
          rows: 3,
          value: values.motif,
          error: errors.motif,
        })}
        ${!direct && button('Enregistrer comme acte hors mandat')}
        <h2>La démarche</h2>`
      }
      ${quoi({ ...props, errors })}
      ${radios({ name: 'resultat', legend: 'Résultat', hint: '« À faire par la personne » : écrivez plus bas ce qu’il lui reste à faire.', options: RESULTAT, value: values.resultat, error: errors.resultat, inline: true })}
      ${(horsMandat || mandat.etat !== 'actif') && faiteLe(values, errors)}
      ${precisions(values, errors, !horsMandat && mandat.etat === 'actif')}
      ${
        horsMandat && direct
          ? button('Enregistrer comme acte hors mandat')
          : horsMandat
            ? buttons([
                button('Enregistrer comme acte hors mandat', { kind: 'secondary' }),
                button('Enregistrer dans le mandat', { kind: 'secondary', action: `${address}/nouvelle` }),
              ])
            : buttons([
                button('Enregistrer'),
                buttonLink('Noter un acte hors mandat', `${address}/hors-mandat`, { kind: 'link' }),
              ])
      }`,
    )}`,
  )
}

/** Refusals that are said elsewhere than in an alert of one sentence. */
const SAID_APART: ReadonlySet<RecordRefusal> = new Set(['hors_mandat', 'deja_notee'])

/**
 * Noted a moment ago: most often the page came back with « Précédent ». The way to record it all the same is a form of its own, so that
 * Enter in a field of the other one never takes it.
 */
const dejaNotee = ({ id, recordedAt }: DejaNotee, values: Values, fuseau: string): Html =>
  alert(
    html`Vous avez déjà noté cette démarche à ${temps(recordedAt, heure(recordedAt, fuseau))}`,
    html`<p>Elle n’a pas été notée une deuxième fois. <a href="/demarches/${id}">Relire celle qui est notée</a></p>
    <p>Si c’en est une autre, ou si vous l’avez faite deux fois, notez-la aussi.</p>
    ${form({ label: 'La noter une deuxième fois' }, html`${Object.entries(values).map(([name, value]) => name !== 'encore' && typeof value === 'string' && hidden(name, value))}${button('La noter une deuxième fois', { kind: 'secondary', name: 'encore', value: 'oui' })}`)}`,
    'warning',
  )

/** Whose mandat, for what, and whether it is in force. */
const situation = (mandat: MandatEtat, usager: UsagerRow): Html => {
  const { etat, expiresAt, endedAt, endedHow, fuseau, enVigueur } = mandat
  if (etat === 'actif')
    return html`<p>Pour <strong>${nomCourant(usager)}</strong>. Mandat en cours jusqu’au ${auSoir(expiresAt, fuseau)} : ${enMots(enVigueur)}.</p>`
  const since =
    etat === 'termine' && endedAt && endedHow
      ? `est arrêté depuis le ${jourEtHeure(endedAt, fuseau)}, ${FIN[endedHow]}`
      : etat === 'expire'
        ? `est arrivé à sa fin le ${auSoir(expiresAt, fuseau)}`
        : 'est en pause'
  return alert(
    'Ce mandat n’est pas en cours',
    html`<p>Le mandat ${de(nomCourant(usager))} (${enMots(proposees(mandat))}) ${since} : aucune démarche nouvelle n’est permise.</p>
    <p>Ce qui a été fait pendant qu’il était en cours peut encore être noté : dites quand, à « Faite le ». Le reste se note comme acte hors mandat.</p>`,
    'warning',
  )
}

const quoi = ({ mandat, suggestions, ailleurs, horsMandat, values = {}, errors = {} }: NewDemarcheProps): Html => {
  // Coming to note an act outside the mandat, what is outside comes first; sent here by her answers, she finds them where they were.
  const offered = !horsMandat ? suggestions : horsMandat.done ? [...suggestions, ...ailleurs] : [...ailleurs, ...suggestions]
  const [near, far] = [offered.slice(0, TUILES), offered.slice(TUILES)]
  const dansLeMandat = proposees(mandat)
  const autre = Boolean(values.titre || errors.titre || errors.thematique)
  return html`${tiles({
    name: 'demarche',
    legend: 'Quelle démarche ?',
    options: [...near.map(choice), { value: AUTRE, label: 'Autre démarche', hint: 'À écrire juste en dessous.' }],
    value: values.demarche ?? (autre ? AUTRE : undefined),
    error: errors.demarche,
  })}
  <div class="autre">
    ${input({ name: 'titre', label: 'Quelle autre démarche ?', hint: '80 caractères au plus. Jamais de mot de passe ni de numéro personnel.', maxlength: 80, value: values.titre, error: errors.titre })}
    ${select({
      name: 'thematique',
      label: 'Thématique',
      options: [
        ...THEMATIQUES.filter((value) => dansLeMandat.includes(value)).map((value) => ({
          value,
          label: THEMATIQUE[value].titre,
        })),
        ...THEMATIQUES.filter((value) => !dansLeMandat.includes(value)).map((value) => ({
          value,
          label: `${THEMATIQUE[value].titre} (hors du mandat)`,
        })),
      ],
      value: values.thematique,
      error: errors.thematique,
    })}
  </div>
  ${
    far.length > 0 &&
    more(
      `Voir ${far.length} autres démarches${horsMandat ? '' : ' de ce mandat'}`,
      radios({
        name: 'demarche',
        id: 'champ-demarche-suite',
        legend: horsMandat ? 'Les autres démarches' : 'Les autres démarches de ce mandat',
        options: far.map(choice),
        value: values.demarche,
      }),
      far.some(({ code }) => code === values.demarche),
    )
  }`
}

const faiteLe = (values: Values, errors: Errors): Html =>
  input({
    name: 'faiteLe',
    label: 'Faite le',
    hint: 'Date et heure, par exemple 27/03/2026 14:05. Rien : maintenant.',
    type: 'datetime-local',
    optional: true,
    size: 20,
    value: values.faiteLe,
    error: errors.faiteLe,
  })

/** What is said of how an act went, alike when it is noted and when it is corrected. */
export const champs = (values: Values, errors: Errors, siRien = 'Rien : celle de la démarche choisie.'): Html => {
  const field = (name: (typeof PRECISIONS)[number]) => ({ name, value: values[name], error: errors[name], optional: true })
  const chosen = (name: 'mode' | 'presence' | 'canal') => ({
    ...field(name),
    value: values[name] ?? PAR_DEFAUT[name],
    empty: false as const,
    optional: false,
  })
  return html`${select({ ...chosen('mode'), label: 'Comment', options: MODE })}
    ${select({ ...chosen('presence'), label: 'Présence de la personne', hint: 'Un paiement ne se fait que si elle est là : elle tape elle-même sa carte.', options: PRESENCE })}
    ${select({ ...chosen('canal'), label: 'Par quel moyen', options: CANAL })}
    ${select({ ...field('duree'), label: 'Temps passé', options: MINUTES })}
    ${input({ ...field('administration'), label: 'Administration', hint: siRien, maxlength: 80 })}
    ${select({ ...field('motifBlocage'), label: 'Ce qui bloque', hint: 'Si la démarche n’a pas abouti.', options: MOTIF_BLOCAGE })}
    ${input({ ...field('reference'), label: 'Numéro de dossier ou référence', hint: 'Celui de l’administration. Jamais le numéro de sécurité sociale.', maxlength: 40, size: 20 })}
    ${input({ ...field('montant'), label: 'Montant payé, en euros', hint: 'Par exemple 12,50.', inputmode: 'decimal', maxlength: 20, size: 8 })}
    ${input({ ...field('etapeQuoi'), label: 'Prochaine étape', hint: 'Ce qu’il reste à faire.', maxlength: 120 })}
    ${select({ ...field('etapeQui'), label: 'Par qui', options: ETAPE_QUI })}
    ${input({ ...field('etapeQuand'), label: 'Pour quand', hint: 'Par exemple 27/03/2026.', type: 'date', size: 12 })}
    ${input({ ...field('orientation'), label: 'Orientée vers', hint: 'Un autre service, si vous lui en avez indiqué un.', maxlength: 120 })}
    ${textarea({ ...field('note'), label: 'Note', hint: 'La personne la lira.', maxlength: 280, rows: 3 })}`
}

/** Everything that has a default, which the summary says: what is not opened is still what will be recorded. */
const precisions = (values: Values, errors: Errors, withMoment: boolean): Html => {
  const { nature, mode, presence, canal } = PAR_DEFAUT
  const changed = PRECISIONS.some(
    (name) => errors[name] || (values[name] && values[name] !== PAR_DEFAUT[name as keyof typeof PAR_DEFAUT]),
  )
  return more(
    html`Plus de précisions <small>(sinon : ${[NATURE[nature], MODE[mode], PRESENCE[presence], CANAL[canal]].map(minuscule).join(' ; ')})</small>`,
    html`${withMoment && faiteLe(values, errors)}
    ${select({ name: 'nature', value: values.nature ?? nature, error: errors.nature, empty: false, label: 'Nature', options: NATURE })}
    ${champs(values, errors)}`,
    changed,
  )
}
const minuscule = (words: string) => words.charAt(0).toLocaleLowerCase('fr') + words.slice(1)
