/*
 * Reads a paper's QR in the browser: the fragment of the address reaches no server. Says what `src/verification/attestation.ts` and
 * `src/mandat/statut.ts` say; tests/hostile/attestations.test.ts gives both the same forgeries. Words are the page's: this only shows them.
 */

const THEMATIQUES = 'papiers famille social travail logement transports argent justice etranger loisirs'.split(' ')
const DAY = 24 * 3600
/** Seconds that this device's clock may be behind. */
const CLOCK = 300
const PATIENCE = 5000
const MINUTE = 60_000
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

const refuse = (reason) => {
  throw Object.assign(new Error(reason), { reason })
}

/** undefined for what the service never writes. */
export function fromDigits(digits) {
  if (!/^(?:\d\d){1,1500}$/.test(digits)) return undefined
  const jws = digits.match(/../g).map((pair) => String.fromCharCode(Number(pair) + 45))
  return jws.every((one) => /[\w.-]/.test(one)) ? jws.join('') : undefined
}

/** One spelling only. */
function fromBase64url(text) {
  if (!/^[\w-]*$/.test(text)) refuse('illisible')
  try {
    const binary = atob(text.replace(/-/g, '+').replace(/_/g, '/'))
    const again = btoa(binary).replace(/\+/g, '-').replace(/\//g, '_').replace(/=/g, '')
    if (again !== text) refuse('illisible')
    return Uint8Array.from(binary, (one) => one.charCodeAt(0))
  } catch {
    return refuse('illisible')
  }
}

function readObject(bytes, reason) {
  try {
    const text = utf8.decode(bytes)
    const value = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value) && !hasTwins(text)) return value
  } catch {}
  return refuse(reason)
}

/** A name that comes twice in an object: two readers may each see another one. */
function hasTwins(json) {
  const open = []
  for (const [token, name] of json.matchAll(/("(?:[^"\\]|\\.)*")\s*:|"(?:[^"\\]|\\.)*"|[{}]/g)) {
    if (token === '{') open.push(new Set())
    else if (token === '}') open.pop()
    else if (name !== undefined) {
      const key = JSON.parse(name)
      if (open.at(-1).has(key)) return true
      open.at(-1).add(key)
    }
  }
  return false
}

/** ES256 by a key of ours, whatever the token brings along. `designates`: says which of our keys a `kid` means. */
async function openJws(jws, typ, { keys, compromises = [] }, designates) {
  const parts = jws.split('.')
  if (parts.length !== 3) refuse('illisible')
  const [head, payload, signature] = parts.map(fromBase64url)
  const header = readObject(head, 'illisible')
  if (header.alg !== 'ES256') refuse('algorithme_refuse')
  const designated = ({ kid, kty, crv }) => kid && designates(kid) === header.kid && kty === 'EC' && crv === 'P-256'
  const stolen = compromises.find(designated)
  const jwk = stolen ?? keys.find(designated)
  if (!jwk) refuse('cle_inconnue')
  if ('crit' in header) refuse('illisible')
  const { kty, crv, x, y } = jwk
  const key = await crypto.subtle.importKey('jwk', { kty, crv, x, y }, { name: 'ECDSA', namedCurve: 'P-256' }, false, ['verify'])
  const signed = new TextEncoder().encode(`${parts[0]}.${parts[1]}`)
  if (!(await crypto.subtle.verify({ name: 'ECDSA', hash: 'SHA-256' }, key, signature, signed))) refuse('signature_fausse')
  if (stolen) refuse('cle_compromise')
  if (header.typ !== typ) refuse('type_inattendu')
  return payload
}

async function inflate(bytes, format, most) {
  const reader = new Blob([bytes]).stream().pipeThrough(new DecompressionStream(format)).getReader()
  const whole = new Uint8Array(most)
  let length = 0
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return whole.subarray(0, length)
      if (length + value.length > most) refuse('contenu_incomplet')
      whole.set(value, length)
      length += value.length
    }
  } catch {
    return refuse('contenu_incomplet')
  }
}

const whole = (most) => (value) => Number.isInteger(value) && value >= 0 && value <= most
const text = (most, form) => (value) => typeof value === 'string' && value.length <= most && (!form || form.test(value))
const CLAIMS = {
  a: whole(2 ** 40),
  b: text(10, /^\d{4}(-\d\d){0,2}$/),
  e: whole(2 ** 40),
  g: text(60),
  i: whole(99_999),
  l: whole(9_999),
  m: (value) => whole(1023)(value) && value > 0,
  n: text(60),
  r: text(14, /^\d{14}$/),
  s: text(120),
}

