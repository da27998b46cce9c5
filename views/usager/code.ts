import { laStructure } from '../../src/structure/nom.ts'
import type { OpenRefusal } from '../../src/usager/code-prive.ts'
import type { ProofRefusal } from '../../src/usager/confirm-contact.ts'
import type { Structure } from '../../src/usager/queries.ts'
import type { SendProofRefusal } from '../../src/usager/send-proof.ts'
import { alert } from '../kit/alert.ts'
import { type Attente, tropDEssais } from '../kit/attente.ts'
import { back, sentence } from '../kit/card.ts'
import { codeImprime } from '../kit/code-imprime.ts'
import { button, type Errors, errorSummary, form, franceConnect, input, type Values } from '../kit/form.ts'
import { type Html, html } from '../kit/html.ts'
import { type Frame, page } from '../kit/page.ts'
import { majuscule, telephoneAAppeler } from '../kit/words.ts'

const PAS_CELUI_DU_MANDAT =
  'Le code à côté du carré noir, sur le mandat, ne sert qu’à vérifier : prenez celui de la feuille « Pour vous seulement ».'

/** One sentence for each reason her paper does not open, or a code is not sent or taken. */
export const CODE_REFUSE = {
  code_inconnu: `Le code et l’année ne vont pas ensemble, ou ce code ne sert plus. Relisez votre feuille : si une structure vous en a donné plusieurs, c’est la dernière qui sert. ${PAS_CELUI_DU_MANDAT} Après 5 essais, il faut attendre le lendemain.`,
  sans_contact: 'Nous n’avons ni téléphone ni e-mail qui soit sûrement à vous : voici comment faire autrement.',
  trop_de_codes: 'Plusieurs codes sont déjà partis. Servez-vous du dernier reçu, ou attendez une heure.',
  plus_de_sms:
    'Plus aucun SMS ne peut partir aujourd’hui. Rien n’est arrêté : recommencez demain, ou arrêtez maintenant autrement, plus bas.',
  code_refuse: 'Ce n’est pas le bon code, ou il ne sert plus. Relisez le dernier reçu, ou demandez-en un autre.',
} as const satisfies Record<OpenRefusal | SendProofRefusal | ProofRefusal, string>

/** What is typed from her sheet. */
export const champsDuCode = (values: Values, errors: Errors): Html =>
  codeImprime({ code: 'Votre code privé', annee: 'L’année de votre naissance' }, values, errors)

type CodeProps = { frame: Frame; values?: Values; errors?: Errors; refusal?: OpenRefusal; wait?: Attente }

/** The door of who has no FranceConnect: the code of her paper and her year of birth. */
export const codePage = ({ frame, values = {}, errors = {}, refusal, wait }: CodeProps): string =>
  page(
    {
      ...frame,
      bare: true,
      above: back('Mon espace', '/mon-espace/connexion'),
      invalid: Object.keys(errors).length > 0 || refusal !== undefined,
    },
    'Ouvrir avec le code de mon papier',
    html`${errorSummary(errors)}${refusal && alert('Votre espace n’est pas ouvert', CODE_REFUSE[refusal])}${wait && tropDEssais(wait)}
    ${sentence('Le code est sur votre feuille « Pour vous seulement ».')}
    ${refusal === undefined && html`<p>${PAS_CELUI_DU_MANDAT}</p>`}
    ${form({ action: '/mon-espace/code' }, html`${champsDuCode(values, errors)}${button('Ouvrir mon espace', { large: true })}`)}
    <p>Avec ce code, vous lisez ce qui est fait pour vous. Ce qui est confidentiel reste caché.</p>
    <p>Ce code est à vous seul. Personne d’autre ne doit s’en servir, pas même votre aidant : chaque ouverture est écrite dans votre espace.</p>`,
  )

/** What her paper does not show. */
export const toutVoirPage = ({ frame, structures }: { frame: Frame; structures: readonly Structure[] }): string =>
  page(
    { ...frame, bare: true, above: back('Mon espace', '/mon-espace') },
    'Pour tout voir, FranceConnect',
    html`${sentence('Le code de votre feuille montre ce qui est fait pour vous, mais pas ce qui est confidentiel.')}
    <p>Pour lire le reste, changer de code ou remettre en route, il faut être sûrs que c’est bien vous. Tapez vous-même votre mot de passe, sans que personne ne le voie.</p>
    ${franceConnect({ action: '/connexion/franceconnect' })}
    ${autrement(structures)}`,
  )

