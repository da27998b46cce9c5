const COUPURE = / [!%:;?»€]|« |\d h \d/
const ESPACES = /(?<=«|\d h) | (?=[!%:;?»€]|(?<=\d )h \d)/g

/**
 * The same French text, no line of which may begin with « : », « ; », « ? », « ! », « » », « % » or « € », end with an opening quote, or
 * part an hour: those spaces become unbreakable. Other numbers and dates have theirs from words.ts. Not for SMS, whose alphabet has no such
 * space (GSM 03.38). See docs/adr/0041.
 */
export const insecables = (text: string): string => (COUPURE.test(text) ? text.replace(ESPACES, '\u00a0') : text)
