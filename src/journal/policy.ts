import { parseVkey, type Vkey, WITNESS_KEY } from './note.ts'

export type Witness = { name: string; vkey: Vkey; url: string | undefined }
/** tlog-policy: which witnesses are asked, and how many of them make a checkpoint « témoigné ». */
export type Policy = { witnesses: readonly Witness[]; isMet(seen: ReadonlySet<string>): boolean }

export const NO_WITNESS: Policy = { witnesses: [], isMet: () => false }

/** Whether the witnesses of these keys are enough. */
export function isTemoigne(policy: Policy, vkeys: readonly string[]): boolean {
  return policy.isMet(new Set(policy.witnesses.filter(({ vkey }) => vkeys.includes(vkey.text)).map(({ vkey }) => vkey.name)))
}

/**
 * Reads a tlog-policy file: `witness NAME VKEY [URL]`, `group NAME all|any|K NAME…`, `quorum NAME|none`. Throws an Error that names the line,
 * in English: the caller says it in French. With `quorum none` nothing is ever said to be witnessed.
 */
export function parsePolicy(text: string): Policy {
  const witnesses: Witness[] = []
  const rules = new Map<string, (seen: ReadonlySet<string>) => boolean>()
  const members = new Set<string>()
  let quorum: string | undefined
  for (const [number, line] of text.split('\n').entries()) {
    const fail = (what: string): never => {
      throw new Error(`line ${number + 1}: ${what}`)
    }
    const [word, name, ...rest] = line.split(/[ \t]+/).filter(Boolean)
    if (word === undefined || word.startsWith('#')) continue
    if (word === 'log') continue // our own log is known otherwise
    if (name === undefined) return fail('a name is missing')
    if (word === 'witness') {
      const vkey = parseVkey(rest[0] ?? '')
      if (vkey?.type !== WITNESS_KEY) return fail('this is not the key of a witness')
      if (rules.has(name) || name === 'none') return fail('this name is taken')
      if (witnesses.some((other) => other.vkey.key.equals(vkey.key))) return fail('this key is already there')
      if (rest[1] !== undefined && !URL.canParse(rest[1])) return fail('this is not an address')
      witnesses.push({ name, vkey, url: rest[1] })
      rules.set(name, (seen) => seen.has(vkey.name))
    } else if (word === 'group') {
      const [threshold = '', ...names] = rest
      const least = threshold === 'all' ? names.length : threshold === 'any' ? 1 : Number(threshold)
      if (!(Number.isInteger(least) && least >= 1 && least <= names.length)) return fail('this threshold cannot be')
      if (rules.has(name) || name === 'none') return fail('this name is taken')
      for (const member of names) {
        if (!rules.has(member)) return fail(`${member} is not defined above`)
        if (members.has(member)) return fail(`${member} is already in a group`)
        members.add(member)
      }
      const parts = names.map((member) => rules.get(member)!)
      rules.set(name, (seen) => parts.filter((met) => met(seen)).length >= least)
    } else if (word === 'quorum') {
      if (quorum !== undefined) return fail('a second quorum')
      if (name !== 'none' && !rules.has(name)) return fail(`${name} is not defined above`)
      quorum = name
    } else return fail('unknown word')
  }
  if (quorum === undefined) throw new Error('no quorum')
  return { witnesses, isMet: rules.get(quorum) ?? (() => false) }
}
