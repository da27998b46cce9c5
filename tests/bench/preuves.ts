import { createPublicKey, sign, verify } from 'node:crypto'
import { verifyEvidence } from '../../src/mandat/conditions.ts'
import type { Jwks } from '../../src/mandat/jws.ts'
import { openSeal, sealMandat } from '../../src/mandat/sceau.ts'
import { TEXTE_COURANT } from '../../src/mandat/texte.ts'
import { openAttestation, signAttestation } from '../../src/verification/attestation.ts'
import { verifyPreuve } from '../../src/verification/preuve.ts'
import { unAccord } from '../support/accord.ts'
import { ISSUER, ours } from '../support/forgeries.ts'

const MS = 500
const ROUNDS = 7

/** Seals, attestations and evidence checked one after the other: how many per second, and against one ES256 signature or verification alone. */
export async function preuveTimes(say: (line: string) => void): Promise<void> {
  const { claims, preuve } = await unAccord(TEXTE_COURANT)
  const attestation = await signAttestation(claims, preuve.fuseau, ours.current)
  const key = { key: ours.current.privateKey, dsaEncoding: 'ieee-p1363' } as const
  const publicKey = { ...key, key: createPublicKey(ours.current.privateKey) }
  const [bytes, signature] = [Buffer.from(preuve.sceau), sign('sha256', Buffer.from(preuve.sceau), key)]
  const evidence = {
    conditions: preuve.conditions,
    idToken: preuve.id_token,
    jwks: preuve.jwks as unknown as Jwks,
    issuer: claims.accord.iss,
    clientId: preuve.client_id,
    perimetre: claims.perimetre,
  }
  const held = async (answer: Promise<{ ok: boolean }>) => {
    if (!(await answer).ok) throw new Error('a genuine piece was refused')
  }
  const works = {
    signature: () => sign('sha256', bytes, key),
    verification: () => verify('sha256', bytes, publicKey, signature),
    'sceller un mandat': () => sealMandat(claims, ours.current),
    'signer une attestation': () => signAttestation(claims, preuve.fuseau, ours.current),
    'relire un sceau': () => held(openSeal(preuve.sceau, ours.jwks, { issuer: ISSUER })),
    'relire une attestation': () => held(openAttestation(attestation, ours.jwks)),
    'vérifier l’accord (conditions, nonce, jeton)': () => held(verifyEvidence(evidence)),
    'vérifier toutes les pièces d’un mandat': () => held(verifyPreuve(claims, preuve)),
  }
  type Work = keyof typeof works
  const rates = Object.fromEntries(Object.keys(works).map((work) => [work, [] as number[]])) as Record<Work, number[]>
  for (let round = -1; round < ROUNDS; round++)
    for (const work of Object.keys(works) as Work[]) {
      const start = performance.now()
      let done = 0
      for (; performance.now() - start < MS; done++) await works[work]()
      if (round >= 0) rates[work].push((done * 1000) / (performance.now() - start))
    }
  const median = (work: Work) => rates[work].toSorted((a, b) => a - b)[Math.floor(ROUNDS / 2)]!
  const line = (work: Work, base: Work) =>
    say(
      `${work} : ${Math.round(median(work))} par seconde, ${(median(base) / median(work)).toFixed(2)} fois une ${base} ES256 seule`,
    )
  for (const work of ['sceller un mandat', 'signer une attestation'] as const) line(work, 'signature')
  for (const work of Object.keys(works).slice(4) as Work[]) line(work, 'verification')
}
