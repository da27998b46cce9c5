import type { PauseRefusal, ResumeRefusal } from '../../src/mandat/fin.ts'
import type { Thematique } from '../../src/mandat/mandat.ts'
import type { MandatEtat } from '../../src/mandat/queries.ts'
import { laStructure } from '../../src/structure/nom.ts'
import { alert } from '../kit/alert.ts'
import { back, sentence } from '../kit/card.ts'
import { button, buttons, form } from '../kit/form.ts'
import { type Html, html } from '../kit/html.ts'
import { type Frame, page } from '../kit/page.ts'
import { deMots, enMots, majuscule } from '../kit/words.ts'
import { ARRET_REFUSE } from './arreter.ts'
import { remettre } from './sentences.ts'

/** One sentence for each reason a pause, or its end, does nothing. */
const PAUSE_REFUSEE = {
  ...ARRET_REFUSE,
  deja_expire: 'Ce mandat est déjà arrivé à sa fin.',
  deja_en_pause: 'C’était déjà en pause.',
  pas_en_pause: 'Ce n’était pas en pause.',
} as const satisfies Record<PauseRefusal | ResumeRefusal, string>

type Props = { frame: Frame; mandat: MandatEtat; refusal?: PauseRefusal | ResumeRefusal | undefined }

/** Asks for the one press that pauses. */
export const pausePage = ({ frame, mandat, refusal }: Props) => {
  const { id, pausables, enPause, structureNom } = mandat
  const la = laStructure(structureNom)
  return page(
    { ...frame, heading: `Mettre en pause avec ${la}`, above: back('Ne rien changer', `/mon-espace/mandats/${id}`) },
    'Mettre en pause',
    html`${refusal && alert('Rien n’a changé', PAUSE_REFUSEE[refusal])}
    ${
      pausables.length > 0 &&
      html`${sentence(`Dès que vous appuyez, ${la} ne fait plus vos démarches ${deMots(pausables)}. ${remettre(frame)}`)}
    ${pausables.some((one) => enPause.includes(one)) && html`<p>Ce qui attend une réponse est déjà en pause, et le restera après la réponse.</p>`}
    ${choices(pausables, 'Tout mettre en pause', 'Ou mettre en pause un seul thème', (mots) => `Mettre en pause : ${mots}`)}
    <p>Les demandes déjà envoyées ne sont pas annulées.</p>`
    }
    <p><a href="/mon-espace/mandats/${id}/arreter">Plutôt arrêter</a></p>`,
  )
}

/** Asks for the one press that lifts her pause. */
export const reprisePage = ({ frame, mandat, refusal }: Props) => {
  const { id, enPause, structureNom } = mandat
  return page(
    { ...frame, above: back('Ne rien changer', `/mon-espace/mandats/${id}`) },
    `Remettre en route avec ${laStructure(structureNom)}`,
    html`${refusal && alert('Rien n’a changé', PAUSE_REFUSEE[refusal])}
    ${
      enPause.length > 0 &&
      html`${sentence(`Dès que vous appuyez, ${laStructure(structureNom)} peut de nouveau faire vos démarches ${deMots(enPause)}.`)}
    ${choices(enPause, 'Tout remettre en route', 'Ou remettre en route un seul thème', (mots) => `Remettre en route : ${mots}`)}`
    }
    <p><a href="/mon-espace/mandats/${id}/arreter">Plutôt arrêter</a></p>`,
  )
}

const choices = (thematiques: readonly Thematique[], all: string, orOne: string, one: (mots: string) => string): Html =>
  form(
    {},
    html`${button(all, { name: 'quoi', value: 'tout', large: true })}
    ${
      thematiques.length > 1 &&
      html`<h2>${orOne}</h2>
    ${buttons(thematiques.map((value) => button(majuscule(one(enMots([value]))), { name: 'quoi', value, kind: 'secondary' })))}`
    }`,
  )
