// oidc-provider ships no types; these are the few members the simulator uses, read in its 9.13.3 sources.
// Its index is not imported: it prints a warning on Node 20, which runs everything used here.
declare module 'oidc-provider/lib/provider.js' {
  import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'

  export type Payload = Record<string, unknown> & { uid?: string; grantId?: string; consumed?: number }

  export type Adapter = {
    upsert(id: string, payload: Payload, expiresIn: number): Promise<void>
    find(id: string): Promise<Payload | undefined>
    findByUid(uid: string): Promise<Payload | undefined>
    findByUserCode(userCode: string): Promise<Payload | undefined>
    consume(id: string): Promise<void>
    destroy(id: string): Promise<void>
    revokeByGrantId(grantId: string): Promise<void>
  }
  export type AdapterFactory = (model: string) => Adapter

  /** Koa's context. */
  export type Context = {
    method: string
    path: string
    querystring: string
    req: IncomingMessage
    res: ServerResponse
    status: number
    type: string
    body: unknown
    readonly response: { get(name: string): string | undefined }
    set(name: string, value: string): void
    redirect(url: string): void
    cookies: { set(name: string, value: null): void }
  }

  export type Interaction = {
    prompt: { name: string; details: { missingOIDCScope?: string[]; missingOIDCClaims?: string[] } }
    params: { client_id: string; scope: string; idp_hint?: string }
    session?: { accountId: string }
    lastSubmission?: { fournisseur?: string }
  }

  export type Session = {
    accountId?: string | undefined
    authorizations?: object | undefined
    persist(): Promise<void>
    destroy(): Promise<void>
  }

  export class Grant {
    constructor(of: { accountId: string; clientId: string })
    addOIDCScope(scope: string): void
    addOIDCClaims(claims: readonly string[]): void
    save(): Promise<string>
  }

  export class Provider {
    constructor(issuer: string, configuration: object)
    Grant: typeof Grant
    Session: { get(ctx: Context): Promise<Session> }
    Client: { find(id: string): Promise<object | undefined> }
    IdToken: { validate(jwt: string, client: object): Promise<unknown> }
    use(middleware: (ctx: Context, next: () => Promise<void>) => unknown): this
    callback(): RequestListener
    cookieName(type: 'session'): string
    interactionDetails(req: IncomingMessage, res: ServerResponse): Promise<Interaction>
    interactionResult(req: IncomingMessage, res: ServerResponse, result: object): Promise<string>
    on(event: 'server_error', listener: (ctx: Context, error: Error) => void): this
  }
}
