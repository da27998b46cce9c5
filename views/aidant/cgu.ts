import { success } from '../kit/alert.ts'
import { button, buttonLink, checkbox, type Errors, errorSummary, form } from '../kit/form.ts'
import { html } from '../kit/html.ts'
import { type Frame, page } from '../kit/page.ts'
import { jourEtHeure, temps } from '../kit/words.ts'

type Props = {
  frame: Frame
  /** When she accepted them: they are then only to be read again. */
  accepted?: Date | undefined
  fuseau: string
  errors?: Errors
}

/** The conditions of use of the aidants, version 1 (see CGU_VERSION). */
export const cguPage = ({ frame, accepted, fuseau, errors = {} }: Props) =>
  page(
    { ...frame, bare: true, invalid: Object.keys(errors).length > 0 },
    'Conditions d’utilisation',
    html`${errorSummary(errors)}
    ${accepted && success(html`Vous avez accepté ces conditions le ${temps(accepted, jourEtHeure(accepted, fuseau))}`)}
    <p>Avant d’agir à la place d’une personne, vous vous engagez à six choses.</p>
    <ol>
      <li>Vous agissez pour votre structure, dans vos heures de travail, jamais pour vous-même ni pour un proche.</li>
      <li>Vous n’agissez qu’avec un mandat en cours, dans ses thématiques. Un acte fait en dehors se note quand même, avec sa raison.</li>
      <li>La personne s’identifie et donne son accord elle-même. Vous ne lui demandez jamais son mot de passe, et ne le gardez jamais.</li>
      <li>Vous notez chaque démarche, avec des mots que la personne peut lire : elle voit tout ce que vous écrivez.</li>
      <li>Vous n’ouvrez le dossier d’une personne que pour l’aider. Chaque ouverture est gardée douze mois et lui est montrée.</li>
      <li>Vous ne prêtez ni votre session ni vos codes. Une perte ou un doute se signale aussitôt à votre référent.</li>
    </ol>
    ${
      accepted
        ? buttonLink('Revenir aux personnes', '/personnes', { kind: 'secondary' })
        : form(
            {},
            html`${checkbox({ name: 'accepte', label: 'J’ai lu ces conditions et je les accepte', error: errors.accepte })}
      ${button('Accepter et continuer')}`,
          )
    }`,
  )
