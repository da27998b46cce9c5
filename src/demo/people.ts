import { createHash } from 'node:crypto'
import { Secret, TOTP } from 'otpauth'

/** The demo's professionals, also the tests'. Nobody here exists. */
export const STRUCTURES = {
  figeac: {
    nom: 'CCAS de Figeac',
    siret: '26460102500018',
    adresse: '5 rue de Colomb, 46100 Figeac',
    telephone: '05 65 50 05 40',
    fuseau: 'Europe/Paris',
  },
  saintDenis: {
    nom: 'France services Saint-Denis',
    siret: '21974011300010',
    adresse: '2 rue de Paris, 97400 Saint-Denis',
    telephone: '02 62 40 04 00',
    fuseau: 'Indian/Reunion',
  },
} as const
export type StructureKey = keyof typeof STRUCTURES

type Professional = {
  email: string
  prenom: string
  nom: string
  structures: readonly StructureKey[]
  referent: boolean
}

export const AIDANTS = {
  nadia: { email: 'nadia@figeac.demo', prenom: 'Nadia', nom: 'Belkacem', structures: ['figeac'], referent: true },
  thomas: { email: 'thomas@figeac.demo', prenom: 'Thomas', nom: 'Lacombe', structures: ['figeac'], referent: false },
  ines: { email: 'ines@figeac.demo', prenom: 'Inès', nom: 'Delmas', structures: ['figeac'], referent: false },
  jocelyne: { email: 'jocelyne@saint-denis.demo', prenom: 'Jocelyne', nom: 'Hoarau', structures: ['saintDenis'], referent: true },
  fabrice: { email: 'fabrice@saint-denis.demo', prenom: 'Fabrice', nom: 'Payet', structures: ['saintDenis'], referent: false },
  samira: { email: 'samira@deux.demo', prenom: 'Samira', nom: 'Roux', structures: ['figeac', 'saintDenis'], referent: false },
} as const satisfies Record<string, Professional>
export type AidantKey = keyof typeof AIDANTS

/** Each one's authenticator, the same at every start: a demo secret, that no production start accepts as its own. */
export const totpSecretOf = (key: AidantKey): Buffer => createHash('sha1').update(`demo:${key}`).digest()

/** The code her authenticator shows at `at`. */
export const codeOf = (key: AidantKey, at: Date): string =>
  new TOTP({ secret: new Secret({ buffer: new Uint8Array(totpSecretOf(key)).buffer }) }).generate({ timestamp: at.getTime() })
