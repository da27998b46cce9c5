import path from 'node:path'
import { isPortTaken, serve } from '../http/server.ts'
import { openSigner, WITNESS_KEY } from '../journal/note.ts'
import { witnessRoutes } from '../journal/witness-routes.ts'
import { fileOf, openWitnessStore } from '../journal/witness-store.ts'

export type Temoin = {
  /** Its submission prefix. */
  url: string
  /** Its public key. */
  vkey: string
  /** The public key of the journal it watches. */
  log: string
  /** Where every checkpoint that it cosigned is read. */
  seen: string
  close(): Promise<void>
}

/** The witness of the demonstration, beside the service: on this same machine it proves nothing, and shows how it goes. */
export async function startTemoin(options: {
  dataDir: string
  /** Private key of the journal, in PEM: only its public part is used. */
  cle: string
  origine: string
  temoin: string
  temoinPort: number
}): Promise<Temoin> {
  const log = openSigner(options.cle, options.origine).vkey
  const signer = openSigner(options.temoin, 'temoin.localhost/demonstration', WITNESS_KEY)
  const store = openWitnessStore(path.join(options.dataDir, 'temoin'))
  const app = witnessRoutes({ signer, logs: [log], store, now: () => new Date() })
  const listen = (port: number) => serve(app, { port, host: '127.0.0.1' })
  const listening = await listen(options.temoinPort).catch((error: NodeJS.ErrnoException) => {
    if (!isPortTaken(error) && error.code !== 'EACCES') throw error
    return listen(0)
  })
  const url = `http://127.0.0.1:${listening.port}`
  return {
    url,
    vkey: signer.vkey.text,
    log: log.text,
    seen: `${url}/${fileOf(log.name, 'points')}`,
    close: () => listening.close(),
  }
}
