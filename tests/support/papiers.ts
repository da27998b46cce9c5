import { THEMATIQUES, type Thematique } from '../../src/mandat/mandat.ts'
import type { MandatContenu } from '../../src/mandat/queries.ts'
import { TEXTE_COURANT, texteDuMandat } from '../../src/mandat/texte.ts'
import { lignesDuTexte } from '../../src/papier/papier.ts'
import { qrSvg } from '../../src/verification/qr.ts'
import type { FaitsMandat } from '../../views/papier/mandat.ts'

const FIGEAC = {
  nom: 'CCAS de Figeac',
  siret: '26460012300017',
  adresse: '5 rue de Colomb, 46100 Figeac',
  telephone: '+33565500000',
  fuseau: 'Europe/Paris',
}
export const SERVICE = {
  publicUrl: 'https://mandats.exemple.fr',
  editeur: 'Trait d’union, 12 rue de la République, 46100 Figeac.',
  demo: false,
}

/** A mandat to lay out, without a database. */
export function unMandat(
  more: {
    perimetre?: readonly Thematique[]
    identite?: Partial<MandatContenu['identite']>
    structure?: Partial<typeof FIGEAC>
    /** What its QR says. */
    url?: string
  } = {},
): FaitsMandat {
  const { perimetre = ['logement'] } = more
  const structure = { ...FIGEAC, ...more.structure }
  const now = new Date('2026-11-22T13:05:00Z')
  return {
    numero: '7b0e8b0a-51cf-4a69-9a3e-0f6f6a1d2c3b',
    contenu: {
      texte: texteDuMandat(TEXTE_COURANT, {
        structure: structure.nom,
        siret: structure.siret,
        thematiques: perimetre,
        fin: '3 mars 2027',
        adresse: `${SERVICE.publicUrl}/mon-espace`,
      }),
      identite: {
        sub: 'odette',
        prenoms: ['Odette', 'Marie'],
        nomNaissance: 'Delpech',
        nomUsage: 'Garrigues',
        birthdate: '1941-03-12',
        birthcountry: '99100',
        ...more.identite,
      },
      structure,
      aidant: { prenom: 'Thomas', nom: 'Lacombe' },
      accord: { at: now.toISOString(), suivi: 'papier' },
    },
    thematiques: lignesDuTexte(TEXTE_COURANT, perimetre),
    expiresAt: new Date('2027-03-03T22:59:59Z'),
    code: '3F7K-9WQX-RT6B',
    qr: qrSvg(more.url ?? `${SERVICE.publicUrl}/v#${'1234567890'.repeat(52)}`),
    now,
    service: SERVICE,
  }
}

const SOIXANTE = 'Marie-Antoinette Philippine Éléonore Joséphine de La Rochefo'

/** The most that a paper may have to hold. */
export const lePlusLong = (url = `${SERVICE.publicUrl}/v#${'1234567890'.repeat(110)}`) =>
  unMandat({
    perimetre: THEMATIQUES,
    identite: { prenoms: [SOIXANTE], nomNaissance: SOIXANTE.toUpperCase(), nomUsage: SOIXANTE },
    structure: {
      nom: 'Centre communal d’action sociale de Saint-Rémy-en-Bouzemont-Sa',
      adresse: '128 bis avenue du Général de Gaulle, bâtiment C, 51290 Saint-Rémy-en-Bouzemont-Saint-Genest-et-Isson',
    },
    url,
  })
