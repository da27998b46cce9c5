import { randomBytes } from 'node:crypto'
import { openKeys } from '../../src/demo/franceconnect/keys.ts'
import type { TestDatabase } from './database.ts'

/** The variables of a demonstration over a database of its own; where FranceConnect is, each test says. */
export const environmentOf = async (database: Pick<TestDatabase, 'url' | 'operatorUrl' | 'adminUrl'>, publicUrl: string) => ({
  MODE: 'demo',
  PUBLIC_URL: publicUrl,
  DATABASE_URL: database.url,
  DATABASE_OPERATOR_URL: database.operatorUrl,
  DATABASE_ADMIN_URL: database.adminUrl,
  SEAL_KEYS: JSON.stringify({ keys: (await openKeys()).jwks() }),
  SECRETS_KEY: randomBytes(32).toString('base64url'),
  SMTP_URL: 'smtp://localhost',
  MAIL_FROM: 'essais@localhost',
})
