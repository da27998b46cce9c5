/** « 05 65 12 34 56 », as one says it; another country's as it is. */
export const telephone = (number: string): string =>
  number
    .replace(/[\s.-]/g, '')
    .replace(/^\+33/, '0')
    .replace(/^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/, '$1\u00a0$2\u00a0$3\u00a0$4\u00a0$5')
