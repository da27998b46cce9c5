import { spawnSync } from 'node:child_process'
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { type Environment, parseConfig } from '../../src/config.ts'

const sealKey = () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' })
const sealKeys = (...keys: object[]) => JSON.stringify({ keys })

const journalKey = () => generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }) as string

const PRODUCTION: Environment = {
  PUBLIC_URL: 'https://mandats.figeac.fr',
  DATABASE_URL: 'postgres://traitdunion_app:kJ8vQ2xWn5rT@base/traitdunion',
  SEAL_KEYS: sealKeys(sealKey()),
  JOURNAL_KEY: journalKey(),
  SECRETS_KEY: randomBytes(32).toString('base64url'),
  FRANCECONNECT_ISSUER: 'https://oidc.franceconnect.gouv.fr/api/v2',
  FRANCECONNECT_CLIENT_ID: randomBytes(32).toString('hex'),
  FRANCECONNECT_CLIENT_SECRET: randomBytes(32).toString('hex'),
  SMTP_URL: 'smtps://mandats:kJ8vQ2xWn5rT@courrier.figeac.fr',
  MAIL_FROM: 'Trait d’union <mandats@figeac.fr>',
  EDITEUR: 'CCAS de Figeac, 5 rue de Colomb, 46100 Figeac',
  CONTACT: 'mandats@figeac.fr',
}

const problemsOf = (environment: Environment): string[] => {
  try {
    parseConfig(environment)
    return []
  } catch (error) {
    return (error as Error).message.split('\n').slice(1)
  }
}
const variables = (environment: Environment) => problemsOf(environment).map((line) => /^- ([A-Z_]+) /.exec(line)?.[1])

