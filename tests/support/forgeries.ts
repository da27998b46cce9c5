import { createHmac, createPublicKey, generateKeyPairSync, sign } from 'node:crypto'
import { deflateRawSync } from 'node:zlib'
import { jcs } from '../../src/journal/jcs.ts'
import type { JwsReason } from '../../src/mandat/jws.ts'
import { THEMATIQUES } from '../../src/mandat/mandat.ts'
import { type MandatClaims, parseSealKeys, type SealKey, type SealReason, sealMandat, signJws } from '../../src/mandat/sceau.ts'
import { type AttestationReason, signAttestation } from '../../src/verification/attestation.ts'

/** Keys of a service, as its own file holds them. */
export const newKeys = (count = 1) =>
  parseSealKeys(
    JSON.stringify({
      keys: Array.from({ length: count }, () =>
        generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' }),
      ),
    }),
  )

export const ISSUER = 'http://localhost'
/** The longest names that are not cut, on all ten thématiques, far from Paris. */
export const CLAIMS: MandatClaims = {
  iss: ISSUER,
  jti: 'c0ffee00-1234-4abc-8def-0123456789ab',
  iat: 1772359200,
  nbf: 1772359200,
  exp: 1775080799,
  sub: 'pseudonyme',
  mandant: {
    given_name: 'Zoé-Ève Éléonore Hélène Maëlys',
    family_name: 'DE LA TOUR D’AUVERGNE-LAURAGAI',
    birthdate: '1962-08-21',
  },
  mandataire: { siret: '26460001200017', nom: 'Maison départementale des solidarités du Bas-Languedoc céven' },
  act: { sub: 'aidant', nom: 'Fatima Benali' },
  perimetre: [...THEMATIQUES],
  texte: { version: 'fr-1', langue: 'fr', sha256: '0'.repeat(64) },
  accord: { iss: 'https://fc.test', acr: 'eidas1', auth_time: 1772358900, conditions_sha256: 'a', id_token_sha256: 'b' },
  status: { status_list: { idx: 99_968, uri: `${ISSUER}/statuts/12` } },
}
export const FUSEAU = 'America/Martinique'

export const [ours, stranger] = [newKeys(), newKeys()]
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' })

const b64 = (value: string | Uint8Array) => Buffer.from(value as string).toString('base64url')
/** A compact JWS of any text at all, signed with ES256. */
const raw = (header: string, payload: string | Uint8Array, key: SealKey = ours.current) => {
  const data = `${b64(header)}.${b64(payload)}`
  return `${data}.${sign('sha256', Buffer.from(data), { key: key.privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`
}
const hs256 = (header: object, payload: string | Uint8Array, secret: string | Buffer) => {
  const data = `${b64(JSON.stringify(header))}.${b64(payload)}`
  return `${data}.${createHmac('sha256', secret).update(data).digest('base64url')}`
}
const flip = (part: string, bit = 7) => {
  const bytes = Buffer.from(part, 'base64url')
  bytes[bytes.length >> 1]! ^= 1 << bit
  return bytes.toString('base64url')
}

type Kind<R extends string> = { reason: R; name: string; jws: string }
type Sort = {
  typ: string
  kid: string
  genuine: string
  payload: string | Uint8Array
  other: string
  altered(over: object): string
}

