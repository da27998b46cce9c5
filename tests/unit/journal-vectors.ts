import type { EntryFields } from '../../src/journal/entry.ts'

const A = '0b0f6c1e-5d3a-4c2b-9a51-1f4e7d2c8b90'
const S = '5c1d2e3f-4a5b-4c6d-8e7f-9a0b1c2d3e4f'
const U = '7f6e5d4c-3b2a-4190-8f7e-6d5c4b3a2910'
const M = 'c0ffee00-1234-4abc-8def-0123456789ab'
const B = 'd1e2f3a4-b5c6-47d8-99ea-fb0c1d2e3f40'

export type Vecteur = {
  nom: string
  fields: Omit<EntryFields, 'commitment'>
  /** Hexadecimal. */
  salt: string
  payload: string
  /** Hexadecimal. */
  commitment: string
  entry: string
}

/** Written by hand, their hashes by another program (Python's hashlib): what the code and the database must both give, for ever. */
export const VECTEURS: readonly Vecteur[] = [
  {
    nom: 'un mandat signé',
    fields: {
      at: '2026-03-01T09:15:42.000Z',
      action: 'mandat_signe',
      acteur: 'aidant',
      acteurId: A,
      structureId: S,
      usagerId: U,
      mandatId: M,
      mandatSeq: 1,
    },
    salt: '00'.repeat(32),
    payload: '{"duree":"mois","perimetre":["logement"]}',
    commitment: 'b985b5aa4f03398067739538d16890851a0d620d0c2b5077c91824baa91eb7b1',
    entry:
      '{"acteur":"aidant","acteur_id":"0b0f6c1e-5d3a-4c2b-9a51-1f4e7d2c8b90","action":"mandat_signe","at":"2026-03-01T09:15:42.000Z","commitment":"uYW1qk8DOYBnc5U40WiQhRoNYg0MK1B3yRgkuqket7E","mandat_id":"c0ffee00-1234-4abc-8def-0123456789ab","mandat_seq":1,"structure_id":"5c1d2e3f-4a5b-4c6d-8e7f-9a0b1c2d3e4f","usager_id":"7f6e5d4c-3b2a-4190-8f7e-6d5c4b3a2910","v":1}',
  },
  {
    nom: 'une démarche, avec des millisecondes',
    fields: {
      at: '2026-03-01T09:20:00.007Z',
      action: 'demarche_realisee',
      acteur: 'aidant',
      acteurId: A,
      structureId: S,
      usagerId: U,
      mandatId: M,
      mandatSeq: 2,
    },
    salt: 'ff'.repeat(32),
    payload: '{"titre":"Demander le RSA"}',
    commitment: '964c294256646f86eb61ba895a8c4102c58fe03851b5e1d0f89a0b980780ba8b',
    entry:
      '{"acteur":"aidant","acteur_id":"0b0f6c1e-5d3a-4c2b-9a51-1f4e7d2c8b90","action":"demarche_realisee","at":"2026-03-01T09:20:00.007Z","commitment":"lkwpQlZkb4brYbqJWoxBAsWP4DhRteHQ-JoLmAeAuos","mandat_id":"c0ffee00-1234-4abc-8def-0123456789ab","mandat_seq":2,"structure_id":"5c1d2e3f-4a5b-4c6d-8e7f-9a0b1c2d3e4f","usager_id":"7f6e5d4c-3b2a-4190-8f7e-6d5c4b3a2910","v":1}',
  },
  {
    nom: 'une ligne de la personne, contenu accentué',
    fields: {
      at: '2026-03-02T23:59:59.999Z',
      action: 'autorisation_revoquee',
      acteur: 'usager',
      acteurId: U,
      structureId: S,
      usagerId: U,
      mandatId: M,
      mandatSeq: 3,
    },
    salt: '0123456789abcdef'.repeat(4),
    payload: '{"note":"éàœ — 😀"}',
    commitment: 'f20b599ed9df74261ddde042c46b962e4402680b8f63f9fc3d4eee81cf99dded',
    entry:
      '{"acteur":"usager","acteur_id":"7f6e5d4c-3b2a-4190-8f7e-6d5c4b3a2910","action":"autorisation_revoquee","at":"2026-03-02T23:59:59.999Z","commitment":"8gtZntnfdCYd3eBCxGuWLkQCaAuPY_n8PU7ugc-Z3e0","mandat_id":"c0ffee00-1234-4abc-8def-0123456789ab","mandat_seq":3,"structure_id":"5c1d2e3f-4a5b-4c6d-8e7f-9a0b1c2d3e4f","usager_id":"7f6e5d4c-3b2a-4190-8f7e-6d5c4b3a2910","v":1}',
  },
  {
    nom: 'une ligne du système, sans acteur nommé',
    fields: {
      at: '2028-02-29T00:00:00.000Z',
      action: 'mandat_expire',
      acteur: 'systeme',
      structureId: S,
      usagerId: U,
      mandatId: M,
      mandatSeq: 10,
    },
    salt: 'a5'.repeat(32),
    payload: '{}',
    commitment: '6e07e715417ec23c7dad804cd4dd4ee259c339dafe4a46548fe49ce6f2a83468',
    entry:
      '{"acteur":"systeme","action":"mandat_expire","at":"2028-02-29T00:00:00.000Z","commitment":"bgfnFUF-wjx9rYBM1N1O4lnDOdr-SkZUj-Sc5vKoNGg","mandat_id":"c0ffee00-1234-4abc-8def-0123456789ab","mandat_seq":10,"structure_id":"5c1d2e3f-4a5b-4c6d-8e7f-9a0b1c2d3e4f","usager_id":"7f6e5d4c-3b2a-4190-8f7e-6d5c4b3a2910","v":1}',
  },
  {
    nom: 'un dossier ouvert par le référent, sans mandat',
    fields: {
      at: '2026-10-25T00:59:59.500Z',
      action: 'dossier_ouvert',
      acteur: 'aidant',
      acteurId: A,
      structureId: S,
      usagerId: U,
    },
    salt: '10'.repeat(32),
    payload: '{"motif":"controle"}',
    commitment: '494d7dfd81d93c70d5f420b64f2d16343173d0c6189800887758bf2c48635888',
    entry:
      '{"acteur":"aidant","acteur_id":"0b0f6c1e-5d3a-4c2b-9a51-1f4e7d2c8b90","action":"dossier_ouvert","at":"2026-10-25T00:59:59.500Z","commitment":"SU19_YHZPHDV9CC2Ty0WNDFz0MYYmACId1i_LEhjWIg","structure_id":"5c1d2e3f-4a5b-4c6d-8e7f-9a0b1c2d3e4f","usager_id":"7f6e5d4c-3b2a-4190-8f7e-6d5c4b3a2910","v":1}',
  },
  {
    nom: 'un aidant ajouté, avec sa cible',
    fields: {
      at: '2026-12-31T23:59:59.001Z',
      action: 'aidant_ajoute',
      acteur: 'operateur',
      structureId: S,
      cibleAidantId: B,
    },
    salt: '7f80'.repeat(16),
    payload: '{"referent":true}',
    commitment: '63b2582fc5e274c62a85c93b8390645056cfe32888a0b10a080ee005085997f6',
    entry:
      '{"acteur":"operateur","action":"aidant_ajoute","at":"2026-12-31T23:59:59.001Z","cible_aidant_id":"d1e2f3a4-b5c6-47d8-99ea-fb0c1d2e3f40","commitment":"Y7JYL8XidMYqhck7g5BkUFbP4yiIoLEKCA7gBQhZl_Y","structure_id":"5c1d2e3f-4a5b-4c6d-8e7f-9a0b1c2d3e4f","v":1}',
  },
  {
    nom: 'une clé publiée, sans personne',
    fields: { at: '2027-01-01T00:00:00.100Z', action: 'cle_publiee', acteur: 'operateur' },
    salt: '0f'.repeat(32),
    payload: '{"kid":"x"}',
    commitment: 'c22f8eca17d504d2da92112a91f0930cfa7e0dd071036cc83de5f7b26196d40f',
    entry:
      '{"acteur":"operateur","action":"cle_publiee","at":"2027-01-01T00:00:00.100Z","commitment":"wi-OyhfVBNLakhEqkfCTDPp-DdBxA2zIPeX3smGW1A8","v":1}',
  },
  {
    nom: 'toutes les colonnes',
    fields: {
      at: '2026-03-01T10:00:00.010Z',
      action: 'session_deleguee',
      acteur: 'aidant',
      acteurId: A,
      structureId: S,
      usagerId: U,
      mandatId: M,
      mandatSeq: 2147483647,
      cibleAidantId: B,
    },
    salt: 'deadbeef'.repeat(8),
    payload: '{"a":1}',
    commitment: 'ce6a48848fef0fbdc03f9bf976608b0e32e2c2d33cbd2577e4529605d3b92927',
    entry:
      '{"acteur":"aidant","acteur_id":"0b0f6c1e-5d3a-4c2b-9a51-1f4e7d2c8b90","action":"session_deleguee","at":"2026-03-01T10:00:00.010Z","cible_aidant_id":"d1e2f3a4-b5c6-47d8-99ea-fb0c1d2e3f40","commitment":"zmpIhI_vD73AP5v5dmCLDjLiwtM8vSV35FKWBdO5KSc","mandat_id":"c0ffee00-1234-4abc-8def-0123456789ab","mandat_seq":2147483647,"structure_id":"5c1d2e3f-4a5b-4c6d-8e7f-9a0b1c2d3e4f","usager_id":"7f6e5d4c-3b2a-4190-8f7e-6d5c4b3a2910","v":1}',
  },
]
