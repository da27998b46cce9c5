import { IDLE_MINUTES } from '../../src/http/idle.ts'
import { asset } from './assets.ts'
import { attributes, type Html, html, type Words, within } from './html.ts'
import { icon, mark } from './icon.ts'

/** Where the navigation leads; routes use the same addresses. */
const NAV = {
  home: '/',
  aidant: [
    { key: 'personnes', href: '/personnes', words: 'Personnes' },
    { key: 'mandat', href: '/mandats/expliquer', words: 'Nouveau mandat' },
  ],
  referent: [
    { key: 'journal', href: '/structure/journal', words: 'Journal de la structure' },
    { key: 'contestations', href: '/structure/contestations', words: 'Contestations' },
    { key: 'aidants', href: '/structure/aidants', words: 'L’équipe' },
    { key: 'thematiques', href: '/structure/thematiques', words: 'Thématiques' },
  ],
  usager: [
    { key: 'mandats', href: '/mon-espace', words: 'Mes mandats' },
    { key: 'donnees', href: '/mon-espace/donnees', words: 'Mes données' },
    { key: 'acces', href: '/mon-espace/acces', words: 'Qui a ouvert mon dossier' },
  ],
  changeStructure: '/structures',
  leaveAidant: '/deconnexion',
  leaveUsager: '/mon-espace/deconnexion',
  sessionsAidant: '/mes-connexions',
  moyensAidant: '/mes-moyens-de-connexion',
  sessionsUsager: '/mon-espace/connexions',
  toutVoir: '/mon-espace/tout-voir',
  accessibilite: '/accessibilite',
  mentions: '/mentions-legales',
  messages: '/demo/messages',
} as const

/** The field of a page's forms that says in whose session they were begun (see src/http/kept-form.ts). */
export const PAGE_OF = '_page_de'

export type Frame = {
  space: 'public' | 'aidant' | 'usager' | 'simulateur'
  /** `nom` of who is signed in; `structure` is the one acting, `structures` how many he may choose from. */
  who?: { nom: string; structure?: string; structures?: number; referent?: boolean } | undefined
  /** In whose session this page is shown. */
  pageOf?: string | undefined
  /** `key` of the current entry of the navigation (see NAV). */
  current?: string | undefined
  /** True in the demonstration only: adds the link to the messages sent. */
  demo?: boolean | undefined
  /** True when the form was refused: says so first in the tab's title. */
  invalid?: boolean | undefined
  /** The h1, when it differs from the title; `false` when the body brings its own. */
  heading?: Words | false | undefined
  /** What stands above the h1 (a link back, the step of a journey). */
  above?: Html | undefined
  /** A page that asks for calm and nothing else (agreeing, signing in): no navigation. */
  bare?: boolean | undefined
  /** Her space opened with the code of her paper: says on each page what is hidden, and how to see it. */
  parCode?: boolean | undefined
  /** A screen turned to the person, or hers when she chose so: everything larger. */
  grande?: boolean | undefined
  /** A script of `public/` that this page alone needs. */
  script?: string | undefined
  /** `wide` for tables. */
  width?: 'text' | 'wide' | undefined
}

/** A whole page, ready to send. The tab says `title - Trait d'union`; the h1 says `title` unless `heading` says otherwise. */
export const page = (frame: Frame, title: string, body: Html): string => {
  const space = frame.space
  const heading = frame.heading ?? title
  const hers = space === 'usager' && frame.current !== undefined && !frame.bare
  return html`<!DOCTYPE html>
<html lang="fr"${frame.grande && html` class="grande"`}>
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${frame.invalid && 'Erreur : '}${title} - Trait d’union</title>
<meta name="robots" content="noindex">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="${asset('favicon.svg')}" type="image/svg+xml">
<link rel="stylesheet" href="${asset('style.css')}">
${
  space === 'aidant' &&
  html`<meta name="htmx-config" content="${HTMX}">
<script src="${asset('htmx.min.js')}" defer></script>
<script src="${asset('aidant.js')}" defer></script>`
}
${frame.script && html`<script src="${asset(frame.script)}" defer></script>`}
</head>
<body${space === 'aidant' && html` data-veille="${IDLE_MINUTES}"`} class="space-${space}${(space !== 'aidant' || frame.bare) && frame.width !== 'wide' ? ' narrow' : ''}">
<a class="skip" href="#contenu">Aller au contenu</a>
${header(frame)}
<main id="contenu" tabindex="-1" class="${frame.width ?? 'text'}">
${hers && lire(frame.grande === true)}
${frame.above}
${heading !== false && html`<h1>${heading}</h1>`}
${frame.parCode && !frame.bare && PAR_CODE}
${frame.pageOf ? within(body, '<form method="post"', html`<input type="hidden" name="${PAGE_OF}" value="${frame.pageOf}">`) : body}
</main>
${footer(frame)}
</body>
</html>`.toString()
}

