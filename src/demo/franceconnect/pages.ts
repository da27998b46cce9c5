import { html, raw } from 'hono/html'
import { FOURNISSEURS } from './authorize.ts'
import { type Famille, type Identity, PERSONAS, type Persona } from './personas.ts'

/** Where the stylesheet and the icon are, below the issuer. */
export const ASSETS = { style: '/simulateur.css', icon: '/simulateur.svg' } as const

/** FranceConnect's own codes, and one of ProConnect's: the status it answers with, and what the person reads. */
const ERRORS = {
  Y000400: [400, 'La demande du service n’est pas conforme.'],
  Y010015: [403, 'Les identifiants utilisés ne permettent plus de se connecter.'],
  Y030007: [400, 'La demande du service n’est pas conforme.'],
  Y030009: [400, 'Le service demande une information à laquelle il n’a pas droit.'],
  Y030016: [400, 'Le service propose un compte inconnu.'],
  Y030028: [400, 'La demande du service est illisible.'],
  Y030029: [500, 'Le fournisseur d’identité n’a pas pu répondre.'],
  Y041FDE: [400, 'La demande de déconnexion n’est pas reconnue.'],
  Y04133E: [400, 'La demande du service n’est pas conforme.'],
  Y045B2E: [400, 'La demande du service n’est pas conforme.'],
  Y046350: [400, 'L’adresse de retour du service n’est pas déclarée.'],
  Y04A586: [400, 'Ce service n’est pas déclaré.'],
  Y04BBFF: [400, 'La demande de déconnexion est illisible.'],
  Y04C29C: [400, 'L’adresse de retour du service n’est pas déclarée.'],
  Y180001: [403, 'Votre accès a été désactivé à votre demande.'],
  Y190001: [401, 'Votre session a expiré.'],
} as const satisfies Record<string, readonly [status: number, sentence: string]>

export type ErrorCode = keyof typeof ERRORS

const FAMILLES = {
  figeac: 'À Figeac',
  reunion: 'À Saint-Denis de La Réunion',
  etat_civil: 'États civils particuliers',
  sans_issue: 'Comptes qui ne permettent pas de se connecter',
} as const satisfies Record<Famille, string>

const LABELS = {
  given_name: 'Prénoms',
  family_name: 'Nom de naissance',
  preferred_username: 'Nom d’usage',
  gender: 'Sexe',
  birthdate: 'Date de naissance',
  birthplace: 'Lieu de naissance (code INSEE)',
  birthcountry: 'Pays de naissance (code INSEE)',
  email: 'Adresse e-mail',
} as const satisfies Partial<Record<keyof Identity, string>>

const GENDERS = { female: 'Féminin', male: 'Masculin', unspecified: 'Non précisé' } as const satisfies Record<
  Identity['gender'],
  string
>

type Html = ReturnType<typeof html>
type Common = { base: string; service: string }

export const page = (base: string, title: string, content: Html): string =>
  String(html`<!DOCTYPE html>
<html lang="fr">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} - simulateur</title>
<link rel="stylesheet" href="${base}${ASSETS.style}">
<link rel="icon" type="image/svg+xml" href="${base}${ASSETS.icon}">
</head>
<body>
<header class="bandeau"><p>SIMULATEUR — aucune donnée réelle</p></header>
<main>${content}</main>
</body>
</html>
`)

export const REVENIR = html`<button type="submit" class="discret" name="geste" value="revenir">Revenir sur le service</button>`

type Choice = Common & { fournisseur: string; oubli: boolean }

/**
 * « Je choisis un compte »: any persona is one activation away. The accounts are links, not radios: in a form of submit buttons, the
 * Enter key on a radio would choose the first person. `oubli`: what was sent names nobody.
 */
