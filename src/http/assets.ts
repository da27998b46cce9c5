import { brotliCompressSync, constants, gzipSync } from 'node:zlib'
import { Hono } from 'hono'
import { ASSETS } from '../../views/kit/assets.ts'

const YEAR = 'public, max-age=31536000, immutable'

/** Compressed once, at start, as small as can be; what does not shrink goes as it is. */
const ready = new Map(
  [...ASSETS].map(([name, { url, type, bytes }]) => {
    const br = brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } })
    return [name, { url, type, bytes: { br, gzip: gzipSync(bytes, { level: 9 }), identity: bytes } }]
  }),
)

const accepts = (header: string, coding: string) =>
  header.split(',').some((one) => {
    const [name, ...parameters] = one.split(';').map((part) => part.trim().toLowerCase())
    return name === coding && !parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter))
  })

/** `/assets/<hash>/<name>`: only names read at start exist, so no path can lead elsewhere. */
export const assets = new Hono().get('/assets/:hash/:name', (c) => {
  const found = ready.get(c.req.param('name'))
  if (!found) return c.notFound()
  const header = c.req.header('accept-encoding') ?? ''
  const coding = accepts(header, 'br') ? 'br' : accepts(header, 'gzip') ? 'gzip' : 'identity'
  const body = found.bytes[coding]
  c.header('Content-Type', found.type)
  c.header('Content-Length', String(body.length))
  c.header('Vary', 'Accept-Encoding')
  // A page kept open during an update asks for the former hash: it gets today's file, which must not be kept under yesterday's name.
  c.header('Cache-Control', c.req.path === found.url ? YEAR : 'no-cache')
  if (coding !== 'identity') c.header('Content-Encoding', coding)
  return c.body(new Uint8Array(body))
})
