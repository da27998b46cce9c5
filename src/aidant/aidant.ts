/** Version of the conditions of use an aidant must have accepted before any act; raised when they change. */
export const CGU_VERSION = 1

/** An e-mail as it is stored and compared: case and spaces around it do not matter. */
export const normalEmail = (email: string): string => email.trim().toLowerCase()
