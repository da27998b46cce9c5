/** Papers that one caller may have in the making at once. */
const AT_ONCE = 3

type Places = <T>(who: string, make: () => Promise<T>) => Promise<T | undefined>

/**
 * Keeps the one thread that makes papers (16 waiting) for all: who already has `AT_ONCE` in the making waits, undefined, and nothing of hers is
 * begun; a sheet refused afterwards would have replaced a code for nothing.
 */
export function openPlaces(): Places {
  const taken = new Map<string, number>()
  return async (who, make) => {
    const before = taken.get(who) ?? 0
    if (before >= AT_ONCE) return undefined
    taken.set(who, before + 1)
    try {
      return await make()
    } finally {
      const left = taken.get(who)! - 1
      if (left > 0) taken.set(who, left)
      else taken.delete(who)
    }
  }
}
