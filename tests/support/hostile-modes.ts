import { randomBytes } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import type { OidcRefusal } from '../../src/oidc/oidc.ts'
import type { IdentiteRefusal } from '../../src/usager/identite.ts'
import {
  type Draft,
  type HostileProvider,
  hs256,
  IDENTITY,
  newKey,
  type Reply,
  SUB,
  signedBy,
  type Twist,
  unsigned,
} from './hostile-provider.ts'

const WEEK = 7 * 24 * 3600
const ELSEWHERE = 'https://pirate.invalid/api/v2'

const edited = (reply: Reply, edit: (body: Record<string, unknown>) => unknown) => {
  reply.body = JSON.stringify(edit(JSON.parse(reply.body as string)))
}

// Each gives a twist. `undefined` takes a claim away; `…At` moves dates, by seconds.
const idToken = (claims: Record<string, unknown>): Twist => ({ idToken: (token) => void Object.assign(token.claims, claims) })
const userinfo = (claims: Record<string, unknown>): Twist => ({ userinfo: (token) => void Object.assign(token.claims, claims) })
const shift = (claims: Record<string, unknown>, by: Record<string, number>) => {
  for (const [claim, seconds] of Object.entries(by)) claims[claim] = Number(claims[claim] ?? claims.iat) + seconds
}
const idTokenAt = (by: Record<string, number>): Twist => ({ idToken: (token) => shift(token.claims, by) })
const userinfoAt = (by: Record<string, number>): Twist => ({ userinfo: (token) => shift(token.claims, by) })
const callback = (spoil: NonNullable<Twist['callback']>): Twist => ({ callback: spoil })
const answeredError = (error: string, description = 'motif technique'): Twist =>
  callback((parameters) => {
    parameters.delete('code')
    parameters.set('error', error)
    parameters.set('error_description', description)
  })
const token = (spoilt: Partial<Reply>): Twist => ({ token: (reply) => void Object.assign(reply, spoilt) })
const userinfoReply = (spoilt: Partial<Reply>): Twist => ({ userinfoReply: (reply) => void Object.assign(reply, spoilt) })
const jwks = (spoilt: Partial<Reply>): Twist => ({ jwks: (reply) => void Object.assign(reply, spoilt) })
const discovery = (spoilt: Partial<Reply>): Twist => ({ discovery: (reply) => void Object.assign(reply, spoilt) })
const discovered = (members: Record<string, unknown>): Twist => ({
  discovery: (reply) => edited(reply, (body) => ({ ...body, ...members })),
})

/** The same bytes, written otherwise: the last letter of a 64-byte signature has four bits that nobody reads. */
const respelt = (jwt: string) => {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  return jwt.slice(0, -1) + alphabet[alphabet.indexOf(jwt.at(-1)!) + 1]
}

const byPirate = (draft: Draft) => {
  draft.sign = signedBy(newKey())
}
const byNobody = (draft: Draft) => {
  draft.header.alg = 'none'
  draft.sign = unsigned
}
const byRsa = (draft: Draft, provider: HostileProvider) => {
  const key = newKey('RS256')
  provider.keys = [...provider.keys, key]
  draft.header = { alg: 'RS256', kid: key.jwk.kid }
  draft.sign = signedBy(key)
}
const bySecret = (draft: Draft, secret: string) => {
  draft.header.alg = 'HS256'
  draft.sign = hs256(secret)
}

const HTML: Partial<Reply> = {
  headers: { 'content-type': 'text/html; charset=utf-8' },
  body: '<!doctype html><title>Maintenance</title>',
}
const SAYS_HTML: Partial<Reply> = { headers: { 'content-type': 'text/html' } }
function* endless() {
  for (;;) yield 'x'.repeat(64 * 1024)
}
function* fiftyMegabytes() {
  for (let i = 0; i < 800; i++) yield 'x'.repeat(64 * 1024)
}
async function* dripping() {
  for (;;) {
    yield ' '
    await wait(100, undefined, { ref: false })
  }
}

