/** What no field of the service may hold, whoever types it. */
type Secret = 'nir' | 'iban' | 'carte' | 'mot_de_passe'
const SECRET = {
  nir: 'Ceci ressemble à un numéro de sécurité sociale : ne l’écrivez jamais ici, ce service n’en a pas besoin et ne doit pas le garder.',
  iban: 'Ceci ressemble à un IBAN : ne l’écrivez jamais ici, la personne le donne elle-même à l’administration.',
  carte: 'Ceci ressemble à un numéro de carte bancaire : ne l’écrivez jamais ici, seule la personne tape le sien.',
  mot_de_passe: 'Ceci ressemble à un mot de passe : ne l’écrivez jamais ici, il n’appartient qu’à la personne.',
} as const satisfies Record<Secret, string>

/** The same, said to the person of what is hers. */
const SECRET_A_ELLE = {
  nir: SECRET.nir,
  iban: 'Ceci ressemble à un IBAN : ne l’écrivez jamais ici, vous le donnez vous-même à l’administration.',
  carte:
    'Ceci ressemble à un numéro de carte bancaire : ne l’écrivez jamais ici, vous tapez le vôtre vous-même, sur le site qui le demande.',
  mot_de_passe: 'Ceci ressemble à un mot de passe : ne l’écrivez jamais ici, il n’appartient qu’à vous.',
} as const satisfies Record<Secret, string>

/** The French explanation when a text holds a secret, undefined otherwise; `aElle`: the person wrote it. */
export const sansSecret = (text: string, aElle = false): string | undefined => {
  const secret = findSecret(text)
  return secret && (aElle ? SECRET_A_ELLE : SECRET)[secret]
}

/** What a text holds that must never be kept. Checks digits' keys, so that references, telephones, SIRET and tax numbers pass. */
export function findSecret(text: string): Secret | undefined {
  if (holdsPassword(text)) return 'mot_de_passe'
  if (holdsIban(text)) return 'iban'
  if (holdsNir(text)) return 'nir'
  return holdsCard(text) ? 'carte' : undefined
}

// Looked for from each place where a number may begin: what stands before or after (a date, another number) must not hide it.

/** sex, year, month (pseudo-months of births without papers), department, commune, order; then the key, which two digits of a date are not. */
const NIR =
  /(?<![\dA-Z])(?=([1-478][\s.-]{0,3}\d\d[\s.-]{0,3}(?:0[1-9]|1[0-2]|20|3\d|4[0-2]|[5-9]\d)[\s.-]{0,3}(?:\d\d|2[AB])[\s.-]{0,3}\d{3}[\s.-]{0,3}\d{3})(?:([\s.-]{0,3})(\d\d)(?!\/))?(?![\dA-Z]))/gi
/** The same with its key, spaced in any way. */
const FIFTEEN = /(?<![\dA-Z]|\d[\s.-]{1,2})[1-478](?:[\s.-]{0,2}\d){14}(?![\s.-]{0,2}\d|[A-Z/])/gi

const holdsNir = (text: string) =>
  [...text.matchAll(NIR)].some(([, written = '', apart = '', key]) => {
    const number = bare(written)
    const gaps = written.match(/[\s.-]+/g)?.length ?? 0
    if (key !== undefined && keyOf(number) === Number(key)) return true
    return (key === undefined || apart !== '') && (gaps === 0 || gaps >= 3) && isBorn(number) && !isTaxNumber(number)
  }) ||
  [...text.matchAll(FIFTEEN)]
    .map(([run]) => bare(run))
    .some((run) => isBorn(run) && keyOf(run.slice(0, 13)) === Number(run.slice(13)))

const bare = (text: string) => text.replace(/[\s.-]/g, '').toUpperCase()
const keyOf = (number: string) => 97 - (Number(number.replace('2A', '19').replace('2B', '18')) % 97)
/** Without its key, a number is a NIR only when someone may have been born so: in a true month, somewhere. */
const isBorn = (number: string) => /^\d{3}(?:0[1-9]|1[0-2])(?!00|96)..(?!000)\d{3}(?!000)\d{3}/.test(number)
/** Of thirteen digits too, with a key of its own: its first ten digits modulo 511. */
const isTaxNumber = (number: string) => Number(number.slice(0, 10)) % 511 === Number(number.slice(10))

/** Length of an IBAN by country: without it, words glued to a number would be tried until one fits. */
const IBAN_LENGTH = Object.fromEntries(
  (
    'AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BR29 BY28 CH21 CI28 CM27 CR22 CY28 CZ24 DE22 DK18 DO28 DZ26 EE20 EG29 ES24 FI18 FO18 FR27 GA27 GB22 ' +
    'GE22 GI23 GL18 GR27 GT28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LI21 LT20 LU20 LV21 MA28 MC27 MD24 ME22 MG27 MK19 ML28 MR27 MT31 ' +
    'MU30 NL18 NO15 PK24 PL28 PS29 PT25 QA29 RO24 RS22 SA24 SE24 SI19 SK24 SM27 SN28 TN24 TR26 UA29 VA22 XK20'
  )
    .split(' ')
    .map((entry) => [entry.slice(0, 2), Number(entry.slice(2))]),
)