export const choicePage = ({ base, service, fournisseur, oubli }: Choice): string =>
  page(
    base,
    'Je choisis un compte',
    html`
<h1>Je choisis un compte</h1>
${oubli ? html`<p class="alerte" role="alert">Ce choix n’existe pas. Choisissez une personne ci-dessous.</p>` : ''}
<p>Pour continuer sur <strong>${service}</strong>. Ici, ni mot de passe ni compte : choisissez qui vous voulez être pour cet essai.</p>
<form method="post">${REVENIR}</form>
<nav aria-labelledby="comptes"><h2 id="comptes">Avec quel compte ?</h2>
<ul class="comptes">${FOURNISSEURS.map(
      ({ key, label }) => html`
<li><a href="?compte=${key}"${key === fournisseur ? raw(' aria-current="true"') : ''}>${label}</a></li>`,
    )}</ul></nav>
<form method="post">
<input type="hidden" name="fournisseur" value="${fournisseur}">
${Object.entries(FAMILLES).map(
  ([famille, titre]) => html`
<h2>${titre}</h2>
<ul class="personnes">${PERSONAS.filter((persona) => persona.famille === famille).map(personaButton)}</ul>`,
)}
</form>
<form method="post">
<h2>Panne</h2>
<ul class="personnes"><li><button type="submit" class="personne" name="geste" value="panne"><strong>Simuler une panne</strong>
<span>Le service reçoit l’erreur « server_error »</span></button></li></ul>
</form>`,
  )

const personaButton = ({ key, identity, description }: Persona) => html`
<li><button type="submit" class="personne" name="persona" value="${key}"><strong>${nameOf(identity)}</strong>
<span>${dateOf(identity.birthdate)} · ${description}</span></button></li>`

const nameOf = ({ given_name, family_name, preferred_username }: Identity) => {
  const nom = preferred_username ? `${preferred_username} (${family_name})` : family_name
  return `${given_name} ${nom}`.trim()
}

const DATE = new Intl.DateTimeFormat('fr-FR', { dateStyle: 'long', timeZone: 'UTC' })
const dateOf = (birthdate: string) => DATE.format(new Date(birthdate)).replace(/^1 /, '1er ')

type Informations = Common & { persona: Persona; claims: ReadonlySet<string>; fournisseur?: string | undefined }

/** « Informations transmises »: shown at every connection, an open session (SSO) included. */
export const informationsPage = ({ base, service, persona: { identity }, claims, fournisseur }: Informations): string =>
  page(
    base,
    'Informations transmises',
    html`
<h1>Informations transmises</h1>
<p>${fournisseur ? `Compte utilisé : ${fournisseur}.` : 'Une session est déjà ouverte dans ce navigateur : aucun compte ne vous a été demandé.'}</p>
<p>Vous allez continuer sur <strong>${service}</strong> en tant que <strong>${nameOf(identity)}</strong>. Le service recevra :</p>
<dl>${Object.entries(LABELS)
      .filter(([claim]) => claims.has(claim))
      .map(
        ([claim, label]) => html`<div><dt>${label}</dt><dd>${shownOf(identity, claim as keyof typeof LABELS)}</dd></div>`,
      )}</dl>
<form method="post" class="gestes">
<button type="submit" class="principal" name="geste" value="continuer">Continuer sur ${service}</button>
${REVENIR}
</form>`,
  )

const shownOf = (identity: Identity, claim: keyof typeof LABELS) => {
  if (claim === 'gender') return GENDERS[identity.gender]
  if (claim === 'birthdate') return dateOf(identity.birthdate)
  return identity[claim] || '(vide)'
}

/** A page that the client never hears of. */
export const errorPage = (base: string, code: ErrorCode): { status: number; body: string } => {
  const [status, sentence] = ERRORS[code]
  const body = page(
    base,
    'Une erreur est survenue',
    html`
<h1>Une erreur est survenue</h1>
<p>${sentence}</p>
<p>Fermez cet onglet, puis recommencez depuis le service.</p>
<p>Code d’erreur : <strong>${code}</strong></p>`,
  )
  return { status, body }
}

export const loggedOutPage = (base: string): string =>
  page(base, 'Déconnexion', html`<h1>La session est fermée</h1><p>Vous pouvez fermer cet onglet.</p>`)

export const notFoundPage = (base: string): string =>
  page(
    base,
    'Page introuvable',
    html`<h1>Page introuvable</h1><p>Ce simulateur remplace FranceConnect ou ProConnect pendant les essais. Commencez depuis le service.</p>`,
  )
