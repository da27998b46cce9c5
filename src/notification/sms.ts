const SMS = 160

/** What a long name is known by: said when the whole does not fit. */
const SIGLES: readonly [RegExp, string][] = [
  [/centre communal d'action sociale/i, 'CCAS'],
  [/centre intercommunal d'action sociale/i, 'CIAS'],
  [/union departementale des associations familiales/i, 'UDAF'],
  [/communaute de communes/i, 'CC'],
]
/** Words that call for another: a name never ends with one. */
const SUSPENDUS = /(?:[\s,-]+(?:d'|l'|de|du|des|le|la|les|et|en|sur|sous|pour|a|au|aux))*[\s,-]*$/i

/** The words of one SMS: what `write` is given (a structure's name, said with its article) is shortened, by whole words, never what follows it. */
export function oneSms(name: string, write: (name: string) => string): string {
  const room = SMS - plain(write('')).length
  const fitting = (text: string) => text.length <= room
  const long = plain(name)
  const short = fitting(long) ? long : SIGLES.reduce((text, [words, sigle]) => text.replace(words, sigle), long)
  const whole = short
    .slice(0, room + 1)
    .replace(/\s+\S*$/, '')
    .replace(SUSPENDUS, '')
  return plain(write(fitting(short) ? short : fitting(whole) ? whole : short.slice(0, room)))
}

/**
 * Letters that the GSM alphabet counts as one, so that 160 characters are one SMS; and nothing that a telephone makes a link of, whatever a
 * structure is called: the outbox refuses it (message_sms_simple), and a courtesy must not undo the fact that it tells.
 */
export const plain = (text: string): string =>
  text
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/œ/g, 'oe')
    .replace(/Œ/g, 'OE')
    .replace(/æ/g, 'ae')
    .replace(/Æ/g, 'AE')
    .replace(/[’‘]/g, "'")
    .replace(/« ?| ?»|[“”]/g, '"')
    .replace(/[‐-―]/g, '-')
    .replace(/[^ -~]|[\\^`{|}~[\]]/g, ' ')
    .replace(/(https?):/gi, '$1 ')
    .replace(/(www)\./gi, '$1 ')