/** Larger letters, on every page until she leaves. */
const lire = (grande: boolean) =>
  html`<p><a href="?ecriture=${grande ? 'ordinaire' : 'grande'}">${grande ? 'Écriture ordinaire' : 'Grande écriture'}</a></p>`

const PAR_CODE = html`<p>Ouvert avec le code de votre feuille : ce qui est confidentiel est caché. <a href="${NAV.toutVoir}">Pour tout voir, connectez-vous avec FranceConnect</a>.</p>`

/** No style written by htmx (the CSP forbids it), not even an empty one carried over while it settles; nothing inherited unless said, a page reloaded rather than kept when going back. */
const HTMX = JSON.stringify({
  includeIndicatorCSS: false,
  defaultSettleDelay: 0,
  implicitInheritance: false,
  history: 'reload',
  defaultTimeout: 5000,
})

const NAME = html`${mark()}<span>Trait d’union</span>`
const brand = (href: string) => html`<a class="brand" href="${href}">${NAME}</a>`

const leave = (action: string) =>
  html`<form method="post" action="${action}" class="leave"><button type="submit" class="link">${icon('sortir')}Se déconnecter</button></form>`

const nav = (entries: readonly { key: string; href: string; words: string }[], current: string | undefined) =>
  html`<nav aria-label="Menu"><ul>${entries.map(
    ({ key, href, words }) =>
      html`<li><a href="${href}"${attributes({ 'aria-current': key === current && 'page' })}>${words}</a></li>`,
  )}</ul></nav>`

const header = ({ space, who, current, bare, parCode }: Frame): Html => {
  if (space === 'simulateur')
    return html`<header class="top"><div class="bar"><p class="brand">Simulateur de FranceConnect</p><p class="note">Démonstration : aucune vraie identité ici</p></div></header>`
  if (!who) return html`<header class="top"><div class="bar">${brand(NAV.home)}</div></header>`
  if (space === 'usager')
    return html`<header class="top"><div class="bar">${brand('/mon-espace')}<p class="who">${icon('personne')}<span>${who.nom}</span></p>${leave(NAV.leaveUsager)}</div>${
      !bare &&
      nav(
        NAV.usager.filter(({ key }) => !parCode || key !== 'donnees'),
        current,
      )
    }</header>`
  return html`<header class="top"><div class="bar">${
    // Bare, it may be lent to the person: nothing there leads to the list of everyone helped.
    bare ? html`<p class="brand">${NAME}</p>` : brand('/personnes')
  }
${who.structure && html`<p class="acting"><span><span class="label">Vous agissez pour</span> <strong>${who.structure}</strong></span>${!bare && (who.structures ?? 1) > 1 && html` <a href="${NAV.changeStructure}">Changer de structure</a>`}</p>`}
<p class="who">${icon('personne')}<span>${who.nom}</span></p>${leave(NAV.leaveAidant)}</div>${!bare && nav(who.referent ? [...NAV.aidant, ...NAV.referent] : NAV.aidant, current)}</header>`
}

const footer = ({ space, demo, who, bare, parCode }: Frame): Html =>
  space === 'simulateur'
    ? html`<footer class="end"><p>Cette page imite FranceConnect pour la démonstration de Trait d’union.</p></footer>`
    : html`<footer class="end"><ul>
${who && !bare && !parCode && html`<li><a href="${space === 'usager' ? NAV.sessionsUsager : NAV.sessionsAidant}">Mes connexions</a></li>`}
${who && !bare && space === 'aidant' && html`<li><a href="${NAV.moyensAidant}">Mes moyens de connexion</a></li>`}
<li><a href="${NAV.accessibilite}">Accessibilité : non conforme</a></li>
<li><a href="${NAV.mentions}">Mentions légales et données personnelles</a></li>
${demo && html`<li><a href="${NAV.messages}">Messages de la démonstration</a></li>`}
</ul></footer>`
