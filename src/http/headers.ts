import { createMiddleware } from 'hono/factory'
import type { Env } from './env.ts'

/**
 * What every answer says to the browser. `formActions`: origins of the providers a form may lead to (browsers apply form-action to
 * the redirects that follow a POST). Nothing is kept by a cache unless a route open to all says otherwise.
 */
export const securityHeaders = ({ publicUrl, formActions }: { publicUrl: string; formActions: readonly string[] }) => {
  const ours = ['style', 'script', 'img', 'font', 'connect', 'manifest'].map((kind) => `${kind}-src 'self'`)
  const fixed: [string, string][] = [
    [
      'Content-Security-Policy',
      [
        "default-src 'none'",
        ...ours,
        ["form-action 'self'", ...formActions].join(' '),
        "base-uri 'none'",
        "frame-ancestors 'none'",
      ].join('; '),
    ],
    // Not `no-referrer`: browsers would then send `Origin: null`, and every form would be refused.
    ['Referrer-Policy', 'same-origin'],
    ['X-Content-Type-Options', 'nosniff'],
    ['Cross-Origin-Opener-Policy', 'same-origin'],
    ['Cross-Origin-Resource-Policy', 'same-origin'],
    ['Permissions-Policy', PERMISSIONS.map((power) => `${power}=()`).join(', ')],
    ...(publicUrl.startsWith('https:') ? [['Strict-Transport-Security', 'max-age=63072000'] as [string, string]] : []),
  ]
  return createMiddleware<Env>(async (c, next) => {
    await next()
    for (const [name, value] of fixed) c.header(name, value)
    if (c.var.rule !== 'public' || !c.res.headers.has('Cache-Control')) c.header('Cache-Control', 'no-store')
  })
}

const PERMISSIONS = [
  'accelerometer',
  'bluetooth',
  'camera',
  'display-capture',
  'geolocation',
  'gyroscope',
  'hid',
  'idle-detection',
  'magnetometer',
  'microphone',
  'midi',
  'payment',
  'serial',
  'usb',
]
