import type { OpenRefusal } from '../../src/usager/code-prive.ts'
import { alert } from '../kit/alert.ts'
import { back, sentence } from '../kit/card.ts'
import { button, buttonLink, buttons, type Errors, errorSummary, form, type Values } from '../kit/form.ts'
import { type Html, html } from '../kit/html.ts'
import { type Frame, page } from '../kit/page.ts'
import { CODE_REFUSE, champsDuCode } from './code.ts'

type Props = { frame: Frame; values?: Values; errors?: Errors; refusal?: OpenRefusal; down?: boolean }

/** To anyone, the same page: the paper of before, then FranceConnect of today. */
export const reunirPage = ({ frame, values = {}, errors = {}, refusal, down = false }: Props): string =>
  page(
    {
      ...frame,
      bare: true,
      above: back('Mon espace', '/mon-espace'),
      invalid: Object.keys(errors).length > 0 || refusal !== undefined,
    },
    'Réunir mes deux historiques',
    html`${errorSummary(errors)}${refusal && alert('Rien n’est réuni', CODE_REFUSE[refusal])}
    ${down && alert('FranceConnect ne répond pas pour le moment', 'Rien n’est changé. Attendez quelques minutes, puis recommencez.', 'info')}
    ${sentence('Après une correction de votre état civil, FranceConnect peut vous donner un nouvel identifiant. Ici, ce qui a été fait avant n’est alors plus avec le reste.')}
    <p>Pour être sûrs que tout est bien à vous, il faut deux choses :</p>
    <ol>
      <li>le code de votre feuille « Pour vous seulement », celle d’un mandat d’<strong>avant</strong> la correction ;</li>
      <li>FranceConnect, maintenant. Tapez vous-même votre mot de passe.</li>
    </ol>
    ${form({}, html`${champsDuCode(values, errors)}${button('Réunir, avec FranceConnect', { large: true })}`)}
    <p>Rien n’est effacé. Si vous aviez dit oui deux fois pour les mêmes démarches avec la même structure, le plus récent reste et l’autre s’arrête. Vous pourrez séparer de nouveau, dans « Mes données » : les feuilles d’avant ne serviront alors plus.</p>
    <h2>Cette feuille est perdue ?</h2>
    <p>Demandez-en une autre à la structure qui vous aide : elle peut l’imprimer tant qu’un mandat d’avant est en cours. Sinon, les deux ne peuvent plus être réunis ici : ce qui a été fait avant reste gardé, à part. <a href="/mentions-legales">À qui le demander</a></p>
    <p>Pour la suite, vous pouvez refaire un mandat avec elle.</p>`,
  )

/** Asked once, in her space, whether something is missing; her no is remembered. */
export const manqueQuelqueChose = (): Html =>
  html`<section class="alert info" aria-labelledby="autre-identite"><h2 id="autre-identite"><span>Votre état civil a-t-il été corrigé ?</span></h2>
    <div><p>FranceConnect a pu vous donner un nouvel identifiant. Si vous aviez déjà fait un mandat avant la correction, il n’est peut-être pas ici.</p>
    ${buttons(
      [
        buttonLink('Oui, le retrouver', '/mon-espace/reunir'),
        form({ action: '/mon-espace/separer' }, button('Non, ce n’est pas moi', { kind: 'secondary' })),
      ],
      { equal: true },
    )}</div></section>`
