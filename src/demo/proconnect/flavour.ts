import { createHash } from 'node:crypto'
import { html } from 'hono/html'
import type { Client, Refusal } from '../franceconnect/authorize.ts'
import type { Flavour } from '../franceconnect/flavour.ts'
import { page, REVENIR } from '../franceconnect/pages.ts'
import { AIDANTS, type AidantKey, STRUCTURES } from '../people.ts'

type Agent = {
  key: string
  /** The same person has the same `sub`, whichever establishment she chooses. */
  person: string
  nom: string
  description: string
  identity: { email: string; given_name: string; usual_name: string; siret: string; uid: string; idp_id: string }
  acr: string
  amr: readonly string[]
}

const IDP_ID = '00000000-0000-4000-8000-00000000de30'

const agent = (
  who: AidantKey,
  etablissement: { nom: string; siret: string },
  more: { key: string; description: string } & Pick<Agent, 'acr' | 'amr'>,
): Agent => {
  const { email, prenom, nom } = AIDANTS[who]
  const identity = { email, given_name: prenom, usual_name: nom, siret: etablissement.siret, uid: who, idp_id: IDP_ID }
  return { ...more, person: who, nom: `${prenom} ${nom}`, identity }
}

/** The demo's aidants, once for each of their structures; then those who must not come in. */
const AGENTS: readonly Agent[] = [
  ...(Object.keys(AIDANTS) as AidantKey[]).flatMap((who) =>
    AIDANTS[who].structures.map((structure) =>
      agent(who, STRUCTURES[structure], {
        key: `${who}-${structure}`,
        description: `${STRUCTURES[structure].nom}, application d’authentification`,
        acr: 'eidas2',
        amr: ['pwd', 'otp', 'mfa'],
      }),
    ),
  ),
  agent('thomas', STRUCTURES.figeac, {
    key: 'thomas-courriel',
    description: `${STRUCTURES.figeac.nom}, code reçu par e-mail : ce second facteur ne suffit pas`,
    acr: 'eidas1-mfa',
    amr: ['pwd', 'mail', 'mfa'],
  }),
  agent('thomas', STRUCTURES.saintDenis, {
    key: 'thomas-ailleurs',
    description: `${STRUCTURES.saintDenis.nom} : un établissement où il n’est pas habilité`,
    acr: 'eidas2',
    amr: ['pwd', 'otp', 'mfa'],
  }),
  {
    key: 'inconnue',
    person: 'inconnue',
    nom: 'Camille Sanchez',
    description: `${STRUCTURES.figeac.nom} : collègue que le service ne connaît pas`,
    identity: {
      email: 'camille@figeac.demo',
      given_name: 'Camille',
      usual_name: 'Sanchez',
      siret: STRUCTURES.figeac.siret,
      uid: 'inconnue',
      idp_id: IDP_ID,
    },
    acr: 'eidas3',
    amr: ['pin', 'hwk', 'mfa'],
  },
]

const findAgent = (key: string) => AGENTS.find((one) => one.key === key)

const REQUIRED = ['client_id', 'response_type', 'redirect_uri', 'scope', 'state', 'nonce']
const OPTIONAL = ['prompt', 'claims', 'acr_values', 'idp_hint', 'login_hint', 'code_challenge', 'code_challenge_method']
const LEAST = 32

/** ProConnect's list of parameters, from its documentation: whatever is not in it is an error page, without return. */
function refusalOf(query: URLSearchParams, clients: readonly Client[]): Refusal | undefined {
  const page = (code: 'Y000400' | 'Y04A586' | 'Y046350'): Refusal => ({ kind: 'page', code })
  const value = (name: string) => query.get(name) ?? ''
  const names = [...query.keys()]
  if (names.some((name) => !REQUIRED.includes(name) && !OPTIONAL.includes(name))) return page('Y000400')
  if (new Set(names).size !== names.length || REQUIRED.some((name) => !value(name))) return page('Y000400')
  if (value('state').length < LEAST || value('nonce').length < LEAST) return page('Y000400')
  const client = clients.find(({ clientId }) => clientId === value('client_id'))
  if (!client) return page('Y04A586')
  return client.redirectUris.includes(value('redirect_uri')) ? undefined : page('Y046350')
}

export const PROCONNECT: Flavour = {
  cookie: 'simulateur_pc',
  scopes: {
    openid: ['sub'],
    given_name: ['given_name'],
    usual_name: ['usual_name'],
    email: ['email'],
    uid: ['uid'],
    siret: ['siret'],
    idp_id: ['idp_id'],
  },
  acrValues: ['eidas0-mfa', 'eidas1-mfa', 'eidas2', 'eidas3'],
  session: 12 * 3600,
  leastLogoutState: LEAST,
  refusalOf,
  login: findAgent,
  identity: (key) => findAgent(key)?.identity,
  subOf: (key) =>
    createHash('sha256')
      .update(`proconnect:${findAgent(key)!.person}`)
      .digest('hex'),
  choicePage: ({ base, service, oubli }) =>
    page(
      base,
      'Je choisis un compte professionnel',
      html`
<h1>Je choisis un compte professionnel</h1>
${oubli ? html`<p class="alerte" role="alert">Ce choix n’existe pas. Choisissez un compte ci-dessous.</p>` : ''}
<p>Pour continuer sur <strong>${service}</strong>. Ici, ni mot de passe ni compte : choisissez quel professionnel vous voulez être.</p>
<form method="post">${REVENIR}</form>
<form method="post">
<h2>Avec quel compte ?</h2>
<ul class="personnes">${AGENTS.map(
        ({ key, nom, description }) => html`
<li><button type="submit" class="personne" name="persona" value="${key}"><strong>${nom}</strong>
<span>${description}</span></button></li>`,
      )}</ul>
</form>`,
    ),
}
