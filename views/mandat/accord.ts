import type { ActingRow, Brouillon, Connue } from '../../src/mandat/brouillon-queries.ts'
import { readConditions } from '../../src/mandat/conditions.ts'
import { dernierJour, expiresAt, type Thematique } from '../../src/mandat/mandat.ts'
import { blocs, texteScelle } from '../../src/mandat/texte.ts'
import { laStructure } from '../../src/structure/nom.ts'
import { alert } from '../kit/alert.ts'
import { more, sentence, step } from '../kit/card.ts'
import { button, buttons, checkbox, checkboxes, type Errors, errorSummary, form, hidden, type Values } from '../kit/form.ts'
import { attributes, html } from '../kit/html.ts'
import { legal } from '../kit/legal.ts'
import { type Frame, page } from '../kit/page.ts'
import { facts } from '../kit/table.ts'
import {
  AVERTISSEMENT_ARGENT,
  auSoir,
  jour as ceJour,
  dateEcrite,
  deMots,
  majuscule,
  nomComplet,
  THEMATIQUE,
  telephoneEnMots,
} from '../kit/words.ts'
import { suiviFields } from './contact.ts'
import { ecritureGardee } from './ecriture.ts'
import { ETAPES } from './new.ts'
import { REFUSAL, type Refusal } from './refusals.ts'
import { remplacements } from './remplacements.ts'

type Props = {
  frame: Frame
  brouillon: Brouillon
  acting: ActingRow
  /** What this structure already has of her. */
  connue: Connue | undefined
  publicUrl: string
  now: Date
  /** What is ticked; all that she may grant when nothing was answered yet. */
  chosen?: readonly Thematique[] | undefined
  values?: Values
  errors?: Errors
  refusal?: Refusal | undefined
}

/** With JavaScript the sentence follows what is ticked at once; without it, the server shows the new one and asks again. */
const RELIRE = attributes({
  'hx-get': '?',
  'hx-trigger': 'change',
  'hx-include': '[name=thematiques]:checked',
  'hx-vals': '{"relire":"phrase"}',
  'hx-target': '#a-relire',
  'hx-select': '#a-relire',
  'hx-swap': 'outerHTML',
  'hx-sync': 'this:replace',
})

const AUJOURD_HUI = { papier: 'sur papier', sms: 'par SMS', email: 'par e-mail' } as const

/** What she rereads, then what the aidant fills, then her two buttons of the same size. */
export const accordPage = (props: Props) => {
  const { frame, brouillon, acting, connue, publicUrl, now, values = {}, errors = {}, refusal } = props
  const identite = brouillon.identite!
  // Proven once, and still what she gave last: not to be typed again.
  const connu = {
    mobile: connue?.telephone && connue.telephoneProuveAt ? telephoneEnMots(connue.telephone) : undefined,
    email: (connue?.emailProuveAt && connue.email) || undefined,
  }
  const chosen = props.chosen ?? brouillon.perimetre
  const end = expiresAt(now, brouillon.duree, acting.fuseau)
  const fin = auSoir(end, acting.fuseau)
  // The sentence says what is ticked: it is read again whenever that changed.
  const [lues, jour] = [chosen.join(' '), dernierJour(end, acting.fuseau)]
  return page(
    { ...frame, bare: true, above: step(4, ETAPES), invalid: Object.keys(errors).length > 0 },
    'Relire ensemble, et dire oui ou non',
    html`${errorSummary(errors, { lues: 'a-relire', dernierJour: 'a-relire', reponse: 'repondre' })}
    ${refusal && alert('Accord non enregistré', REFUSAL[refusal])}
    ${
      connue?.protegeeLe &&
      alert(
        'Quelqu’un est-il encore chargé de vos affaires ?',
        `Le ${ceJour(connue.protegeeLe, acting.fuseau)}, ${laStructure(acting.structureNom)} a noté une mesure de protection. Si elle dure encore, ce mandat n’est pas possible : appuyez sur « Non, j’arrête ».`,
        'warning',
      )
    }
    ${facts([
      { term: 'Vous êtes', value: nomComplet(identite) },
      { term: 'Né ou née', value: dateEcrite(identite.birthdate) },
      {
        term: 'Qui agira pour vous',
        value: `${majuscule(laStructure(acting.structureNom))}, avec ${acting.prenom} ${acting.nom} et ses collègues habilités`,
      },
      { term: 'Jusqu’à quand', value: fin },
    ])}
    ${form(
      {},
      html`${ecritureGardee(frame.grande === true)}
      <div${RELIRE}>${checkboxes({
        name: 'thematiques',
        legend: 'Pour ces démarches',
        hint: 'Vous pouvez décocher ce que vous ne voulez pas.',
        options: brouillon.perimetre.map((value) => ({
          value,
          label: THEMATIQUE[value].titre,
          hint: THEMATIQUE[value].exemples,
          warning: value === 'argent' ? AVERTISSEMENT_ARGENT : undefined,
        })),
        value: chosen,
        error: errors.thematiques,
      })}</div>
      <div id="a-relire">
      ${
        chosen.length > 0
          ? html`<div role="status">${sentence(
              `Je donne mon accord : jusqu’au ${fin}, ${laStructure(acting.structureNom)} peut faire mes démarches ${deMots(chosen)} à ma place, et je peux arrêter quand je veux, sans dire pourquoi.`,
            )}</div>
      ${remplacements(connue, chosen, 'votre', acting.fuseau)}
      ${more('Le texte exact, mot pour mot', legal(blocs(texteScelle(readConditions(brouillon.conditions!)!.texte.version, { ...acting, thematiques: chosen, end, publicUrl })), 2))}`
          : html`<p role="status">Cochez au moins un thème pour lire la phrase, ou arrêtez ici.</p>`
      }
      ${hidden('lues', lues)}
      ${hidden('dernierJour', jour)}
      <div class="beside">
      <h2>Pour l’aidant : reprenez l’écran un instant</h2>
      ${checkbox({
        name: 'redit',
        label: 'La personne a redit avec ses mots qui, quoi, jusqu’à quand, et comment arrêter',
        // What she said again was the sentence sent with the tick: for other words, she says it once more.
        checked: values.redit === 'oui' && values.lues === lues && values.dernierJour === jour,
        error: errors.redit,
      })}
      </div>
      </div>
      <div class="beside">
      ${suiviFields({
        hint: `${connue ? `Aujourd’hui : ${AUJOURD_HUI[connue.suivi]}. ` : ''}Un message ne dit jamais de quelle démarche il s’agit.`,
        values: {
          ...values,
          mobile: values.mobile ?? connu.mobile,
          email: values.email ?? connu.email ?? identite.email,
        },
        errors,
      })}
      </div>
      <h2 id="repondre">À vous de répondre</h2>
      ${errors.reponse && alert('Choisissez un des deux boutons', errors.reponse)}
      ${connue && connue.enVigueur.length > 0 && html`<p>« Non, j’arrête » arrête seulement cette nouvelle demande. Votre mandat d’aujourd’hui continue.</p>`}
      ${buttons(
        [
          button('Je donne mon accord', { name: 'reponse', value: 'oui', large: true }),
          button('Non, j’arrête', { name: 'reponse', value: 'non', kind: 'secondary', large: true }),
        ],
        { equal: true },
      )}`,
    )}`,
  )
}
