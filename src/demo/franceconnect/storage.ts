import type { AdapterFactory, Payload } from 'oidc-provider/lib/provider.js'

const CAPACITY = 2000

/**
 * What the simulator remembers: sessions, interactions, codes and tokens, in memory only (a restart forgets them, which is harmless)
 * and never more than CAPACITY of them, the oldest going first.
 */
export function createStorage(): AdapterFactory {
  const entries = new Map<string, { payload: Payload; expiresAt: number }>()

  const find = (key: string): Payload | undefined => {
    const entry = entries.get(key)
    if (entry && entry.expiresAt > Date.now()) return entry.payload
    entries.delete(key)
    return undefined
  }
  const makeRoom = () => {
    if (entries.size < CAPACITY) return
    for (const [key, { expiresAt }] of entries) if (expiresAt <= Date.now()) entries.delete(key)
    for (const key of entries.keys()) {
      if (entries.size < CAPACITY) break
      entries.delete(key)
    }
  }

  return (model) => {
    const keyOf = (id: string) => `${model} ${id}`
    return {
      async upsert(id, payload, expiresIn) {
        entries.delete(keyOf(id))
        makeRoom()
        entries.set(keyOf(id), { payload, expiresAt: Date.now() + expiresIn * 1000 })
      },
      find: async (id) => find(keyOf(id)),
      async findByUid(uid) {
        for (const [key, { payload }] of entries) if (key.startsWith(`${model} `) && payload.uid === uid) return find(key)
        return undefined
      },
      findByUserCode: async () => undefined,
      async consume(id) {
        const payload = find(keyOf(id))
        if (payload) payload.consumed = Math.floor(Date.now() / 1000)
      },
      async destroy(id) {
        entries.delete(keyOf(id))
      },
      async revokeByGrantId(grantId) {
        for (const [key, { payload }] of entries) if (payload.grantId === grantId) entries.delete(key)
      },
    }
  }
}
