import type { HttpBindings } from '@hono/node-server'
import type { Context } from 'hono'
import type { Confirme } from '../aidant/moyens.ts'
import type { Reconnue } from '../db.ts'
import type { KeptForm } from './kept-form.ts'
import type { Rule } from './rules.ts'

/** The aidant signed in, and the structure she acts for. Set by the session middleware. */
export type SessionAidant = {
  id: string
  nom: string
  prenom: string
  structureId: string
  structureNom: string
  /** IANA time zone of the structure. */
  fuseau: string
  referent: boolean
  /** Signed in by ProConnect, which says for which structure. */
  parProconnect: boolean
  /** She gave a second factor within the last five minutes, in this session. */
  confirmee: boolean
  /** How many structures she may choose from. */
  structures: number
}

/** The person signed in: every identity known to be hers, first the one she came in with; her name as shown, how she was recognised. */
export type SessionUsager = { ids: string[]; nom: string } & Reconnue

export type Variables = {
  /** Also the reference shown on error pages: `7K3M-Q2XA-9F4T`. */
  requestId: string
  demo: boolean
  /** Of the route that answers; absent when none does. */
  rule?: Rule
  sessionId?: string
  aidant?: SessionAidant
  usager?: SessionUsager
  /** She reads in large type. */
  grande?: boolean
  /** Local path an aidant must go through before anything else (conditions to accept, structure to choose). */
  detour?: string
  /** Fingerprint of her session's token, which opens nothing: the forms of an aidant's pages bear it. */
  pageOf?: string
  /** The form that this request sends, while it may have to be sent again. */
  kept?: KeptForm
  /** What a fresh factor confirms here, and that something of a dossier is here: said by the guards of the route (rules.ts). */
  confirme?: Confirme
  dossier?: true
}

/** `draining` is set by `serve`; everything in `Bindings` is absent under `app.request`. */
export type Env = { Bindings: Partial<HttpBindings> & { draining?: () => boolean }; Variables: Variables }

/** Behind a rule that asks for an aidant, or for the person herself. */
export type AidantContext = Context<Env & { Variables: { aidant: SessionAidant } }>
export type UsagerContext = Context<Env & { Variables: { usager: SessionUsager } }>