/** What the service attested; throws an error with its `reason`. */
export async function readAttestation(jws, jwks) {
  const payload = await openJws(jws, 'attestation', jwks, (kid) => kid.slice(0, 8))
  const { f = 'Europe/Paris', ...claims } = readObject(await inflate(payload, 'deflate-raw', 1000), 'contenu_incomplet')
  const names = Object.keys(CLAIMS)
  const known = Object.keys(claims).every((name) => names.includes(name))
  if (!known || !text(40)(f) || !names.every((name) => CLAIMS[name](claims[name])) || claims.e <= claims.a)
    refuse('contenu_incomplet')
  const { a, b, e, g, i, l, m, n, r, s } = claims
  return {
    prenoms: g,
    nom: n,
    birthdate: b,
    siret: r,
    structure: s,
    perimetre: THEMATIQUES.filter((_, rank) => m & (1 << rank)),
    signedAt: a,
    expiresAt: e,
    fuseau: f,
    liste: l,
    idx: i,
  }
}

/** The status of each thématique according to a list, and since when it is known (seconds). */
export async function readStatuts(token, { perimetre, idx }, jwks, sub) {
  const claims = readObject(await openJws(token, 'statuslist+jwt', jwks, (kid) => kid), 'contenu_incomplet')
  const { status_list: list, iat, exp } = claims
  if (list?.bits !== 2 || typeof list.lst !== 'string' || !Number.isInteger(iat) || !Number.isInteger(exp))
    refuse('contenu_incomplet')
  if (claims.sub !== sub) refuse('autre_liste')
  const bytes = await inflate(fromBase64url(list.lst), 'deflate', 25_000)
  const statuts = perimetre.map((thematique) => {
    const slot = idx + THEMATIQUES.indexOf(thematique)
    const byte = bytes[slot >> 2]
    if (byte === undefined) refuse('hors_liste')
    return [thematique, ['actif', 'termine', 'suspendu'][(byte >> ((slot & 3) * 2)) & 3] ?? refuse('contenu_incomplet')]
  })
  return { iat, exp, statuts: Object.fromEntries(statuts) }
}

/**
 * What may be said of an authentic paper. Ended is never undone: an old list still tells it. Anything else is only known for a day, and
 * from a list that does not come from the future.
 */
export function verdictOf({ signedAt, expiresAt, perimetre }, known, now) {
  const statuts = known ? perimetre.map((thematique) => known.statuts[thematique]) : []
  if (known && statuts.every((one) => one === 'termine')) return 'arrete'
  if (now >= expiresAt) return 'expire'
  if (now + CLOCK < signedAt || (known && known.iat > now + CLOCK)) return 'horloge'
  if (!known) return 'statut_inconnu'
  if (now >= known.exp || now - known.iat >= DAY) return 'statut_ancien'
  return statuts.includes('actif') ? 'en_cours' : 'en_pause'
}

// Below, the page.

const CACHE = 'v-donnees'
/**
 * From the network, or else as it was kept: `fresh` says which. Nothing is kept that is not `checked`, nor what was signed (`at`) before what is
 * kept already: a list from before a stop does not undo it.
 */
async function obtain(url, checked, at = () => 0) {
  const cache = await caches.open(CACHE)
  const answer = await cache.match(url)
  const kept = answer && (await checked(await answer.text()).catch(() => undefined))
  try {
    const answer = await fetch(url, { cache: 'no-cache', credentials: 'omit', signal: AbortSignal.timeout(PATIENCE) })
    if (!answer.ok) throw new Error(String(answer.status))
    const copy = answer.clone()
    const value = await checked(await answer.text())
    if (kept && at(kept) > at(value)) return { value: kept, fresh: true }
    await cache.put(url, copy)
    return { value, fresh: true }
  } catch {
    return kept && { value: kept, fresh: false }
  }
}
const signedAt = ({ iat }) => iat

const all = (selector) => document.querySelectorAll(selector)
const show = (selector) => {
  for (const element of all(selector)) element.hidden = false
}
const fill = (name, words) => {
  for (const element of all(`[data-fait="${name}"]`)) element.textContent = words
}
const day = (at, zone, options = { day: 'numeric', month: 'long', year: 'numeric' }) => {
  try {
    return new Intl.DateTimeFormat('fr-FR', { ...options, timeZone: zone }).format(at * 1000).replace(/^1 /, '1er ')
  } catch {
    return day(at, 'Europe/Paris', options)
  }
}
const birth = (date) => {
  const [year, month, dayOf] = date.split('-')
  const options = { year: 'numeric', ...(month && { month: 'long' }), ...(dayOf && { day: 'numeric' }) }
  return day(Date.UTC(year, (month ?? 1) - 1, dayOf ?? 1) / 1000, 'UTC', options)
}

