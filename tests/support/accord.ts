import { createHash, generateKeyPairSync } from 'node:crypto'
import { CompactSign } from 'jose'
import { conditionsOf, nonceOf } from '../../src/mandat/conditions.ts'
import { type MandatClaims, sealMandat } from '../../src/mandat/sceau.ts'
import { texte, texteScelle } from '../../src/mandat/texte.ts'
import type { Preuve } from '../../src/verification/preuve.ts'
import { CLAIMS, ISSUER, ours } from './forgeries.ts'

/** A mandat agreed on with the sealed text of that version, and every piece that proves it; `tokenFor` answers another round trip. */
export async function unAccord(version: string) {
  const fc = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const jwks = { keys: [{ ...fc.publicKey.export({ format: 'jwk' }), kid: 'fc-1' }] }
  const words = texte(version)!
  const structure = { siret: CLAIMS.mandataire.siret, nom: 'CCAS de Figeac' }
  const choice = {
    id: CLAIMS.jti,
    structure,
    aidant: { nom: CLAIMS.act.nom },
    perimetre: ['logement', 'social'] as const,
    duree: 'mois' as const,
    texte: { version: words.version, langue: words.langue, sha256: words.sha256 },
    demandeLe: new Date((CLAIMS.iat - 400) * 1000),
    sel: Buffer.alloc(16, 7),
  }
  const conditions = conditionsOf(choice)
  const times = { auth_time: CLAIMS.iat - 300, iat: CLAIMS.iat - 290, exp: CLAIMS.iat - 230 }
  const tokenFor = (nonce: string, over: object = {}) =>
    new CompactSign(
      Buffer.from(JSON.stringify({ iss: 'https://fc.test', aud: 'nous', sub: 'elle', acr: 'eidas1', nonce, ...times, ...over })),
    )
      .setProtectedHeader({ alg: 'ES256', kid: 'fc-1' })
      .sign(fc.privateKey)
  const idToken = await tokenFor(nonceOf(conditions))
  const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
  const claims: MandatClaims = {
    ...CLAIMS,
    mandataire: structure,
    perimetre: ['logement'],
    texte: choice.texte,
    accord: {
      iss: 'https://fc.test',
      acr: 'eidas1',
      auth_time: times.auth_time,
      conditions_sha256: sha256(conditions),
      id_token_sha256: sha256(idToken),
    },
  }
  const textOf = (exp: number, fuseau: string) =>
    texteScelle(words.version, {
      structureNom: structure.nom,
      siret: structure.siret,
      fuseau,
      thematiques: claims.perimetre,
      end: new Date(exp * 1000),
      publicUrl: ISSUER,
    })
  const fuseau = 'Europe/Paris'
  const preuve: Preuve = {
    sceau: await sealMandat(claims, ours.current),
    conditions,
    id_token: idToken,
    jwks: jwks as Preuve['jwks'],
    client_id: 'nous',
    texte: textOf(claims.exp, fuseau),
    fuseau,
  }
  return { choice, claims, preuve, tokenFor, textOf }
}
