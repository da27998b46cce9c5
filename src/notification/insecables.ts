const COUPURE = / [!%:;?»€]|« /
const ESPACES = /(?<=«) | (?=[!%:;?»€])/g

/**
 * The same French text, no line of which may begin with « : », « ; », « ? », « ! », « » », « % » or « € », nor end with an opening quote: those
 * spaces become unbreakable. Numbers and dates have theirs from words.ts. Not for SMS: their alphabet has no such space (GSM 03.38).
 */
export const insecables = (text: string): string => (COUPURE.test(text) ? text.replace(ESPACES, '\u00a0') : text)