/** What is to be said of this fragment, and of which paper. */
async function check(fragment) {
  if (!globalThis.crypto?.subtle || !globalThis.caches || !globalThis.DecompressionStream) return { verdict: 'navigateur' }
  const jwks = await obtain('/.well-known/jwks.json', async (json) => {
    const set = JSON.parse(json)
    return Array.isArray(set.keys) ? set : Promise.reject(new Error('keys'))
  })
  if (!fragment) {
    // Kept for when there is no network: the first list is the one of most papers.
    if (jwks)
      await obtain('/statuts/0', (token) => readStatuts(token, NOBODY, jwks.value, `${location.origin}/statuts/0`), signedAt)
    return { verdict: 'sans_papier' }
  }
  const jws = fromDigits(fragment)
  if (!jws) return { verdict: 'illisible' }
  if (!jwks) return { verdict: 'sans_cles' }
  let paper
  try {
    paper = await readAttestation(jws, jwks.value)
  } catch ({ reason }) {
    // Keys kept from another day do not know the newest one.
    return { verdict: reason === 'cle_inconnue' && !jwks.fresh ? 'sans_cles' : (reason ?? 'navigateur') }
  }
  const url = `/statuts/${paper.liste}`
  const list = await obtain(url, (token) => readStatuts(token, paper, jwks.value, location.origin + url), signedAt)
  return { paper, known: list?.value, fresh: list?.fresh }
}

/** A list that could not be asked for now only says what was; a paper of one thématique says nothing of the rest of the mandat. */
const wordsOf = (verdict, paper, fresh) => {
  if (verdict === 'en_cours' && !fresh) return 'en_cours_garde'
  return verdict === 'arrete' && paper.perimetre.length === 1 ? 'theme_arrete' : verdict
}

/** `verdict`: already said when there is no paper to judge; a paper is judged at the moment it is told. */
function tell({ verdict: said, paper, known, fresh }) {
  const now = Date.now() / 1000
  const verdict = paper ? verdictOf(paper, known, now) : said
  for (const element of all('[data-verdict], [data-authentique], [data-etat], [data-thematique]')) element.hidden = true
  show(`[data-verdict="${wordsOf(verdict, paper, fresh)}"]`)
  if (!paper) return
  fill('nom', `${paper.prenoms} ${paper.nom}`)
  fill('naissance', birth(paper.birthdate))
  fill('structure', paper.structure)
  fill('siret', paper.siret.replace(/^(...)(...)(...)/, '$1 $2 $3 '))
  fill('signe', day(paper.signedAt, paper.fuseau))
  fill('fin', day(paper.expiresAt, paper.fuseau))
  const sure = verdict === 'en_cours' || verdict === 'en_pause'
  for (const thematique of paper.perimetre) {
    const told = known?.statuts[thematique]
    const etat = told === 'termine' || sure ? told : now >= paper.expiresAt ? 'expire' : 'inconnu'
    show(`[data-thematique="${thematique}"], [data-thematique="${thematique}"] [data-etat="${etat}"]`)
  }
  if (known) {
    const options = { day: 'numeric', month: 'long', year: 'numeric', hour: '2-digit', minute: '2-digit' }
    const zone = Intl.DateTimeFormat().resolvedOptions().timeZone
    const since = day(known.iat, zone, options).replace(/0?(\d+):(\d\d)$/, '$1\u00a0h\u00a0$2')
    fill('depuis', since)
    fill('quand', day(known.iat, zone) === day(now, zone) ? since.slice(since.lastIndexOf('à')) : `le ${since}`)
    show('[data-etat="connu"]')
  }
  // What is over is not to be taken: no word of how to take it.
  if (verdict !== 'arrete' && verdict !== 'expire') show('[data-etat="utile"]')
  show('[data-authentique]')
}
/** The first slots, whoever holds them. */
const NOBODY = { perimetre: ['papiers'], idx: 0 }

const place = globalThis.document?.querySelector('[data-verification]')
if (place) {
  let last
  const run = async () => {
    const fragment = location.hash.slice(1)
    const found = await check(fragment).catch(() => ({ verdict: 'navigateur' }))
    // Another paper was scanned meanwhile: it is the one to tell, and nothing is shown before.
    if (location.hash.slice(1) !== fragment) return run()
    last = found
    tell(found)
  }
  // A tab left open, a phone asleep: time passes, and what was known is older. Said at once, then asked again.
  const again = () => {
    if (!last || document.hidden || place.hidden) return
    tell(last)
    run()
  }
  await run()
  for (const element of all('[data-sans-script]')) element.hidden = true
  place.hidden = false
  // Another paper scanned into the same tab only changes the fragment. Nothing of the first one stays meanwhile.
  addEventListener('hashchange', async () => {
    place.hidden = true
    await run()
    place.hidden = false
  })
  for (const event of ['visibilitychange', 'pageshow']) addEventListener(event, again)
  setInterval(again, MINUTE)
  navigator.serviceWorker?.register('/v-sw.js', { scope: '/v' }).catch(() => {})
}
