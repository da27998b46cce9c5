import type { Fault } from './oidc.ts'

/** One outbound call, headers and body, at most. */
const CALL_MS = 3_000
const MAX_BYTES = 256 * 1024

export type Answer = { status: number; type: string; text: string }
type Sent = { method: string; headers: Record<string, string>; body: URLSearchParams | null }
type Wanted = { name: string; statuses: readonly number[]; types: readonly string[] }

export const GET_JSON: Sent = { method: 'GET', headers: { accept: 'application/json' }, body: null }

/** A failure that already knows what the person and the log are told. `down`: the provider's own, not what its answer says. */
export const failure = (fault: Fault, down = false) => Object.assign(new Error(fault.cause), { fault, down })
type Failure = Partial<ReturnType<typeof failure>>

/** Finds that fault again behind the errors in which a library wrapped it. */
export function faultIn(error: unknown): Fault | undefined {
  if (!(error instanceof Error)) return undefined
  return (error as Failure).fault ?? faultIn(error.cause)
}
/** Did the provider itself fail there: no answer in time, or one that says so? */
export function isDown(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  return (error as Failure).down ?? isDown(error.cause)
}

/**
 * Calls a provider: 3 s and 256 KiB at most, no redirect followed, and only the statuses and content types wanted.
 * Throws a `failure`; `deadline` cuts the call short when the whole callback has lasted too long.
 */
export async function call(url: string, sent: Sent, wanted: Wanted, deadline?: AbortSignal): Promise<Answer> {
  const unavailable = (cause: string, down: boolean) =>
    failure({ refusal: 'indisponible', cause: `${wanted.name}:${cause}` }, down)
  const incorrect = (cause: string) => failure({ refusal: 'reponse_incorrecte', cause: `${wanted.name}:${cause}` })
  const stop = new AbortController()
  const cut = () => stop.abort()
  // Not AbortSignal.any and timeout: Node 20 may collect them before they fire.
  const timer = setTimeout(cut, CALL_MS)
  deadline?.addEventListener('abort', cut)
  if (deadline?.aborted) cut()
  try {
    const response = await fetch(url, { ...sent, redirect: 'manual', signal: stop.signal })
    if (!wanted.statuses.includes(response.status)) throw unavailable(`status_${response.status}`, response.status >= 500)
    const type = (response.headers.get('content-type') ?? '').split(';')[0]!.trim().toLowerCase()
    if (!wanted.types.includes(type)) throw incorrect('content_type')
    const chunks: Uint8Array[] = []
    let size = 0
    for await (const chunk of response.body ?? []) {
      size += chunk.byteLength
      if (size > MAX_BYTES) throw incorrect('too_large')
      chunks.push(chunk)
    }
    return { status: response.status, type, text: Buffer.concat(chunks).toString('utf8') }
  } catch (error) {
    if (faultIn(error)) throw error
    throw unavailable(stop.signal.aborted ? 'timeout' : networkCode(error), true)
  } finally {
    clearTimeout(timer)
    deadline?.removeEventListener('abort', cut)
    stop.abort() // closes the connection of an answer that was not read to its end
  }
}

const networkCode = (error: unknown): string => {
  const code = ((error as Error).cause as { code?: unknown } | undefined)?.code
  return typeof code === 'string' && /^[A-Z0-9_]{1,60}$/.test(code) ? code : 'network'
}