/** What is refused of any token of ours, whatever it says. */
function commons({ typ, kid, genuine, payload, other, altered }: Sort): Kind<JwsReason>[] {
  const [head, body, signature] = genuine.split('.') as [string, string, string]
  const header = { alg: 'ES256', kid, typ }
  const h = (over: object) => JSON.stringify({ ...header, ...over })
  const jwk = ours.jwks.keys[0]!
  const pem = createPublicKey({ key: jwk as never, format: 'jwk' }).export({ type: 'spki', format: 'pem' })
  const theirs = stranger.jwks.keys[0]!
  const r = Buffer.from(signature, 'base64url')
  const der = sign('sha256', Buffer.from(`${head}.${body}`), ours.current.privateKey).toString('base64url')
  const list: [JwsReason, string, string][] = [
    ['illisible', 'autre chose qu’un jeton', 'papier'],
    ['illisible', 'rien', ''],
    ['illisible', 'sans sa signature', `${head}.${body}`],
    ['illisible', 'coupé au milieu de son contenu', `${head}.${body.slice(0, 20)}`],
    ['illisible', 'une partie de plus', `${genuine}.${b64('{}')}`],
    ['illisible', 'une partie vide de plus', `${genuine}.`],
    ['illisible', 'cinq parties, comme un jeton chiffré', `${head}...${body}.${signature}`],
    ['illisible', 'le même, écrit avec son remplissage', `${genuine}==`],
    ['illisible', 'le même, suivi d’un blanc', `${genuine} `],
    [
      'illisible',
      'le même, ses bits perdus changés',
      `${genuine.slice(0, -1)}${genuine.endsWith('A') ? 'B' : next(genuine.at(-1)!)}`,
    ],
    ['illisible', 'un en-tête qui n’est pas du JSON', `${b64('ES256')}.${body}.${signature}`],
    ['illisible', 'un en-tête qui n’est pas un objet', raw('["ES256"]', payload)],
    ['illisible', 'deux fois alg, none d’abord', raw(`{"alg":"none","alg":"ES256","kid":"${kid}","typ":"${typ}"}`, payload)],
    ['illisible', 'deux fois kid', raw(`{"alg":"ES256","kid":"autre","kid":"${kid}","typ":"${typ}"}`, payload)],
    ['illisible', 'une extension dite critique', raw(h({ crit: ['exp'], exp: 1 }), payload)],
    ['algorithme_refuse', 'none, sans signature', `${b64(h({ alg: 'none' }))}.${body}.`],
    ['algorithme_refuse', 'none, avec la vraie signature', `${b64(h({ alg: 'none' }))}.${body}.${signature}`],
    ['algorithme_refuse', 'NonE', `${b64(h({ alg: 'NonE' }))}.${body}.`],
    ['algorithme_refuse', 'es256 en minuscules', raw(h({ alg: 'es256' }), payload)],
    ['algorithme_refuse', 'sans alg', raw(h({ alg: undefined }), payload)],
    ['algorithme_refuse', 'HS256, la clé publique pour secret (PEM)', hs256({ ...header, alg: 'HS256' }, payload, pem as string)],
    [
      'algorithme_refuse',
      'HS256, la clé publique pour secret (JWK)',
      hs256({ ...header, alg: 'HS256' }, payload, JSON.stringify(jwk)),
    ],
    ['algorithme_refuse', 'HS256, secret vide', hs256({ ...header, alg: 'HS256' }, payload, '')],
    ['algorithme_refuse', 'RS256', signedWith('RS256', h, payload)],
    ['algorithme_refuse', 'ES384', signedWith('ES384', h, payload)],
    [
      'cle_inconnue',
      'la clé d’un autre service, sous son nom',
      raw(h({ kid: stranger.current.kid.slice(0, kid.length) }), payload, stranger.current),
    ],
    ['cle_inconnue', 'sans kid', raw(h({ kid: undefined }), payload)],
    ['cle_inconnue', 'un kid vide', raw(h({ kid: '' }), payload)],
    ['cle_inconnue', 'le kid qui n’est pas un texte', raw(h({ kid: [kid] }), payload)],
    ['cle_inconnue', 'un kid trop court', raw(h({ kid: kid.slice(0, -1) }), payload)],
    ['cle_inconnue', 'un kid qui mène ailleurs', raw(h({ kid: '../../autre' }), payload)],
    ['signature_fausse', 'resigné par un autre sous notre kid', raw(h({}), payload, stranger.current)],
    ['signature_fausse', 'une clé apportée (jwk)', raw(h({ jwk: theirs }), payload, stranger.current)],
    ['signature_fausse', 'une clé apportée sous notre kid (jwk)', raw(h({ jwk: { ...theirs, kid } }), payload, stranger.current)],
    ['signature_fausse', 'une adresse de clés (jku)', raw(h({ jku: 'https://autre.test/jwks.json' }), payload, stranger.current)],
    [
      'signature_fausse',
      'une adresse de certificat (x5u)',
      raw(h({ x5u: 'https://autre.test/cert' }), payload, stranger.current),
    ],
    ['signature_fausse', 'un certificat apporté (x5c)', raw(h({ x5c: ['MIIB'] }), payload, stranger.current)],
    ['signature_fausse', 'une thématique de plus', altered({ perimetre: true })],
    ['signature_fausse', 'une fin plus lointaine', altered({ exp: CLAIMS.exp + 86_400 })],
    ['signature_fausse', 'un autre nom', altered({ nom: 'DUPONT' })],
    ['signature_fausse', 'un bit du contenu retourné', `${head}.${flip(body, 0)}.${signature}`],
    ['signature_fausse', 'un bit de la signature retourné', `${head}.${body}.${flip(signature)}`],
    ['signature_fausse', 'une signature coupée', `${head}.${body}.${r.subarray(0, 32).toString('base64url')}`],
    ['signature_fausse', 'une signature vide', `${head}.${body}.`],
    ['signature_fausse', 'une signature de zéros', `${head}.${body}.${Buffer.alloc(64).toString('base64url')}`],
    [
      'signature_fausse',
      'une signature à l’envers',
      `${head}.${body}.${Buffer.concat([r.subarray(32), r.subarray(0, 32)]).toString('base64url')}`,
    ],
    ['signature_fausse', 'une signature écrite en DER', `${head}.${body}.${der}`],
    ['signature_fausse', 'la signature d’un autre', `${head}.${body}.${other.split('.')[2]}`],
    ['signature_fausse', 'le contenu d’un autre', `${head}.${other.split('.')[1]}.${signature}`],
    ['signature_fausse', 'un en-tête changé sous la signature', `${b64(h({ cty: 'x' }))}.${body}.${signature}`],
  ]
  return list.map(([reason, name, jws]) => ({ reason, name, jws }))
}
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
/** The letter whose lost bits differ: 64 bytes end on four of them. */
const next = (letter: string) => ALPHABET[ALPHABET.indexOf(letter) ^ 1]!
function signedWith(alg: 'RS256' | 'ES384', h: (over: object) => string, payload: string | Uint8Array) {
  const data = `${b64(h({ alg }))}.${b64(payload)}`
  const key = alg === 'RS256' ? rsa.privateKey : { key: p384.privateKey, dsaEncoding: 'ieee-p1363' as const }
  return `${data}.${sign(alg === 'RS256' ? 'sha256' : 'sha384', Buffer.from(data), key).toString('base64url')}`
}

