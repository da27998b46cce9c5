import type { AjoutRefusal, RemoveRefusal } from '../../src/aidant/change-factors.ts'
import type { Factor } from '../../src/aidant/factor.ts'
import { AJOUT_MINUTES, type Genre, MOYENS } from '../../src/aidant/moyens.ts'
import { alert, success } from '../kit/alert.ts'
import { back, card } from '../kit/card.ts'
import { button, buttonLink, type Errors, errorSummary, form, imprimer, input, radios, type Values } from '../kit/form.ts'
import { html } from '../kit/html.ts'
import { type Frame, page } from '../kit/page.ts'
import { jourEtHeure, temps } from '../kit/words.ts'
import { associer, CODE_FAUX } from './associer.ts'
import { demanderCle } from './cle.ts'

const GENRE = {
  totp: 'Application d’authentification',
  cle_acces: 'Clé d’accès',
} as const satisfies Record<Genre, string>

const REMOVE = {
  facteur_dernier: 'C’est votre seul moyen de connexion. Ajoutez-en un autre, puis retirez celui-ci.',
  facteur_inconnu: 'Ce moyen de connexion était déjà retiré.',
} as const satisfies Record<Exclude<RemoveRefusal, 'second_facteur_refuse'>, string>
type MoyensRefusal = keyof typeof REMOVE

const FAIT = new Map([
  ['ajout', 'Le moyen de connexion est ajouté'],
  ['retrait', 'Le moyen de connexion est retiré'],
])

type Props = {
  frame: Frame
  factors: readonly Factor[]
  /** Recovery codes left. */
  restent: number
  /** By ProConnect too. */
  lie: boolean
  fuseau: string
  fait?: string
  values?: Values
  errors?: Errors
  refusal?: MoyensRefusal | undefined
}

/** An aidant's ways in, in words: what she has, how to add or remove one, her recovery codes. */
export const moyensPage = ({ frame, factors, restent, lie, fuseau, fait = '', values = {}, errors = {}, refusal }: Props) => {
  const done = FAIT.get(fait)
  const quand = (at: Date) => temps(at, jourEtHeure(at, fuseau))
  return page(
    { ...frame, invalid: Object.keys(errors).length > 0 },
    'Mes moyens de connexion',
    html`${errorSummary(errors)}
    ${refusal && alert('Rien n’a changé', REMOVE[refusal])}
    ${done && success(done)}
    ${fait === 'secours' && alert('Un code de secours vient de servir', 'Ajoutez ici une nouvelle application ou une clé d’accès, puis retirez celle que vous n’avez plus.', 'warning')}
    ${factors.map(({ id, genre, nom, createdAt, usedAt }) =>
      card({
        title: nom ?? GENRE[genre],
        body: html`<p>${nom && html`${GENRE[genre]}. `}Depuis le ${quand(createdAt)}. ${usedAt ? html`A servi pour la dernière fois le ${quand(usedAt)}.` : 'N’a pas encore servi.'}</p>`,
        foot:
          factors.length > 1
            ? form(
                { action: `${MOYENS}/${id}/retirer` },
                button('Retirer', { kind: 'secondary', attrs: { 'aria-label': `Retirer : ${nom ?? GENRE[genre]}` } }),
              )
            : html`<p>C’est le seul : il ne peut être retiré que si vous en ajoutez un autre.</p>`,
      }),
    )}
    ${
      lie &&
      card({
        title: 'ProConnect',
        body: html`<p>Votre compte professionnel vous fait entrer ici, sans ces moyens. Il ne se retire pas ici : écrivez au service, dont l’adresse est dans les <a href="/mentions-legales">mentions légales</a>.</p>`,
      })
    }
    <h2>Ajouter un moyen de connexion</h2>
    ${form(
      { action: `${MOYENS}/ajouter` },
      html`${radios({
        name: 'genre',
        legend: 'Que voulez-vous ajouter ?',
        options: [
          {
            value: 'cle_acces',
            label: GENRE.cle_acces,
            hint: 'Votre téléphone, votre ordinateur ou une clé USB vous reconnaît par empreinte, visage ou code secret. Elle ne sert qu’à ce site : personne ne peut vous la faire taper ailleurs.',
          },
          { value: 'totp', label: GENRE.totp, hint: 'Un code de 6 chiffres sur votre téléphone.' },
        ],
        value: values.genre,
        error: errors.genre,
      })}
      ${input({ name: 'nom', label: 'Nom', hint: 'Pour le reconnaître dans cette liste, comme « Téléphone » ou « Ordinateur de la mairie ».', maxlength: 40, value: values.nom, error: errors.nom })}
      ${button('Ajouter')}`,
    )}
    <h2>Codes de secours</h2>
    <p>${restent > 0 ? `Il vous en reste ${restent}.` : 'Vous n’en avez pas.'} Un code de secours remplace votre application le jour où vous n’avez plus votre téléphone, pour vous connecter et en associer une autre. Il ne signe jamais un mandat.</p>
    ${form({ action: `${MOYENS}/codes` }, button(restent > 0 ? 'Remplacer mes codes de secours' : 'Créer mes codes de secours', { kind: 'secondary' }))}
    <p>Un moyen de connexion que vous ne reconnaissez pas ? Retirez-le, et dites-le à votre référent.</p>`,
  )
}