export type Mode = {
  /** The only one allowed, and the technical log's own reason for it where there is one. */
  verdict: OidcRefusal | IdentiteRefusal | 'accepte'
  cause?: string
  /** The module of the OpenID Foundation's conformance suite for relying parties that does the same. */
  oidf?: string
  twist: Twist
}

/** What a provider, or who stands in between, can do to us. */
export const MODES: Record<string, Mode> = {
  'rien de particulier': { verdict: 'accepte', oidf: 'oidcc-client-test', twist: {} },

  'id_token : signature fausse': {
    verdict: 'reponse_incorrecte',
    oidf: 'oidcc-client-test-invalid-sig-es256',
    cause: 'library:jwt_signature_verification_failed',
    twist: { idToken: byPirate },
  },
  'id_token : alg none': {
    verdict: 'reponse_incorrecte',
    oidf: 'oidcc-client-test-idtoken-sig-none',
    cause: 'library:unexpected_jwt_alg_header_parameter',
    twist: { idToken: byNobody },
  },
  'id_token : HS256 avec notre secret': {
    verdict: 'reponse_incorrecte',
    oidf: 'oidcc-client-test-invalid-sig-hs256',
    cause: 'library:unexpected_jwt_alg_header_parameter',
    twist: { idToken: (draft, provider) => bySecret(draft, provider.clientSecret) },
  },
  'id_token : HS256 avec la clé publique': {
    verdict: 'reponse_incorrecte',
    cause: 'library:unexpected_jwt_alg_header_parameter',
    twist: { idToken: (draft, provider) => bySecret(draft, JSON.stringify(provider.keys[0]!.jwk)) },
  },
  'id_token : RS256, par une clé publiée': {
    verdict: 'reponse_incorrecte',
    oidf: 'oidcc-client-test-idtoken-sig-rs256',
    cause: 'library:unexpected_jwt_alg_header_parameter',
    twist: { idToken: byRsa },
  },
  'id_token : kid inconnu': {
    verdict: 'reponse_incorrecte',
    cause: 'library:error_when_selecting_a_jwt_verification_key_no_applicable_keys_found',
    twist: { idToken: (draft) => void Object.assign(draft.header, { kid: 'inconnu' }) },
  },
  'id_token : jwk embarquée': {
    verdict: 'reponse_incorrecte',
    cause: 'library:jwt_signature_verification_failed',
    twist: {
      idToken: (draft) => {
        const pirate = newKey()
        draft.header = { alg: 'ES256', jwk: pirate.jwk }
        draft.sign = signedBy(pirate)
      },
    },
  },
  'id_token : extension crit': {
    verdict: 'reponse_incorrecte',
    cause: 'library:no_jwt_crit_header_parameter_extensions_are_supported',
    twist: { idToken: (draft) => void Object.assign(draft.header, { crit: ['b64'], b64: false }) },
  },
  'id_token : base64 non canonique': {
    verdict: 'reponse_incorrecte',
    cause: 'id_token:form',
    twist: { token: (reply) => edited(reply, (body) => ({ ...body, id_token: `${body.id_token} ` })) },
  },
  'id_token : bits de fin changés': {
    verdict: 'reponse_incorrecte',
    cause: 'id_token:form',
    twist: { token: (reply) => edited(reply, (body) => ({ ...body, id_token: respelt(String(body.id_token)) })) },
  },
  // The foundation lets a key without a name pass when it is alone; ours must be found again years later.
  'id_token : sans kid': {
    verdict: 'reponse_incorrecte',
    oidf: 'oidcc-client-test-kid-absent-single-jwks',
    cause: 'id_token:form',
    twist: { idToken: (draft) => void Object.assign(draft.header, { kid: undefined }) },
  },
  'id_token : sans kid, deux clés publiées': {
    verdict: 'reponse_incorrecte',
    oidf: 'oidcc-client-test-kid-absent-multiple-jwks',
    cause: 'id_token:form',
    twist: {
      idToken: (draft, provider) => {
        provider.keys = [...provider.keys, newKey()]
        draft.header.kid = undefined
      },
    },
  },
  'id_token : signature tronquée': {
    verdict: 'reponse_incorrecte',
    cause: 'library:the_input_to_be_decoded_is_not_correctly_encoded_',
    twist: { token: (reply) => edited(reply, (body) => ({ ...body, id_token: String(body.id_token).slice(0, -1) })) },
  },
  'id_token : pas un JWT': {
    verdict: 'reponse_incorrecte',
    cause: 'library:failed_to_parse_jwt_header_body_as_base64url_encoded_json',
    twist: { token: (reply) => edited(reply, (body) => ({ ...body, id_token: 'a.b.c' })) },
  },
  'id_token : absent': {
    verdict: 'reponse_incorrecte',
    cause: 'library:_response_body_id_token_property_must_be_a_string',
    twist: { token: (reply) => edited(reply, ({ id_token: _, ...rest }) => rest) },
  },
  'id_token : autre nonce': {
    verdict: 'reponse_incorrecte',
    oidf: 'oidcc-client-test-nonce-invalid',
    cause: 'library:unexpected_id_token_nonce_claim_value',
    twist: idToken({ nonce: randomBytes(32).toString('hex') }),
  },
  'id_token : sans nonce': {
    verdict: 'reponse_incorrecte',
    cause: 'library:jwt_nonce_nonce_claim_missing',
    twist: idToken({ nonce: undefined }),
  },
  'id_token : expiré': { verdict: 'reponse_incorrecte', cause: 'id_token:exp', twist: idTokenAt({ exp: -WEEK }) },
  'id_token : sans expiration': {
    verdict: 'reponse_incorrecte',
    cause: 'library:jwt_exp_expiration_time_claim_missing',
    twist: idToken({ exp: undefined }),
  },
  'id_token : émis dans le futur': {
    verdict: 'reponse_incorrecte',
    cause: 'id_token:iat',
    twist: idTokenAt({ iat: 3600, exp: 3600 }),
  },
  'id_token : émis il y a une semaine': {
    verdict: 'reponse_incorrecte',
    cause: 'id_token:iat',
    twist: idTokenAt({ iat: -WEEK }),
  },
  'id_token : sans date': {
    verdict: 'reponse_incorrecte',
    oidf: 'oidcc-client-test-missing-iat',
    cause: 'library:jwt_iat_issued_at_claim_missing',
    twist: idToken({ iat: undefined }),
  },
  'id_token : pas encore valable': { verdict: 'reponse_incorrecte', cause: 'id_token:nbf', twist: idTokenAt({ nbf: 3600 }) },
  'id_token : autre destinataire': {
    verdict: 'reponse_incorrecte',
    oidf: 'oidcc-client-test-invalid-aud',
    cause: 'library:unexpected_jwt_aud_audience_claim_value',
    twist: idToken({ aud: 'un-autre-service' }),
  },
  'id_token : sans destinataire': {
    verdict: 'reponse_incorrecte',
    oidf: 'oidcc-client-test-missing-aud',
    cause: 'library:jwt_aud_audience_claim_missing',
    twist: idToken({ aud: undefined }),
  },
  'id_token : second destinataire': {
    verdict: 'reponse_incorrecte',
    cause: 'id_token:aud',
    twist: { idToken: ({ claims }, { clientId }) => void Object.assign(claims, { aud: [clientId, 'un-autre'], azp: clientId }) },
  },
  'id_token : autre émetteur': {
    verdict: 'reponse_incorrecte',
    oidf: 'oidcc-client-test-invalid-iss',
    cause: 'library:unexpected_jwt_iss_issuer_claim_value',
    twist: idToken({ iss: ELSEWHERE }),
  },
  'id_token : acr absent': { verdict: 'acr_insuffisant', cause: 'id_token:acr', twist: idToken({ acr: undefined }) },
  'id_token : acr plus bas': { verdict: 'acr_insuffisant', cause: 'id_token:acr', twist: idToken({ acr: 'eidas0' }) },
  'id_token : acr en tableau': { verdict: 'acr_insuffisant', cause: 'id_token:acr', twist: idToken({ acr: ['eidas1'] }) },
  'id_token : auth_time absent': {
    verdict: 'identification_ancienne',
    cause: 'id_token:auth_time',
    twist: idToken({ auth_time: undefined }),
  },
  'id_token : identification du matin': {
    verdict: 'identification_ancienne',
    cause: 'id_token:auth_time',
    twist: idTokenAt({ auth_time: -4 * 3600 }),
  },
  'id_token : identification dans le futur': {
    verdict: 'reponse_incorrecte',
    cause: 'id_token:auth_time_to_come',
    twist: idTokenAt({ auth_time: 3600 }),
  },
  'id_token : sans sub': {
    verdict: 'reponse_incorrecte',
    oidf: 'oidcc-client-test-missing-sub',
    cause: 'library:jwt_sub_subject_claim_missing',
    twist: idToken({ sub: undefined }),
  },
  'id_token : sub avec un octet nul': {
    verdict: 'reponse_incorrecte',
    cause: 'id_token:sub',
    twist: { ...idToken({ sub: `${SUB}\0` }), ...userinfo({ sub: `${SUB}\0` }) },
  },

  'userinfo : signature fausse': {
    verdict: 'reponse_incorrecte',
    cause: 'library:jwt_signature_verification_failed',
    twist: { userinfo: byPirate },
  },
  'userinfo : alg none': {
    verdict: 'reponse_incorrecte',
    cause: 'library:unexpected_jwt_alg_header_parameter',
    twist: { userinfo: byNobody },
  },
  'userinfo : HS256 avec notre secret': {
    verdict: 'reponse_incorrecte',
    cause: 'library:unexpected_jwt_alg_header_parameter',
    twist: { userinfo: (draft, provider) => bySecret(draft, provider.clientSecret) },
  },
  'userinfo : RS256, par une clé publiée': {
    verdict: 'reponse_incorrecte',
    cause: 'library:unexpected_jwt_alg_header_parameter',
    twist: { userinfo: byRsa },
  },
  'userinfo : JSON simple': {
    verdict: 'reponse_incorrecte',
    cause: 'userinfo:content_type',
    twist: userinfoReply({ headers: { 'content-type': 'application/json' }, body: JSON.stringify({ ...IDENTITY, sub: SUB }) }),
  },
  'userinfo : JSON simple annoncé comme JWT': {
    verdict: 'reponse_incorrecte',
    cause: 'library:invalid_jwt',
    twist: userinfoReply({ body: JSON.stringify({ ...IDENTITY, sub: SUB }) }),
  },
  'userinfo : base64 non canonique': {
    verdict: 'reponse_incorrecte',
    cause: 'userinfo:form',
    twist: {
      userinfoReply: (reply) => {
        reply.body = `${reply.body}\n`
      },
    },
  },
  'userinfo : autre sub': {
    verdict: 'reponse_incorrecte',
    oidf: 'oidcc-client-test-userinfo-invalid-sub',
    cause: 'library:unexpected_response_body_sub_property_value',
    twist: userinfo({ sub: `${'0'.repeat(64)}v1` }),
  },
  'userinfo : sans sub': {
    verdict: 'reponse_incorrecte',
    cause: 'library:_response_body_sub_property_must_be_a_string',
    twist: userinfo({ sub: undefined }),
  },
  'userinfo : autre destinataire': {
    verdict: 'reponse_incorrecte',
    cause: 'library:unexpected_jwt_aud_audience_claim_value',
    twist: userinfo({ aud: 'un-autre-service' }),
  },
  'userinfo : sans destinataire': { verdict: 'reponse_incorrecte', cause: 'userinfo:aud', twist: userinfo({ aud: undefined }) },
  'userinfo : autre émetteur': {
    verdict: 'reponse_incorrecte',
    cause: 'library:unexpected_jwt_iss_issuer_claim_value',
    twist: userinfo({ iss: ELSEWHERE }),
  },
  'userinfo : sans émetteur': { verdict: 'reponse_incorrecte', cause: 'userinfo:iss', twist: userinfo({ iss: undefined }) },
  'userinfo : expiré': { verdict: 'reponse_incorrecte', cause: 'userinfo:exp', twist: userinfoAt({ exp: -WEEK }) },
  'userinfo : émis il y a une semaine': {
    verdict: 'reponse_incorrecte',
    cause: 'userinfo:iat',
    twist: userinfoAt({ iat: -WEEK }),
  },
  'userinfo : id_token rejoué': {
    verdict: 'reponse_incorrecte',
    cause: 'userinfo:id_token_replayed',
    twist: { userinfo: (draft, _, jwt) => void Object.assign(draft, { sign: () => jwt }) },
  },
  "userinfo : id_token rejoué, l'identité dedans": {
    verdict: 'reponse_incorrecte',
    cause: 'userinfo:id_token_replayed',
    twist: { ...idToken(IDENTITY), userinfo: (draft, _, jwt) => void Object.assign(draft, { sign: () => jwt }) },
  },
  'userinfo : nom de naissance absent': { verdict: 'nom_manquant', twist: userinfo({ family_name: undefined }) },
  'userinfo : prénoms nuls': { verdict: 'prenom_manquant', twist: userinfo({ given_name: null }) },
  'userinfo : prénoms blancs': { verdict: 'prenom_manquant', twist: userinfo({ given_name: '  ' }) },
  'userinfo : octet nul dans un nom': { verdict: 'identite_invalide', twist: userinfo({ family_name: 'DU\0BOIS' }) },
  'userinfo : date de naissance absente': { verdict: 'naissance_manquante', twist: userinfo({ birthdate: undefined }) },
  'userinfo : date de naissance impossible': { verdict: 'identite_invalide', twist: userinfo({ birthdate: '1962-02-31' }) },
  'userinfo : lieu de naissance nul': { verdict: 'naissance_manquante', twist: userinfo({ birthplace: null }) },
  'userinfo : pays de naissance absent': { verdict: 'naissance_manquante', twist: userinfo({ birthcountry: undefined }) },
  "userinfo : ni nom d'usage, ni e-mail, née à l'étranger": {
    verdict: 'accepte',
    twist: userinfo({ preferred_username: undefined, email: undefined, birthplace: '', birthcountry: '99139' }),
  },
  'userinfo : 50 Mo': {
    verdict: 'reponse_incorrecte',
    cause: 'userinfo:too_large',
    twist: {
      userinfoReply: (reply) => {
        reply.body = fiftyMegabytes()
      },
    },
  },
  'userinfo : sans fin': {
    verdict: 'reponse_incorrecte',
    cause: 'userinfo:too_large',
    twist: {
      userinfoReply: (reply) => {
        reply.body = endless()
      },
    },
  },
  'userinfo : JWT annoncé comme HTML': {
    verdict: 'reponse_incorrecte',
    cause: 'userinfo:content_type',
    twist: userinfoReply(SAYS_HTML),
  },
  'userinfo : HTML avec un statut 200': {
    verdict: 'reponse_incorrecte',
    cause: 'userinfo:content_type',
    twist: userinfoReply(HTML),
  },
  'userinfo : 403': { verdict: 'indisponible', cause: 'userinfo:status_403', twist: userinfoReply({ status: 403 }) },

  'retour : autre state': {
    verdict: 'reponse_incorrecte',
    cause: 'callback:state',
    twist: callback((parameters) => parameters.set('state', randomBytes(32).toString('hex'))),
  },
  'retour : sans state': {
    verdict: 'reponse_incorrecte',
    cause: 'callback:state',
    twist: callback((parameters) => parameters.delete('state')),
  },
  'retour : state doublé': {
    verdict: 'reponse_incorrecte',
    cause: 'callback:state_doubled',
    twist: callback((parameters) => parameters.append('state', parameters.get('state')!)),
  },
  'retour : autre iss': {
    verdict: 'reponse_incorrecte',
    cause: 'callback:iss',
    twist: callback((parameters) => parameters.set('iss', ELSEWHERE)),
  },
  'retour : sans iss': {
    verdict: 'reponse_incorrecte',
    cause: 'callback:iss',
    twist: callback((parameters) => parameters.delete('iss')),
  },
  'retour : iss doublé': {
    verdict: 'reponse_incorrecte',
    cause: 'callback:iss_doubled',
    twist: callback((parameters) => parameters.append('iss', parameters.get('iss')!)),
  },
  'retour : code doublé': {
    verdict: 'reponse_incorrecte',
    cause: 'callback:code_doubled',
    twist: callback((parameters) => parameters.append('code', parameters.get('code')!)),
  },
  'retour : code vide': {
    verdict: 'reponse_incorrecte',
    cause: 'library:no_authorization_code_in_callbackparameters_',
    twist: callback((parameters) => parameters.set('code', '')),
  },
  'retour : ni code ni erreur': {
    verdict: 'reponse_incorrecte',
    cause: 'callback:code_or_error',
    twist: callback((parameters) => parameters.delete('code')),
  },
  'retour : code et erreur ensemble': {
    verdict: 'reponse_incorrecte',
    cause: 'callback:code_or_error',
    twist: callback((parameters) => parameters.set('error', 'access_denied')),
  },
  "retour : id_token dans l'adresse": {
    verdict: 'reponse_incorrecte',
    cause: 'library:implicit_and_hybrid_flows_are_not_supported',
    twist: callback((parameters) => parameters.set('id_token', 'a.b.c')),
  },
  'retour : code déjà utilisé': {
    verdict: 'retour_expire',
    cause: 'token:invalid_grant',
    twist: callback((parameters, provider) => provider.spendCode(parameters.get('code')!)),
  },
  "retour : code d'un autre navigateur": {
    verdict: 'reponse_incorrecte',
    cause: 'library:unexpected_id_token_nonce_claim_value',
    twist: callback((parameters, provider) => parameters.set('code', provider.issueCode(randomBytes(32).toString('hex')))),
  },
  'retour : la personne a annulé': { verdict: 'annule', cause: 'callback:access_denied', twist: answeredError('access_denied') },
  'retour : annulation sans iss': {
    verdict: 'reponse_incorrecte',
    cause: 'callback:iss',
    twist: callback((parameters, provider) => {
      answeredError('access_denied').callback!(parameters, provider)
      parameters.delete('iss')
    }),
  },
  'retour : server_error': { verdict: 'indisponible', cause: 'callback:server_error', twist: answeredError('server_error') },
  'retour : invalid_acr': { verdict: 'acr_insuffisant', cause: 'callback:invalid_acr', twist: answeredError('invalid_acr') },
  'retour : invalid_scope': { verdict: 'reponse_incorrecte', cause: 'callback:error', twist: answeredError('invalid_scope') },
  'retour : script dans error_description': {
    verdict: 'reponse_incorrecte',
    cause: 'callback:error',
    twist: answeredError('<script>alert(1)</script>', '<script>alert(1)</script>'),
  },

  'clés : changées en chemin': {
    verdict: 'accepte',
    oidf: 'oidcc-client-test-signing-key-rotation-just-before-signing',
    twist: {
      idToken: (draft, provider) => {
        provider.keys = [newKey()]
        Object.assign(draft, { header: { alg: 'ES256', kid: provider.keys[0]!.jwk.kid }, sign: signedBy(provider.keys[0]!) })
      },
    },
  },
  'clés : changées entre id_token et userinfo': {
    verdict: 'accepte',
    twist: {
      userinfo: (draft, provider) => {
        provider.keys = [newKey()]
        Object.assign(draft, { header: { alg: 'ES256', kid: provider.keys[0]!.jwk.kid }, sign: signedBy(provider.keys[0]!) })
      },
    },
  },
  'clés : changées, puis impossibles à relire': {
    verdict: 'indisponible',
    cause: 'jwks:status_500',
    twist: {
      idToken: (draft, provider) => {
        draft.header.kid = 'toute-neuve'
        provider.twist = jwks({ status: 500 })
      },
    },
  },
  'clés : 500': { verdict: 'indisponible', cause: 'jwks:status_500', twist: jwks({ status: 500 }) },
  'clés : HTML': { verdict: 'reponse_incorrecte', cause: 'jwks:content_type', twist: jwks(HTML) },
  'clés : annoncées comme HTML': { verdict: 'reponse_incorrecte', cause: 'jwks:content_type', twist: jwks(SAYS_HTML) },
  'clés : JSON invalide': { verdict: 'reponse_incorrecte', cause: 'jwks:content', twist: jwks({ body: '{"keys":' }) },
  'clés : autre forme': {
    verdict: 'reponse_incorrecte',
    cause: 'jwks:content',
    twist: {
      jwks: (reply) => edited(reply, ({ keys }) => ({ keys: (keys as object[]).map((key) => ({ ...key, key_ops: 1 })) })),
    },
  },
  'clés : 50 Mo': {
    verdict: 'reponse_incorrecte',
    cause: 'jwks:too_large',
    twist: {
      jwks: (reply) => {
        reply.body = fiftyMegabytes()
      },
    },
  },
  'clés : deux du même nom': {
    verdict: 'reponse_incorrecte',
    cause: 'library:error_when_selecting_a_jwt_verification_key_multiple_applicable_keys_f',
    twist: { jwks: (reply) => edited(reply, ({ keys }) => ({ keys: [...(keys as unknown[]), ...(keys as unknown[])] })) },
  },
  'jeton : 500': { verdict: 'indisponible', cause: 'token:status_500', twist: token({ status: 500 }) },
  'jeton : 302': {
    verdict: 'indisponible',
    cause: 'token:status_302',
    twist: token({ status: 302, headers: { location: '/api/v2/jwks' } }),
  },
  'jeton : 32 secondes': { verdict: 'indisponible', cause: 'token:timeout', twist: token({ delayMs: 32_000 }) },
  'jeton : goutte à goutte': {
    verdict: 'indisponible',
    cause: 'token:timeout',
    twist: {
      token: (reply) => {
        reply.body = dripping()
      },
    },
  },
  'jeton : JSON invalide': {
    verdict: 'reponse_incorrecte',
    cause: 'library:failed_to_parse_response_body_as_json',
    twist: token({ body: '{"id_token":' }),
  },
  'jeton : annoncé comme HTML': { verdict: 'reponse_incorrecte', cause: 'token:content_type', twist: token(SAYS_HTML) },
  'jeton : HTML avec un statut 200': { verdict: 'reponse_incorrecte', cause: 'token:content_type', twist: token(HTML) },
  'découverte : 500': { verdict: 'indisponible', cause: 'discovery:status_500', twist: discovery({ status: 500 }) },
  'découverte : annoncée comme HTML': {
    verdict: 'reponse_incorrecte',
    cause: 'discovery:content_type',
    twist: discovery(SAYS_HTML),
  },
  'découverte : HTML': { verdict: 'reponse_incorrecte', cause: 'discovery:content_type', twist: discovery(HTML) },
  'découverte : autre émetteur': {
    verdict: 'reponse_incorrecte',
    oidf: 'oidcc-client-test-discovery-issuer-mismatch',
    cause: 'discovery:content',
    twist: discovered({ issuer: ELSEWHERE }),
  },
  'découverte : clés chez un autre': {
    verdict: 'reponse_incorrecte',
    cause: 'discovery:content',
    twist: discovered({ jwks_uri: `${ELSEWHERE}/jwks` }),
  },
  'découverte : jeton chez un autre': {
    verdict: 'reponse_incorrecte',
    cause: 'discovery:content',
    twist: discovered({ token_endpoint: `${ELSEWHERE}/token` }),
  },

  'horloge : 25 secondes de retard': { verdict: 'accepte', twist: { clockSeconds: -25 } },
  "horloge : 25 secondes d'avance": { verdict: 'accepte', twist: { clockSeconds: 25 } },
  'horloge : 90 secondes de retard': { verdict: 'reponse_incorrecte', cause: 'id_token:iat', twist: { clockSeconds: -90 } },
  "horloge : 90 secondes d'avance": { verdict: 'reponse_incorrecte', cause: 'id_token:iat', twist: { clockSeconds: 90 } },
}
