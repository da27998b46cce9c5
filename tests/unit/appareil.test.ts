import { expect, it } from 'vitest'
import { appareilDe } from '../../src/http/appareil.ts'

const KHTML = 'AppleWebKit/537.36 (KHTML, like Gecko)'
it.each([
  ['Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0', 'Firefox sur un ordinateur Linux'],
  [
    `Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${KHTML} Chrome/128.0.0.0 Safari/537.36 Edg/128.0`,
    'Edge sur un ordinateur Windows',
  ],
  [
    `Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${KHTML} Chrome/128.0.0.0 Safari/537.36 OPR/113.0`,
    'Opera sur un ordinateur Windows',
  ],
  [
    `Mozilla/5.0 (Linux; Android 10; K) ${KHTML} SamsungBrowser/25.0 Chrome/121.0.0.0 Mobile Safari/537.36`,
    'Samsung Internet sur un téléphone Android',
  ],
  [`Mozilla/5.0 (Linux; Android 13; SM-X200) ${KHTML} Chrome/128.0.0.0 Safari/537.36`, 'Chrome sur une tablette Android'],
  [`Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) ${KHTML} Chrome/128.0.0.0 Safari/537.36`, 'Chrome sur un Chromebook'],
  [
    'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15',
    'Safari sur un Mac',
  ],
  [
    'Mozilla/5.0 (iPad; CPU OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/128.0 Mobile/15E148 Safari/604.1',
    'Chrome sur un iPad',
  ],
  ['curl/8.5.0', 'Navigateur inconnu sur un appareil inconnu'],
  [undefined, 'Navigateur inconnu sur un appareil inconnu'],
])('%s : %s', (agent, said) => {
  expect(appareilDe(agent)).toBe(said)
})