const OTHER = { ...CLAIMS, jti: 'c0ffee00-1234-4abc-8def-0123456789ac', mandant: { ...CLAIMS.mandant, given_name: 'Awa' } }
const changedClaims = (over: Record<string, unknown>): MandatClaims => ({
  ...CLAIMS,
  ...(over.perimetre !== undefined && { perimetre: ['logement', 'argent'] as MandatClaims['perimetre'] }),
  ...(over.exp !== undefined && { exp: over.exp as number }),
  ...(over.nom !== undefined && { mandant: { ...CLAIMS.mandant, family_name: over.nom as string } }),
})

export const mandat = await sealMandat(CLAIMS, ours.current)
export const attestation = await signAttestation(CLAIMS, FUSEAU, ours.current)
const letters = {
  a: CLAIMS.iat,
  b: '1962-08-21',
  e: CLAIMS.exp,
  g: 'Zoé',
  i: 16,
  l: 0,
  m: 3,
  n: 'DUBOIS',
  r: '26460001200017',
  s: 'CCAS',
}
const KID = ours.current.kid.slice(0, 8)
const HEADER = JSON.stringify({ alg: 'ES256', kid: KID, typ: 'attestation' })
const said = (over: object) => raw(HEADER, deflateRawSync(JSON.stringify({ ...letters, ...over })))
const bytesOf = (jws: string) => Buffer.from(jws.split('.')[1]!, 'base64url')

const alteredAttestation = async (over: object) => {
  const [head, , signature] = attestation.split('.')
  return `${head}.${(await signAttestation(changedClaims(over as never), FUSEAU, stranger.current)).split('.')[1]}.${signature}`
}
const changes = {
  perimetre: await alteredAttestation({ perimetre: true }),
  exp: await alteredAttestation({ exp: CLAIMS.exp + 86_400 }),
  nom: await alteredAttestation({ nom: 'DUPONT' }),
}

