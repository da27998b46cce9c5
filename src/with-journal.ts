import { type Db, openDb } from './db.ts'
import { originOf } from './journal/checkpoint.ts'
import { openSigner, parseVkey, type Vkey } from './journal/note.ts'
import { textOf } from './read-seen.ts'
import type { Surroundings } from './surroundings.ts'

/** The key that must have signed. */
export function keyOf(given: string | undefined, around: Surroundings): Vkey | undefined {
  const text = given ?? around.JOURNAL_VKEY
  if (text !== undefined) {
    const vkey = parseVkey(textOf(text).trim())
    if (!vkey) throw new Error('La clé donnée n’est pas une clé publique de journal : nom+identifiant+clé.')
    return vkey
  }
  const { JOURNAL_KEY, JOURNAL_ORIGIN, PUBLIC_URL } = around
  const origin = JOURNAL_ORIGIN ?? (PUBLIC_URL && originOf(PUBLIC_URL))
  return JOURNAL_KEY && origin ? openSigner(textOf(JOURNAL_KEY), origin).vkey : undefined
}

export function neededKey(given: string | undefined, around: Surroundings): Vkey {
  const log = keyOf(given, around)
  if (!log) throw new Error('La clé du journal manque : --cle, JOURNAL_VKEY, ou JOURNAL_KEY et PUBLIC_URL.')
  return log
}

/** What is done with as much of the journal as may be read: contents for the administrator, their hashes for the auditor. */
export async function withJournal<T>(
  around: Surroundings,
  work: (db: Db, reading: 'contenus' | 'empreintes') => Promise<T>,
): Promise<T> {
  const admin = around.DATABASE_ADMIN_URL
  const url = admin ?? around.DATABASE_AUDITOR_URL
  if (!url)
    throw new Error(
      'Aucune base à lire : donnez DATABASE_AUDITOR_URL, ou lancez d’abord la démonstration de ce dossier (npm start) dans un autre terminal.',
    )
  const db = openDb({ url, connections: 4 })
  try {
    return await work(db, admin ? 'contenus' : 'empreintes')
  } finally {
    await db.close()
  }
}