type AjoutProps = {
  frame: Frame
  nom: string
  errors?: Errors
  refusal?: Exclude<AjoutRefusal, 'ajout_ferme'> | undefined
} & ({ genre: 'totp'; pairing: { cle: string; adresse: string } } | { genre: 'cle_acces'; options: string })

const AJOUT = {
  code_faux: CODE_FAUX,
  cle_refusee:
    'Cette clé d’accès n’a pas pu être ajoutée : elle doit vous reconnaître (empreinte, visage ou code secret). Essayez encore.',
} as const satisfies Record<NonNullable<AjoutProps['refusal']>, string>

/** Pairs what she asked for: it counts once its first code, or its first signature, is right. */
export const ajoutPage = (props: AjoutProps) => {
  const { frame, nom, errors = {}, refusal } = props
  const totp = props.genre === 'totp'
  return page(
    {
      ...frame,
      above: back('Mes moyens de connexion', MOYENS),
      script: totp ? undefined : 'cle.js',
      invalid: Object.keys(errors).length > 0,
    },
    totp ? 'Associer une application' : 'Créer une clé d’accès',
    html`${errorSummary(errors, { signature: 'contenu' })}
    ${refusal && alert('Rien n’a été ajouté', AJOUT[refusal])}
    <p>Nom : <strong>${nom}</strong>. Vous avez ${AJOUT_MINUTES} minutes.</p>
    ${
      props.genre === 'totp'
        ? html`${associer(props.pairing)}
    ${form({}, html`${input({ name: 'code', label: 'Code affiché par l’application', type: 'code', error: errors.code })}${button('Associer cette application')}`)}`
        : html`<p>Votre navigateur va vous demander où garder la clé, puis de vous faire reconnaître.</p>
    ${demanderCle(props.options, 'Créer la clé d’accès', { creer: true })}`
    }`,
  )
}

/** Her recovery codes, shown once. `suite`: where she goes then. */
export const codesPage = ({ frame, codes, suite }: { frame: Frame; codes: readonly string[]; suite: string }) =>
  page(
    { ...frame, bare: true, script: 'imprimer.js' },
    'Vos codes de secours',
    html`${alert('Ces codes ne seront plus jamais montrés', 'Imprimez cette page ou recopiez-les, et gardez-les loin de votre téléphone.', 'warning')}
    <p>Le jour où vous n’avez plus votre téléphone, tapez l’un d’eux à la place du code de votre application. Chacun sert une fois, pour vous connecter et associer un nouveau moyen ; aucun ne signe un mandat.</p>
    <ul>${codes.map((code) => html`<li><strong class="code">${code.replace(/(\d{4})(?=\d)/g, '$1 ')}</strong></li>`)}</ul>
    ${imprimer()}
    ${buttonLink('J’ai gardé mes codes : continuer', suite)}`,
  )
