import { createHash } from 'node:crypto'

/** What FranceConnect knows of a person: names of the claims, formats and silences are its own (see the notes on each). */
export type Identity = {
  /** All the first names, separated by spaces. */
  given_name: string
  given_name_array: readonly string[]
  /** Birth name. */
  family_name: string
  /** Nom d'usage; absent for most people. */
  preferred_username?: string
  gender: 'female' | 'male' | 'unspecified'
  /** YYYY-MM-DD; an unknown day or month arrives as 01. */
  birthdate: string
  /** INSEE code of the commune; empty when born abroad. */
  birthplace: string
  /** INSEE code of the country; France is 99100. */
  birthcountry: string
  email?: string
}

/** What the account-choice page sorts the personas by. */
export type Famille = 'figeac' | 'reunion' | 'etat_civil' | 'sans_issue'

export type Persona = {
  key: string
  famille: Famille
  /** Where the demo's structures meet this person. FranceConnect sends no address. */
  commune: 'Figeac' | 'Saint-Denis'
  /** One line, in French, for whoever chooses an account. */
  description: string
  identity: Identity
} & ({ outcome: 'ok' } | { outcome: 'error_page'; code: 'Y010015' | 'Y180001' })

const FRANCE = '99100'

/** Entirely invented people. Nobody's data: the addresses are in example.org, which no one can receive mail at. */
export const PERSONAS: readonly Persona[] = [
  {
    key: 'odette',
    famille: 'figeac',
    commune: 'Figeac',
    description: 'Née à Figeac, un seul nom, une adresse e-mail : le cas le plus courant',
    outcome: 'ok',
    identity: {
      given_name: 'Odette Marie',
      given_name_array: ['Odette', 'Marie'],
      family_name: 'LACOMBE',
      gender: 'female',
      birthdate: '1954-03-12',
      birthplace: '46102',
      birthcountry: FRANCE,
      email: 'odette.lacombe@example.org',
    },
  },
  {
    key: 'josiane',
    famille: 'figeac',
    commune: 'Figeac',
    description: 'Porte un nom d’usage différent de son nom de naissance',
    outcome: 'ok',
    identity: {
      given_name: 'Josiane',
      given_name_array: ['Josiane'],
      family_name: 'BOUSQUET',
      preferred_username: 'DELPECH',
      gender: 'female',
      birthdate: '1961-11-02',
      birthplace: '46042',
      birthcountry: FRANCE,
      email: 'josiane.delpech@example.org',
    },
  },
  {
    key: 'jean-baptiste',
    famille: 'figeac',
    commune: 'Figeac',
    description: 'Quatre prénoms, dont un composé',
    outcome: 'ok',
    identity: {
      given_name: 'Jean-Baptiste Marius Émile Augustin',
      given_name_array: ['Jean-Baptiste', 'Marius', 'Émile', 'Augustin'],
      family_name: 'VAYSSIÈRES',
      gender: 'male',
      birthdate: '1948-06-29',
      birthplace: '12089',
      birthcountry: FRANCE,
      email: 'jb.vayssieres@example.org',
    },
  },
  {
    key: 'marcel',
    famille: 'figeac',
    commune: 'Figeac',
    description: 'N’a pas d’adresse e-mail',
    outcome: 'ok',
    identity: {
      given_name: 'Marcel Louis',
      given_name_array: ['Marcel', 'Louis'],
      family_name: 'GARRIGUES',
      gender: 'male',
      birthdate: '1939-01-17',
      birthplace: '46102',
      birthcountry: FRANCE,
    },
  },
  {
    key: 'fatma',
    famille: 'figeac',
    commune: 'Figeac',
    description: 'Née en Algérie : lieu de naissance vide',
    outcome: 'ok',
    identity: {
      given_name: 'Fatma',
      given_name_array: ['Fatma'],
      family_name: 'BENHADDOU',
      gender: 'female',
      birthdate: '1957-04-17',
      birthplace: '',
      birthcountry: '99352',
      email: 'fatma.benhaddou@example.org',
    },
  },
  {
    key: 'abdelkader',
    famille: 'figeac',
    commune: 'Figeac',
    description: 'Né au Maroc : lieu de naissance vide',
    outcome: 'ok',
    identity: {
      given_name: 'Abdelkader',
      given_name_array: ['Abdelkader'],
      family_name: 'EL AMRANI',
      gender: 'male',
      birthdate: '1951-09-05',
      birthplace: '',
      birthcountry: '99350',
      email: 'a.elamrani@example.org',
    },
  },
  {
    key: 'conceicao',
    famille: 'figeac',
    commune: 'Figeac',
    description: 'Née au Portugal, nom composé avec particules',
    outcome: 'ok',
    identity: {
      given_name: 'Maria da Conceição',
      given_name_array: ['Maria', 'da', 'Conceição'],
      family_name: 'FERREIRA DOS SANTOS',
      preferred_username: 'MAURY',
      gender: 'female',
      birthdate: '1968-12-08',
      birthplace: '',
      birthcountry: '99139',
      email: 'conceicao.maury@example.org',
    },
  },
  {
    key: 'toussaint',
    famille: 'figeac',
    commune: 'Figeac',
    description: 'Né en Corse-du-Sud (2A)',
    outcome: 'ok',
    identity: {
      given_name: 'Toussaint Ange',
      given_name_array: ['Toussaint', 'Ange'],
      family_name: 'PADOVANI',
      gender: 'male',
      birthdate: '1972-11-01',
      birthplace: '2A004',
      birthcountry: FRANCE,
      email: 'toussaint.padovani@example.org',
    },
  },
  {
    key: 'laetitia',
    famille: 'figeac',
    commune: 'Figeac',
    description: 'Née en Haute-Corse (2B)',
    outcome: 'ok',
    identity: {
      given_name: 'Lætitia',
      given_name_array: ['Lætitia'],
      family_name: 'MATTEI',
      gender: 'female',
      birthdate: '1989-07-23',
      birthplace: '2B033',
      birthcountry: FRANCE,
      email: 'laetitia.mattei@example.org',
    },
  },
  {
    key: 'marie-expedite',
    famille: 'reunion',
    commune: 'Saint-Denis',
    description: 'Née à Saint-Denis de La Réunion',
    outcome: 'ok',
    identity: {
      given_name: 'Marie Expédite',
      given_name_array: ['Marie', 'Expédite'],
      family_name: 'HOARAU',
      gender: 'female',
      birthdate: '1966-05-20',
      birthplace: '97411',
      birthcountry: FRANCE,
      email: 'marie.hoarau@example.org',
    },
  },
  {
    key: 'jean-daniel',
    famille: 'reunion',
    commune: 'Saint-Denis',
    description: 'Né à Saint-Pierre de La Réunion, sans adresse e-mail',
    outcome: 'ok',
    identity: {
      given_name: 'Jean-Daniel',
      given_name_array: ['Jean-Daniel'],
      family_name: 'PAYET',
      gender: 'male',
      birthdate: '1959-10-30',
      birthplace: '97416',
      birthcountry: FRANCE,
    },
  },
  {
    key: 'nassimah',
    famille: 'reunion',
    commune: 'Saint-Denis',
    description: 'Nom d’usage double, avec trait d’union',
    outcome: 'ok',
    identity: {
      given_name: 'Nassimah',
      given_name_array: ['Nassimah'],
      family_name: 'ISSOP',
      preferred_username: 'PATEL-ISSOP',
      gender: 'female',
      birthdate: '1990-02-14',
      birthplace: '97411',
      birthcountry: FRANCE,
      email: 'nassimah.issop@example.org',
    },
  },
  {
    key: 'ibrahim',
    famille: 'reunion',
    commune: 'Saint-Denis',
    description: 'Né à Mayotte',
    outcome: 'ok',
    identity: {
      given_name: 'Ibrahim',
      given_name_array: ['Ibrahim'],
      family_name: 'MADI',
      gender: 'male',
      birthdate: '1998-08-03',
      birthplace: '97611',
      birthcountry: FRANCE,
      email: 'ibrahim.madi@example.org',
    },
  },
  {
    key: 'teiki',
    famille: 'reunion',
    commune: 'Saint-Denis',
    description: 'Né en Polynésie française (98729)',
    outcome: 'ok',
    identity: {
      given_name: 'Teiki Manuarii',
      given_name_array: ['Teiki', 'Manuarii'],
      family_name: 'TEHAAMATAI',
      gender: 'male',
      birthdate: '1983-01-26',
      birthplace: '98729',
      birthcountry: FRANCE,
      email: 'teiki.tehaamatai@example.org',
    },
  },
  {
    key: 'voahangy',
    famille: 'reunion',
    commune: 'Saint-Denis',
    description: 'Un nom de famille de plus de 50 caractères',
    outcome: 'ok',
    identity: {
      given_name: 'Voahangy Lalaina',
      given_name_array: ['Voahangy', 'Lalaina'],
      family_name: 'RAKOTONDRAINIBE ANDRIAMANANTENASOA RAZAFINDRAKOTOARISON',
      gender: 'female',
      birthdate: '1977-03-29',
      birthplace: '97411',
      birthcountry: FRANCE,
      email: 'voahangy.r@example.org',
    },
  },
  {
    key: 'francoise',
    famille: 'etat_civil',
    commune: 'Figeac',
    description: 'Des accents et des ligatures partout dans le nom',
    outcome: 'ok',
    identity: {
      given_name: 'Françoise Noëlle',
      given_name_array: ['Françoise', 'Noëlle'],
      family_name: 'DURANTéàèùòœæŒÆ',
      gender: 'female',
      birthdate: '1970-12-24',
      birthplace: '31555',
      birthcountry: FRANCE,
      email: 'francoise.durant@example.org',
    },
  },
  {
    key: 'moussa',
    famille: 'etat_civil',
    commune: 'Figeac',
    description: 'Jour de naissance inconnu (envoyé comme le 1er)',
    outcome: 'ok',
    identity: {
      given_name: 'Moussa',
      given_name_array: ['Moussa'],
      family_name: 'DIARRA',
      gender: 'male',
      birthdate: '1963-07-01',
      birthplace: '',
      birthcountry: '99335',
      email: 'moussa.diarra@example.org',
    },
  },
  {
    key: 'aissatou',
    famille: 'etat_civil',
    commune: 'Saint-Denis',
    description: 'Jour et mois de naissance inconnus (envoyés comme le 1er janvier)',
    outcome: 'ok',
    identity: {
      given_name: 'Aïssatou',
      given_name_array: ['Aïssatou'],
      family_name: 'BALDÉ',
      gender: 'female',
      birthdate: '1950-01-01',
      birthplace: '',
      birthcountry: '99330',
      email: 'aissatou.balde@example.org',
    },
  },
  {
    key: 'camille',
    famille: 'etat_civil',
    commune: 'Figeac',
    description: 'Sexe non précisé à l’état civil',
    outcome: 'ok',
    identity: {
      given_name: 'Camille Dominique',
      given_name_array: ['Camille', 'Dominique'],
      family_name: 'LESCURE',
      gender: 'unspecified',
      birthdate: '1995-10-09',
      birthplace: '46102',
      birthcountry: FRANCE,
      email: 'camille.lescure@example.org',
    },
  },
  {
    key: 'leo',
    famille: 'etat_civil',
    commune: 'Figeac',
    description: 'Mineur : aucun mandat n’est possible',
    outcome: 'ok',
    identity: {
      given_name: 'Léo',
      given_name_array: ['Léo'],
      family_name: 'LACOMBE',
      gender: 'male',
      birthdate: '2014-09-14',
      birthplace: '46102',
      birthcountry: FRANCE,
      email: 'leo.lacombe@example.org',
    },
  },
  {
    key: 'sans-prenom',
    famille: 'etat_civil',
    commune: 'Saint-Denis',
    description: 'Aucun prénom à l’état civil',
    outcome: 'ok',
    identity: {
      given_name: '',
      given_name_array: [],
      family_name: 'SUBRAMANIAM',
      gender: 'male',
      birthdate: '1981-06-06',
      birthplace: '',
      birthcountry: '99223',
      email: 'subramaniam@example.org',
    },
  },
  {
    key: 'odette-homonyme',
    famille: 'etat_civil',
    commune: 'Figeac',
    description: 'Mêmes nom et prénoms qu’Odette LACOMBE, une autre date de naissance : une autre personne',
    outcome: 'ok',
    identity: {
      given_name: 'Odette Marie',
      given_name_array: ['Odette', 'Marie'],
      family_name: 'LACOMBE',
      gender: 'female',
      birthdate: '1946-08-30',
      birthplace: '46102',
      birthcountry: FRANCE,
    },
  },
  {
    key: 'odette-autre-compte',
    famille: 'etat_civil',
    commune: 'Figeac',
    description: 'Odette LACOMBE (1954) avec un autre compte : nouvelle adresse e-mail, même personne',
    outcome: 'ok',
    identity: {
      given_name: 'Odette Marie',
      given_name_array: ['Odette', 'Marie'],
      family_name: 'LACOMBE',
      gender: 'female',
      birthdate: '1954-03-12',
      birthplace: '46102',
      birthcountry: FRANCE,
      email: 'o.lacombe.figeac@example.org',
    },
  },
  {
    key: 'fatma-rectifiee',
    famille: 'etat_civil',
    commune: 'Figeac',
    description: 'Fatma BENHADDOU après correction de son état civil : l’identifiant change',
    outcome: 'ok',
    identity: {
      given_name: 'Fatma Zohra',
      given_name_array: ['Fatma', 'Zohra'],
      family_name: 'BENHADDOU',
      gender: 'female',
      birthdate: '1957-04-17',
      birthplace: '',
      birthcountry: '99352',
      email: 'fatma.benhaddou@example.org',
    },
  },
  {
    key: 'lucienne',
    famille: 'sans_issue',
    commune: 'Figeac',
    description: 'Décédée : la connexion s’arrête ici, sur une page d’erreur',
    outcome: 'error_page',
    code: 'Y010015',
    identity: {
      given_name: 'Lucienne Germaine',
      given_name_array: ['Lucienne', 'Germaine'],
      family_name: 'MARTY',
      gender: 'female',
      birthdate: '1931-02-09',
      birthplace: '46102',
      birthcountry: FRANCE,
    },
  },
  {
    key: 'didier',
    famille: 'sans_issue',
    commune: 'Saint-Denis',
    description: 'A fait bloquer son compte : la connexion s’arrête ici, sur une page d’erreur',
    outcome: 'error_page',
    code: 'Y180001',
    identity: {
      given_name: 'Didier',
      given_name_array: ['Didier'],
      family_name: 'TÉCHER',
      gender: 'male',
      birthdate: '1974-04-11',
      birthplace: '97407',
      birthcountry: FRANCE,
      email: 'didier.techer@example.org',
    },
  },
]

export const findPersona = (key: string): Persona | undefined => PERSONAS.find((persona) => persona.key === key)

/**
 * The person's identifier for one service: 66 characters (64 hexadecimal and `v1`). Computed from civil status only, so that every
 * account of the same person gives the same one, and a correction of civil status another.
 */
export function subOf({ identity }: Pick<Persona, 'identity'>, clientId: string): string {
  const { given_name, family_name, birthdate, gender, birthplace, birthcountry } = identity
  const civil = [clientId, given_name, family_name, birthdate, gender, birthplace, birthcountry]
  return `${createHash('sha256').update(JSON.stringify(civil)).digest('hex')}v1`
}
