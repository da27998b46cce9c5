const SMS = 160

/** The words of one SMS: what `write` is given (a structure's name, said with its article) is cut at its end, never what follows it. */
export const oneSms = (name: string, write: (name: string) => string): string =>
  plain(
    write(
      plain(name)
        .slice(0, SMS - plain(write('')).length)
        .trimEnd(),
    ),
  )

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
