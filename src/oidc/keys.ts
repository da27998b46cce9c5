import { calculateJwkThumbprint, type JSONWebKeySet } from 'jose'
import { z } from 'zod'
import { failure } from './call.ts'

const MAX_AGE_MS = 5 * 60_000

/** What the library assumes without looking: a set that breaks it would crash it instead of being refused. */
const keySet = z.object({
  keys: z.array(z.object({ kty: z.string(), kid: z.string().optional(), key_ops: z.array(z.string()).optional() })),
})

export type KeyCache = ReturnType<typeof keyCache>

/** A provider's key set as the exact text received (it is the evidence that is archived), kept five minutes. */
export function keyCache() {
  let kept: { text: string; at: Date } | undefined

  const download = async (fetchText: () => Promise<string>, now: Date) => {
    const text = await fetchText()
    if (!isKeySet(text)) throw failure({ refusal: 'reponse_incorrecte', cause: 'jwks:content' })
    kept = { text, at: now }
    return text
  }

  return {
    current: async (fetchText: () => Promise<string>, now: Date) =>
      kept && Math.abs(now.getTime() - kept.at.getTime()) < MAX_AGE_MS ? kept.text : download(fetchText, now),
    /** For a key missing from `seen`: the newer set another callback has just fetched, or one more download. */
    renewed: async (seen: string, fetchText: () => Promise<string>, now: Date) =>
      kept && kept.text !== seen ? kept.text : download(fetchText, now),
  }
}

function isKeySet(text: string): boolean {
  try {
    return keySet.safeParse(JSON.parse(text)).success
  } catch {
    return false
  }
}

/** RFC 7638 thumbprints of the keys of a set that can sign for us, sorted: what the journal says of an archived set. */
export async function thumbprints(jwks: string): Promise<string[]> {
  const signing = (JSON.parse(jwks) as JSONWebKeySet).keys.filter(({ kty, crv }) => kty === 'EC' && crv === 'P-256')
  return (await Promise.all(signing.map((key) => calculateJwkThumbprint(key)))).sort()
}
