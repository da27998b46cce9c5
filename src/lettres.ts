/** Of every code that is printed. Without 0 O, 1 I L, 2 Z, 4 A, 5 S, C E N U: nothing that is misread, misheard or makes a word. */
export const LETTRES = '36789BDFGHJKMPQRTVWXY'
export const LONGUEUR = 12

/** « XXXX-XXXX-XXXX », as a code is written. */
export const parQuatre = (code: string): string => code.replace(/(.{4})(?=.)/g, '$1-')