describe('la configuration', () => {
  it('accepte une production complète, et complète ce qui a une valeur d’usage', () => {
    const config = parseConfig(PRODUCTION)
    expect(config).toMatchObject({
      mode: 'production',
      port: 3000,
      publicUrl: 'https://mandats.figeac.fr',
      proxies: { count: 1 },
      smsParJour: 2000,
      metricsPort: undefined,
    })
    expect(config.secretsKey).toHaveLength(32)
    expect(config.franceconnect.allowInsecure).toBe(false)
    expect(config.database).toEqual({ url: PRODUCTION.DATABASE_URL })
  })

  it('prend ProConnect en entier ou pas du tout, avec les mêmes exigences que FranceConnect', () => {
    expect(parseConfig(PRODUCTION)).not.toHaveProperty('proconnect')
    const whole = {
      ...PRODUCTION,
      PROCONNECT_ISSUER: 'https://auth.agentconnect.gouv.fr/api/v2',
      PROCONNECT_CLIENT_ID: randomBytes(32).toString('hex'),
      PROCONNECT_CLIENT_SECRET: randomBytes(32).toString('hex'),
    }
    expect(parseConfig(whole).proconnect).toMatchObject({ issuer: whole.PROCONNECT_ISSUER, allowInsecure: false })
    for (const name of ['PROCONNECT_ISSUER', 'PROCONNECT_CLIENT_ID', 'PROCONNECT_CLIENT_SECRET'])
      expect(variables({ ...whole, [name]: undefined })).toEqual([name])
    expect(variables({ ...whole, PROCONNECT_ISSUER: 'http://auth.exemple.fr' })).toEqual(['PROCONNECT_ISSUER'])
    expect(variables({ ...whole, PROCONNECT_CLIENT_SECRET: 'court' })).toEqual(['PROCONNECT_CLIENT_SECRET'])
  })

  it('ne ferme la connexion par e-mail qu’avec ProConnect pour entrer', () => {
    const proconnect = {
      PROCONNECT_ISSUER: 'https://auth.agentconnect.gouv.fr/api/v2',
      PROCONNECT_CLIENT_ID: randomBytes(32).toString('hex'),
      PROCONNECT_CLIENT_SECRET: randomBytes(32).toString('hex'),
    }
    expect(parseConfig(PRODUCTION).connexionLocale).toBe(true)
    expect(variables({ ...PRODUCTION, CONNEXION_LOCALE: 'non' })).toEqual(['CONNEXION_LOCALE'])
    expect(variables({ ...PRODUCTION, CONNEXION_LOCALE: 'faux' })).toEqual(['CONNEXION_LOCALE'])
    expect(parseConfig({ ...PRODUCTION, ...proconnect, CONNEXION_LOCALE: 'non' }).connexionLocale).toBe(false)
  })

  it('nomme d’un coup tout ce qui manque en production', () => {
    expect(variables({})).toEqual([
      'PUBLIC_URL',
      'DATABASE_URL',
      'SEAL_KEYS',
      'JOURNAL_KEY',
      'SECRETS_KEY',
      'FRANCECONNECT_ISSUER',
      'FRANCECONNECT_CLIENT_ID',
      'FRANCECONNECT_CLIENT_SECRET',
      'SMTP_URL',
      'MAIL_FROM',
      'EDITEUR',
      'CONTACT',
    ])
    expect(problemsOf({}).every((line) => / manque : /.test(line))).toBe(true)
  })

  it.each(Object.keys(PRODUCTION))('ne démarre pas en production si %s est vide ou fait d’espaces', (name) => {
    expect(variables({ ...PRODUCTION, [name]: '' })).toEqual([name])
    expect(variables({ ...PRODUCTION, [name]: '  ' })).toEqual([name])
  })

  it.each([
    ['SECRETS_KEY', 'A'.repeat(43)],
    ['SECRETS_KEY', randomBytes(31).toString('base64url')],
    ['SECRETS_KEY', randomBytes(32).toString('base64')],
    ['FRANCECONNECT_CLIENT_SECRET', 'court'],
    ['FRANCECONNECT_CLIENT_SECRET', 'secret-du-simulateur-de-demonstration-1234'],
    ['FRANCECONNECT_CLIENT_SECRET', 'abab'.repeat(16)],
    ['FRANCECONNECT_CLIENT_ID', 'trait-dunion-demo'],
    ['DATABASE_URL', 'postgres://traitdunion_app:demo-demo-demo@base/traitdunion'],
    ['DATABASE_URL', 'postgres://traitdunion_app:court@base/traitdunion'],
    ['DATABASE_URL', 'postgres://traitdunion_app@base/traitdunion'],
    ['DATABASE_OPERATOR_URL', 'postgres://traitdunion_operator:changeme-changeme@base/traitdunion'],
    ['SMTP_URL', 'smtp://mandats:motdepasse@courrier.figeac.fr'],
    ['SEAL_KEYS', sealKeys({ ...sealKey(), kid: 'choisi' })],
    ['SEAL_KEYS', sealKeys({ ...sealKey(), d: sealKey().d })],
    ['SEAL_KEYS', '{"keys":[]}'],
    ['SEAL_KEYS', '{"keys":[{"kty":"EC","crv":"P-256","kid":"publique","x":"a","y":"b"}]}'],
    ['SEAL_KEYS', '{pas du JSON'],
    ['SEAL_KEYS', '/nulle/part.json'],
    ['JOURNAL_KEY', '/nulle/part.pem'],
    ['JOURNAL_KEY', '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----'],
    ['JOURNAL_ORIGIN', 'un nom avec des espaces'],
    ['JOURNAL_WITNESSES', '/nulle/part'],
    ['JOURNAL_WITNESSES', 'witness A pas-une-cle\nquorum A'],
    ['CONTACT', 'mairie de Figeac'],
    ['SMS_PAR_JOUR', '-1'],
    ['SMS_PAR_JOUR', 'beaucoup'],
    ['PROXIES_FROM', '10.0.0.0/8, relais.figeac.fr'],
    ['PROXIES_FROM', '10.0.0.0/40'],
    ['PROXIES_FROM', ''.padEnd(3, ',')],
  ])('ne démarre pas en production avec %s court, faux ou de démonstration (%s)', (name, value) => {
    expect(variables({ ...PRODUCTION, [name]: value })).toEqual([name])
  })

  it.each([
    ['http://mandats.figeac.fr'],
    ['https://mandats.figeac.fr/'],
    ['https://mandats.figeac.fr/service'],
    ['https://Mandats.figeac.fr'],
    ['https://qui@mandats.figeac.fr'],
    ['https://mandats.figeac.fr?a'],
    ['ftp://mandats.figeac.fr'],
    ['mandats.figeac.fr'],
    ['http://localhost.figeac.fr'],
    ['http://127.0.0.1.figeac.fr'],
  ])('refuse l’adresse publique %s', (address) => {
    expect(variables({ ...PRODUCTION, PUBLIC_URL: address })).toEqual(['PUBLIC_URL'])
  })

  it('accepte en production un service essayé sur la machine elle-même, et alors seulement un fournisseur sans TLS', () => {
    const local = { ...PRODUCTION, PUBLIC_URL: 'http://localhost:3000' }
    expect(parseConfig(local)).toMatchObject({ publicUrl: 'http://localhost:3000', proxies: { count: 0 } })
    const issuer = 'http://127.0.0.1:4000/api/v2'
    expect(parseConfig({ ...local, FRANCECONNECT_ISSUER: issuer }).franceconnect).toMatchObject({ issuer, allowInsecure: true })
    expect(variables({ ...PRODUCTION, FRANCECONNECT_ISSUER: issuer })).toEqual(['FRANCECONNECT_ISSUER'])
    expect(variables({ ...local, FRANCECONNECT_ISSUER: 'http://fournisseur.fr' })).toEqual(['FRANCECONNECT_ISSUER'])
  })

  it('est exigeante par défaut : un MODE mal écrit ne donne pas la démonstration', () => {
    expect(variables({ ...PRODUCTION, MODE: 'Demo' })).toEqual(['MODE'])
    expect(variables({ ...PRODUCTION, MODE: 'démo', SECRETS_KEY: 'A'.repeat(43) })).toEqual(['MODE', 'SECRETS_KEY'])
  })

  it('laisse la démonstration se servir de ses propres secrets, mais pas s’en passer', () => {
    const demo: Environment = {
      MODE: 'demo',
      PORT: '8123',
      DATABASE_URL: 'postgres://traitdunion_app:demo@127.0.0.1:5555/traitdunion',
      SEAL_KEYS: sealKeys(sealKey()),
      SECRETS_KEY: 'A'.repeat(43),
      FRANCECONNECT_ISSUER: 'http://127.0.0.1:4000/api/v2',
      FRANCECONNECT_CLIENT_ID: 'demo',
      FRANCECONNECT_CLIENT_SECRET: 'demo',
      SMTP_URL: 'smtp://127.0.0.1:2525',
      MAIL_FROM: 'demo@localhost',
    }
    expect(parseConfig(demo)).toMatchObject({ mode: 'demo', port: 8123, host: 'localhost', publicUrl: 'http://localhost:8123' })
    expect(variables({ ...demo, SECRETS_KEY: '' })).toEqual(['SECRETS_KEY'])
  })

  it('ne laisse pas MODE=demo désarmer un vrai service : DATABASE_URL dans l’environnement, c’est la production', () => {
    const { status, stderr } = spawnSync(process.execPath, ['--import', 'tsx', 'src/main.ts'], {
      env: {
        PATH: process.env.PATH,
        ...PRODUCTION,
        PORT: '0',
        MODE: 'demo',
        SECRETS_KEY: 'A'.repeat(43),
        FRANCECONNECT_CLIENT_SECRET: 'demo',
      },
      encoding: 'utf8',
    })
    expect(status).toBe(1)
    expect(stderr).toMatch(/- SECRETS_KEY [\s\S]*- FRANCECONNECT_CLIENT_SECRET /)
  })

  it('lit les clés de sceau dans un fichier', () => {
    const keys = sealKeys(sealKey())
    expect(parseConfig({ ...PRODUCTION, SEAL_KEYS: '/etc/traitdunion/cles.json' }, () => keys).sealKeys).toBe(keys)
  })

  it.each(['abc', '70000', '-1', '3000.5', '1e3'])('refuse le port %s', (port) => {
    expect(variables({ ...PRODUCTION, PORT: port })).toEqual(['PORT'])
  })

  it('ne répète jamais la valeur d’un secret', () => {
    const secret = 'Zx9-demo-Kq7w'
    const message = problemsOf({
      ...PRODUCTION,
      SECRETS_KEY: secret,
      SEAL_KEYS: `{${secret}`,
      FRANCECONNECT_CLIENT_SECRET: secret,
      DATABASE_URL: `postgres://app:${secret}@base/b`,
      SMTP_URL: `smtp://app:${secret}@courrier`,
    }).join('\n')
    expect(message.split('\n')).toHaveLength(5)
    expect(message).not.toContain(secret)
  })
})

