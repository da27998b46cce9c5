import {
  type AuthenticationResponseJSON,
  generateAuthenticationOptions,
  generateRegistrationOptions,
  type RegistrationResponseJSON,
  verifyAuthenticationResponse,
  verifyRegistrationResponse,
} from '@simplewebauthn/server'
import { decodeAttestationObject, decodeClientDataJSON, isoBase64URL } from '@simplewebauthn/server/helpers'

/** What a passkey is bound to: this service's name and origin, and no other (WebAuthn level 3, §7.1 and §7.2). */
const relyingParty = (publicUrl: string) => {
  const { hostname, origin } = new URL(publicUrl)
  return { rpID: hostname, origin }
}
const text = (bytes: Buffer) => bytes.toString('base64url')
const uint8 = (bytes: Buffer) => new Uint8Array(bytes)

/** EdDSA, ES256 and RS256: what Node verifies in every version supported. */
const ALGORITHMS = [-8, -7, -257]

type Holder = { id: string; email: string; nom: string }

/** What the browser is given to make a passkey, verified by the person and found again without a name, as JSON. `connues`: ids of hers. */
export const creationOptions = async (publicUrl: string, defi: Buffer, holder: Holder, connues: readonly Buffer[]) =>
  JSON.stringify(
    await generateRegistrationOptions({
      rpName: 'Trait d’union',
      rpID: relyingParty(publicUrl).rpID,
      userID: uint8(Buffer.from(holder.id)),
      userName: holder.email,
      userDisplayName: holder.nom,
      challenge: uint8(defi),
      attestationType: 'none',
      authenticatorSelection: { residentKey: 'preferred', userVerification: 'required' },
      excludeCredentials: connues.map((id) => ({ id: text(id) })),
      supportedAlgorithmIDs: ALGORITHMS,
    }),
  )

/** What the browser is given to ask for a signature, as JSON. `parmi`: ids of the passkeys accepted; any of hers when she has not said who she is. */
export const signatureOptions = async (publicUrl: string, defi: Buffer, parmi: readonly Buffer[]) =>
  JSON.stringify(
    await generateAuthenticationOptions({
      rpID: relyingParty(publicUrl).rpID,
      challenge: uint8(defi),
      userVerification: 'required',
      allowCredentials: parmi.map((id) => ({ id: text(id) })),
    }),
  )

/** Whether it was asked for in a frame of another site's page (WebAuthn level 3, §5.8.1): our pages are never in one. */
function framed({ response: { clientDataJSON } }: RegistrationResponseJSON | AuthenticationResponseJSON): boolean {
  const { crossOrigin, topOrigin } = decodeClientDataJSON(clientDataJSON)
  return Boolean(crossOrigin || topOrigin)
}

/**
 * Whether a key comes with certificates. None are asked for; to judge those, the library would call the address that each gives for its
 * revocations, wherever that is and for as long as it takes. What is left without any is the key's own signature, or nothing (§8.2, §8.7).
 */
function certified({ response: { attestationObject } }: RegistrationResponseJSON): boolean {
  const attestation = decodeAttestationObject(isoBase64URL.toBuffer(attestationObject))
  return !['none', 'packed'].includes(attestation.get('fmt')) || attestation.get('attStmt').get('x5c') !== undefined
}

type CleAcces = { id: Buffer; publique: Buffer; compteur: number }

/** The passkey just made for this challenge; undefined when anything of it is not as asked. */
export async function verifyCreation(
  publicUrl: string,
  defi: Buffer,
  response: RegistrationResponseJSON,
): Promise<CleAcces | undefined> {
  const { rpID, origin } = relyingParty(publicUrl)
  const verify = async () =>
    framed(response) || certified(response)
      ? undefined
      : verifyRegistrationResponse({
          response,
          expectedChallenge: text(defi),
          expectedOrigin: origin,
          expectedRPID: rpID,
          requireUserVerification: true,
          supportedAlgorithmIDs: ALGORITHMS,
        })
  const verified = await verify().catch(refused)
  if (!verified?.verified) return undefined
  const { id, publicKey, counter } = verified.registrationInfo.credential
  return { id: Buffer.from(id, 'base64url'), publique: Buffer.from(publicKey), compteur: counter }
}

/** The counter that this passkey now says, its signature of this challenge being good; undefined when anything of it is not as asked. */
export async function verifySignature(
  publicUrl: string,
  defi: Buffer,
  response: AuthenticationResponseJSON,
  cle: CleAcces,
): Promise<number | undefined> {
  const { rpID, origin } = relyingParty(publicUrl)
  const verify = async () =>
    framed(response)
      ? undefined
      : verifyAuthenticationResponse({
          response,
          expectedChallenge: text(defi),
          expectedOrigin: origin,
          expectedRPID: rpID,
          credential: { id: text(cle.id), publicKey: uint8(cle.publique), counter: cle.compteur },
          requireUserVerification: true,
        })
  const verified = await verify().catch(refused)
  return verified?.verified ? verified.authenticationInfo.newCounter : undefined
}

/** The library says what is wrong by throwing, whoever sent it: all of it is a no. Neither network nor database is behind it. */
const refused = () => undefined