type ConfirmerProps = {
  frame: Frame
  /** Masked; undefined when none was ever proven. */
  contact: string | undefined
  structures: readonly Structure[]
  suite: string
  refusal?: SendProofRefusal | undefined
}

/** Before a stop or a pause: a code sent to the contact she proved at the accord. Without one, the other ways. */
export const confirmerPage = ({ frame, contact, structures, suite, refusal }: ConfirmerProps): string => {
  const quoi = suite.startsWith('/mon-espace/demarches/') ? DIRE_OU_ARRETER : ARRETER
  return page(
    { ...frame, bare: true, above: back('Ne rien changer', '/mon-espace'), invalid: refusal !== undefined },
    contact === undefined ? quoi.autrement : 'D’abord, un code pour vous',
    contact === undefined
      ? html`${sentence(CODE_REFUSE.sans_contact)}
    ${franceConnect({ action: '/connexion/franceconnect' })}
    ${autrement(structures, quoi)}`
      : html`${refusal && alert('Aucun code n’est parti', CODE_REFUSE[refusal])}
    ${
      refusal !== 'plus_de_sms' &&
      html`${sentence(html`Pour arrêter, mettre en pause ou dire que vous n’êtes pas d’accord, tapez le code que nous envoyons ${au(contact)}.`)}
    ${form({ action: address('/mon-espace/confirmer', suite) }, button('Recevoir le code', { large: true }))}`
    }
    <p><a href="${address('/mon-espace/confirmer/code', suite)}">J’ai déjà reçu un code</a></p>
    <h2>${refusal === 'plus_de_sms' ? 'Arrêter maintenant' : 'Ce n’est plus votre numéro ou votre adresse ?'}</h2>
    ${franceConnect({ action: '/connexion/franceconnect' })}
    ${autrement(structures, quoi)}`,
  )
}

type ConfirmerCodeProps = { frame: Frame; contact: string; suite: string; errors?: Errors; refusal?: ProofRefusal }

export const confirmerCodePage = ({ frame, contact, suite, errors = {}, refusal }: ConfirmerCodeProps): string =>
  page(
    {
      ...frame,
      bare: true,
      above: back('Ne rien changer', '/mon-espace'),
      invalid: Object.keys(errors).length > 0 || refusal !== undefined,
    },
    'Le code que vous avez reçu',
    html`${errorSummary(errors)}${refusal && alert('Le code n’est pas accepté', CODE_REFUSE[refusal])}
    ${sentence(html`Un code est parti ${au(contact)}.`)}
    ${form(
      { action: address('/mon-espace/confirmer/code', suite) },
      html`${input({
        name: 'code',
        type: 'code',
        label: 'Les 6 chiffres reçus',
        hint: 'Il sert une fois, pendant 10 minutes. 3 essais en tout.',
        error: errors.code,
      })}${button('Continuer', { large: true })}`,
    )}
    <h2>Rien reçu ?</h2>
    ${form({ action: address('/mon-espace/confirmer', suite) }, button('Recevoir un autre code', { kind: 'secondary' }))}`,
  )

/** « au 06 •• •• •• 78 », « à j••••@exemple.fr ». */
const au = (contact: string): Html => html`${contact.includes('@') ? 'à' : 'au'} <strong>${contact}</strong>`

const address = (path: string, suite: string) => `${path}?suite=${encodeURIComponent(suite)}`

/** What she came for, which has other ways: a slip says only that she stops. */
const BULLETIN = 'coupez le bas de votre feuille « Pour vous seulement », et envoyez-le ou donnez-le.'
const ARRETER = {
  autrement: 'Arrêter autrement',
  titre: 'Arrêter par téléphone ou par courrier',
  papier: [`Ou ${BULLETIN}`],
}
const DIRE_OU_ARRETER = {
  autrement: 'Le dire autrement',
  titre: 'Dire que vous n’êtes pas d’accord, ou arrêter, par téléphone ou par courrier',
  papier: ['Ou écrivez au responsable de la structure que vous n’êtes pas d’accord.', `Pour arrêter, ${BULLETIN}`],
}

/** By telephone or on paper: nothing she may do needs a screen. */
const autrement = (structures: readonly Structure[], { titre, papier } = ARRETER): Html =>
  html`<h2>${titre}</h2>
    <ul>
      ${structures.map(({ nom, telephone, adresse }) => html`<li>${majuscule(laStructure(nom))} : ${telephoneAAppeler(telephone)}, ${adresse}</li>`)}
      ${papier.map((words) => html`<li>${words}</li>`)}
    </ul>`