describe('chaque variable que le service lit', () => {
  const read = (file: string) => readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8')
  const names = [...read('src/config.ts').matchAll(/^ {4}([A-Z][A-Z_]+): /gm)].map(([, name]) => name!)

  it('a sa ligne dans le manuel de l’exploitant, MODE excepté : main.ts le dit lui-même', () => {
    expect(names).toContain('PROXIES_FROM')
    const lines = read('docs/exploitation.md')
      .split('\n')
      .filter((line) => line.startsWith('| `'))
    const named = new Set(lines.flatMap((line) => [...line.split('|')[1]!.matchAll(/`(\w+)`/g)].map(([, name]) => name!)))
    expect(names.filter((name) => !named.has(name))).toEqual(['MODE'])
  })

  it('est passée par compose.yaml, sauf l’adresse où il écoute et les accès que le service ne doit pas avoir', () => {
    const [, passed = ''] = /^ {2}service:\n[\s\S]*?^ {4}environment:\n((?: {6}.*\n)+)/m.exec(read('compose.yaml')) ?? []
    const without = names.filter((name) => !passed.includes(`      ${name}: `))
    expect(without).toEqual(['MODE', 'PORT', 'HOST', 'DATABASE_OPERATOR_URL', 'DATABASE_ADMIN_URL', 'DATABASE_AUDITOR_URL'])
    // Under its own name, and empty when it is not given: nothing that the service would then refuse.
    for (const [, name, value] of passed.matchAll(/^ {6}(\w+): (.*)$/gm))
      expect([name, /^\$\{(\w+):[?-]/.exec(value!)?.[1] ?? value]).toEqual([
        name,
        value!.startsWith('/run/secrets/') ? value : name,
      ])
    const optional = [...passed.matchAll(/^ {6}(\w+): \$\{\w+:-\}$/gm)].map(([, name]) => [name!, ''])
    expect(problemsOf({ ...PRODUCTION, ...Object.fromEntries(optional) })).toEqual([])
  })
})