/** Attestations that must all be refused, by the server's reader and by the browser's, for the same reason. */
export const ATTESTATIONS: Kind<AttestationReason>[] = [
  ...commons({
    typ: 'attestation',
    kid: KID,
    genuine: attestation,
    payload: bytesOf(attestation),
    other: await signAttestation(OTHER, FUSEAU, ours.current),
    altered: (over) => changes[Object.keys(over)[0] as keyof typeof changes],
  }),
  {
    reason: 'cle_inconnue',
    name: 'la clé désignée en entier',
    jws: raw(JSON.stringify({ alg: 'ES256', kid: ours.current.kid, typ: 'attestation' }), bytesOf(attestation)),
  },
  {
    reason: 'type_inattendu',
    name: 'le contenu d’un mandat, sous une clé abrégée',
    jws: raw(JSON.stringify({ alg: 'ES256', kid: KID, typ: 'mandat+jwt' }), bytesOf(mandat)),
  },
  {
    reason: 'type_inattendu',
    name: 'une liste de statuts',
    jws: raw(JSON.stringify({ alg: 'ES256', kid: KID, typ: 'statuslist+jwt' }), '{}'),
  },
  { reason: 'type_inattendu', name: 'sans type', jws: raw(JSON.stringify({ alg: 'ES256', kid: KID }), bytesOf(attestation)) },
  {
    reason: 'type_inattendu',
    name: 'un type presque juste',
    jws: raw(JSON.stringify({ alg: 'ES256', kid: KID, typ: 'Attestation' }), bytesOf(attestation)),
  },
  { reason: 'contenu_incomplet', name: 'un contenu qui n’est pas comprimé', jws: raw(HEADER, jcs(letters)) },
  { reason: 'contenu_incomplet', name: 'un contenu vide', jws: raw(HEADER, '') },
  { reason: 'contenu_incomplet', name: 'une bombe', jws: raw(HEADER, deflateRawSync(jcs(letters) + ' '.repeat(10_000_000))) },
  { reason: 'contenu_incomplet', name: 'une liste', jws: raw(HEADER, deflateRawSync('[]')) },
  {
    reason: 'contenu_incomplet',
    name: 'deux masques',
    jws: raw(HEADER, deflateRawSync(jcs(letters).replace('"m":3', '"m":3,"m":1023'))),
  },
  {
    reason: 'contenu_incomplet',
    name: 'deux fins, l’une écrite autrement',
    jws: raw(HEADER, deflateRawSync(jcs(letters).replace('"e":', '"\\u0065":1,"e":'))),
  },
  { reason: 'contenu_incomplet', name: 'un champ de trop', jws: said({ z: 1 }) },
  { reason: 'contenu_incomplet', name: 'sans fin', jws: said({ e: undefined }) },
  { reason: 'contenu_incomplet', name: 'une fin en texte', jws: said({ e: String(CLAIMS.exp) }) },
  { reason: 'contenu_incomplet', name: 'une fin avant le début', jws: said({ e: CLAIMS.iat - 1 }) },
  { reason: 'contenu_incomplet', name: 'aucune thématique', jws: said({ m: 0 }) },
  { reason: 'contenu_incomplet', name: 'une onzième thématique', jws: said({ m: 1024 }) },
  { reason: 'contenu_incomplet', name: 'un nom trop long', jws: said({ n: 'X'.repeat(61) }) },
  { reason: 'contenu_incomplet', name: 'un SIRET de lettres', jws: said({ r: 'ABCDEFGHIJKLMN' }) },
  { reason: 'contenu_incomplet', name: 'une place après la liste', jws: said({ i: 100_000 }) },
]

const alteredMandat = (over: object) => {
  const [head, , signature] = mandat.split('.')
  return `${head}.${b64(jcs(changedClaims(over as never)))}.${signature}`
}
const { mandant: _, ...withoutMandant } = CLAIMS

/** Seals that must all be refused. */
export const MANDATS: Kind<SealReason>[] = [
  ...commons({
    typ: 'mandat+jwt',
    kid: ours.current.kid,
    genuine: mandat,
    payload: bytesOf(mandat),
    other: await sealMandat(OTHER, ours.current),
    altered: alteredMandat,
  }),
  {
    reason: 'type_inattendu',
    name: 'une attestation donnée pour un mandat',
    jws: await signJws('attestation', CLAIMS, ours.current),
  },
  {
    reason: 'type_inattendu',
    name: 'une liste de statuts donnée pour un mandat',
    jws: await signJws('statuslist+jwt', CLAIMS, ours.current),
  },
  {
    reason: 'emetteur_different',
    name: 'le mandat d’un autre service',
    jws: await sealMandat({ ...CLAIMS, iss: 'https://autre.test' }, ours.current),
  },
  {
    reason: 'emetteur_different',
    name: 'le même service, une barre de plus',
    jws: await sealMandat({ ...CLAIMS, iss: `${ISSUER}/` }, ours.current),
  },
  {
    reason: 'illisible',
    name: 'deux fins',
    jws: raw(
      JSON.stringify({ alg: 'ES256', kid: ours.current.kid, typ: 'mandat+jwt' }),
      jcs(CLAIMS).replace('"exp":', '"exp":1,"exp":'),
    ),
  },
  {
    reason: 'illisible',
    name: 'deux noms, plus bas',
    jws: raw(
      JSON.stringify({ alg: 'ES256', kid: ours.current.kid, typ: 'mandat+jwt' }),
      jcs(CLAIMS).replace('"family_name":', '"family_name":"X","family_name":'),
    ),
  },
  { reason: 'contenu_incomplet', name: 'sans mandant', jws: await signJws('mandat+jwt', withoutMandant, ours.current) },
  {
    reason: 'contenu_incomplet',
    name: 'une thématique inventée',
    jws: await sealMandat({ ...CLAIMS, perimetre: ['tout'] as never }, ours.current),
  },
]