/** Countries whose code is also a French word (« de 22 à 26 euros »): they write digits only, so that a sentence is none of theirs. */
const SENTENCE = /^(?:DE|ES|IL|MA|ME|SE|SI).*[A-Z]/

const holdsIban = (text: string) => {
  const upper = text.toUpperCase()
  return [...upper.matchAll(/(?<![A-Z0-9])(?=([A-Z]{2}) ?\d\d)/g)].some((start) => {
    const length = IBAN_LENGTH[start[1]!]
    const run = /^(?:[A-Z0-9][\s.-]{0,2})+/.exec(upper.slice(start.index))![0].replace(/[\s.-]/g, '')
    const number = run.slice(0, length)
    return (
      length !== undefined &&
      number.length === length &&
      !SENTENCE.test(number) &&
      number.replace(/\D/g, '').length >= 12 &&
      mod97(number.slice(4) + number.slice(0, 4)) === 1
    )
  })
}

const mod97 = (text: string) => {
  let rest = 0
  for (const digit of text.replace(/[A-Z]/g, (letter) => String(letter.charCodeAt(0) - 55)))
    rest = (rest * 10 + Number(digit)) % 97
  return rest
}

/** First digits and lengths of the cards in use. Not 14 digits (old Diners): a SIRET has 14, and a right Luhn key. */
const CARD = /^(?:4(?:\d{12}|\d{15}|\d{18})|3[47]\d{13}|(?:5[0-8]|6\d)\d{14,17}|2[2-7]\d{14}|35\d{14})$/
/** All at once, or spaced as on the card: by four, or 4-6-5 (American Express). */
const PRINTED =
  /(?<![\dA-Z])(?=(\d{13,19}|\d{4}(?:[\s.-]{1,2}\d{4}){2,3}([\s.-]{1,2}\d{1,4})?|\d{4}[\s.-]{1,2}\d{6}[\s.-]{1,2}\d{5})(?![\dA-Z]))/gi

const holdsCard = (text: string) =>
  [...text.matchAll(PRINTED)]
    .flatMap(([, run = '', last = '']) => [run, run.slice(0, run.length - last.length)].map((one) => one.replace(/\D/g, '')))
    .some((run) => CARD.test(run) && luhn(run))

/** The key of a card or of a SIRET. */
export const luhn = (digits: string): boolean => {
  const sum = [...digits].reverse().reduce((total, digit, place) => {
    const value = Number(digit) * (place % 2 ? 2 : 1)
    return total + (value > 9 ? value - 9 : value)
  }, 0)
  return sum % 10 === 0 && sum > 0
}

const PASSWORD =
  /(?<!\p{L})(?:mots?[\s-]+de[\s-]+passes?|mdp|password|passwd|codes?\s+(?:secrets?|confidentiels?|pin)|pin)(?!\p{L})/giu
/** After « mot de passe », what tells that one is spoken of, not given. */
const SPOKEN_OF =
  /^(?:(?:bloqu|chang|cr[eé][eé]|demand|donn|envo|expir|fai|inconnu|inval|modifi|nouve|oubli|perd|r[eé](?:initialis|nouvel|fai|fus|[cç]u|trouv)|tap|temporaire|trouv|v[eé]rifi)\p{L}*|a|à|au|aucun|aucune|elle|en|est|et|il|je|la|le|les|lien|ne|non|ok|on|oui|par|pas|plus|pour|sa|sans|son|un|une|voir|vu)[.,;!)]*$/iu

/** « mot de passe : xxx », « mdp CAF = xxx », « le mot de passe est Soleil31 ». */
const holdsPassword = (text: string) =>
  [...text.matchAll(PASSWORD)].some(({ 0: word, index }) => {
    const after = text.slice(index + word.length, index + word.length + 80)
    const mixed = (token: string) =>
      /\d/.test(token) && /\p{L}/u.test(token) && token.length >= 4 && !/^\d{1,2}h(?:\d\d)?\W*$/.test(token)
    const given = /^((?:\s+[\p{L}'’.-]+){0,3})\s*[:=]+\s*["'«“]?\s*(\S{3,})/u.exec(after)
    if (given) return mixed(given[2]!) || ![...given[1]!.trim().split(/\s+/), given[2]!].some((token) => SPOKEN_OF.test(token))
    const said = /^\s+(?:est|c['’]est)?\s*["'«“]?\s*(\S+)/u.exec(after)
    return said !== null && mixed(said[1]!)
  })
