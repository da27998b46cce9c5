import {
  type AuthenticationResponseJSON,
  generateAuthenticationOptions,
  generateRegistrationOptions,
  type RegistrationResponseJSON,
  verifyAuthenticationResponse,
  verifyRegistrationResponse,
} from '@simplewebauthn/server'

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

export type CleAcces = { id: Buffer; publique: Buffer; compteur: number }

/** The passkey just made for this challenge; undefined when anything of it is not as asked. */
export async function verifyCreation(
  publicUrl: string,
  defi: Buffer,
  response: RegistrationResponseJSON,
): Promise<CleAcces | undefined> {
  const { rpID, origin } = relyingParty(publicUrl)
  const verified = await verifyRegistrationResponse({
    response,
    expectedChallenge: text(defi),
    expectedOrigin: origin,
    expectedRPID: rpID,
    requireUserVerification: true,
    supportedAlgorithmIDs: ALGORITHMS,
  }).catch(refused)
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
  const verified = await verifyAuthenticationResponse({
    response,
    expectedChallenge: text(defi),
    expectedOrigin: origin,
    expectedRPID: rpID,
    credential: { id: text(cle.id), publicKey: uint8(cle.publique), counter: cle.compteur },
    requireUserVerification: true,
  }).catch(refused)
  return verified?.verified ? verified.authenticationInfo.newCounter : undefined
}

/** The library says what is wrong by throwing, whoever sent it: all of it is a no. Neither network nor database is behind it. */
const refused = () => undefined
