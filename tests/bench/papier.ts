import { openRenderer } from '../../src/papier/render.ts'
import { mandatPapier } from '../../views/papier/mandat.ts'
import { lePlusLong, unMandat } from '../support/papiers.ts'

/** Milliseconds to make the PDF of a mandat: the first one, then the median of `rounds` others, each with its own words; and of the longest. */
export async function paperTimes(rounds = 30): Promise<{ first: number; warm: number; longest: number }> {
  const renderer = openRenderer({ patienceMs: 30_000 })
  let count = 0
  const time = async (facts: ReturnType<typeof unMandat>) => {
    const papier = mandatPapier({ ...facts, numero: `${facts.numero}-${count++}` })
    const start = performance.now()
    const rendered = await renderer.pdf(papier)
    if (!rendered.ok) throw new Error(`no PDF: ${rendered.refusal}`)
    return performance.now() - start
  }
  const median = async (facts: () => ReturnType<typeof unMandat>) => {
    const times: number[] = []
    for (let round = 0; round < rounds; round++) times.push(await time(facts()))
    return times.toSorted((a, b) => a - b)[Math.floor(rounds / 2)]!
  }
  try {
    const first = await time(unMandat())
    return {
      first,
      warm: await median(() => unMandat({ identite: { prenoms: [`Odette ${count}`] } })),
      longest: await median(lePlusLong),
    }
  } finally {
    await renderer.close()
  }
}
