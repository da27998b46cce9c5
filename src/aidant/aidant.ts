/** Version of the conditions of use an aidant must have accepted before any act; raised when they change. */
export const CGU_VERSION = 1

/** No aidant has it: an unknown address takes the same path as a known one. */
export const NOBODY = '00000000-0000-0000-0000-000000000000'

/** An e-mail as it is stored and compared: case and spaces around it do not matter. */
export const normalEmail = (email: string): string => email.trim().toLowerCase()
