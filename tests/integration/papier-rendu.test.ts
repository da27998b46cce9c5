import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import type { Papier } from '../../src/papier/papier.ts'
import { openRenderer, type Renderer } from '../../src/papier/render.ts'
import { journalDuJour } from '../../views/papier/journal.ts'
import { mandatPapier } from '../../views/papier/mandat.ts'
import { PAPIER } from '../../views/papier/words.ts'
import { scratch } from '../support/database.ts'
import { lePlusLong, SERVICE, unMandat } from '../support/papiers.ts'
import { readPdf, serre } from '../support/pdf.ts'

const renderer = openRenderer({ quote: true, patienceMs: 30_000 })
afterAll(() => renderer.close())

const pdfOf = async (papier: Papier, by: Renderer = renderer) => {
  const rendered = await by.pdf(papier)
  if (!rendered.ok) throw new Error(`no PDF: ${rendered.refusal} ${rendered.detail ?? ''}`)
  return readPdf(rendered.pdf)
}
/** A paper that only says this. */
const dit = (...lines: string[]): Papier => ({
  ...mandatPapier(unMandat()),
  suite: [],
  une: lines.map((texte) => ({ genre: 'texte', texte })),
})

describe('le PDF d’un papier', () => {
  it('se déclare PDF/A-2a, balisé, en français, titré, polices embarquées', async () => {
    const pdf = await pdfOf(mandatPapier(unMandat()))
    expect(pdf.xmp).toContain('<pdfaid:part>2</pdfaid:part>')
    expect(pdf.xmp).toContain('<pdfaid:conformance>A</pdfaid:conformance>')
    expect(pdf.xmp).toContain('Mandat pour des démarches administratives</rdf:li>')
    expect(pdf.catalogue).toMatch(/\/StructTreeRoot \d+ 0 R/)
    expect(pdf.catalogue).toMatch(/\/MarkInfo <<\s*\/Marked true/)
    expect(pdf.catalogue).toContain('/Lang (fr-FR)')
    expect(pdf.catalogue).toMatch(/\/OutputIntents/)
    for (const element of ['H1', 'H2', 'H3', 'P', 'L', 'LI', 'LBody', 'Figure']) expect(pdf.elements).toContain(element)
    expect(pdf.elements.filter((one) => one === 'H1')).toHaveLength(1)
    expect(pdf.alternatives).toEqual(['Code QR\u00a0: il ouvre la page qui vérifie ce papier.'])
    expect(pdf.fonts.length).toBeGreaterThan(0)
    for (const { name, embedded } of pdf.fonts) {
      expect(embedded, name).toBe(true)
      expect(name).toMatch(/^[A-Z]{6}\+NotoSans-(Regular|Bold)$/)
    }
  })

  it('dit les noms, les accents, les numéros et la phrase du papier, mot pour mot', async () => {
    const { pages, text } = await pdfOf(
      mandatPapier(unMandat({ identite: { prenoms: ['Zoé', 'Maëlys'], nomUsage: 'Lefèvre-Œuf' } })),
    )
    const said = (words: string) => expect(pages[0]).toContain(serre(words))
    said('Zoé Maëlys Lefèvre-Œuf (nom de naissance : Delpech)')
    said('Date de naissance : 12 mars 1941')
    said('SIRET 264 600 123 00017')
    said('7b0e8b0a-51cf-4a69-9a3e-0f6f6a1d2c3b')
    said('05 65 50 00 00')
    said('jusqu’au 3 mars 2027 au soir')
    said('article 1984 du code civil')
    said('Accord donné en ligne le 22 novembre 2026 à 14 h 05 par Zoé Maëlys Lefèvre-Œuf')
    said('qui s’est identifiée avec FranceConnect')
    said('mandats.exemple.fr/mon-espace')
    // A letter goes to who records it.
    expect(pages[0]!.split(serre('Par courrier'))[1]).toContain(
      serre(
        'CCAS de Figeac, 5 rue de Colomb, 46100 Figeac ; ou au service : Trait d’union, 12 rue de la République, 46100 Figeac',
      ),
    )
    said('3F7K-9WQX-RT6B')
    said(PAPIER)
    expect(text).toContain(serre('Ouvrir, fermer ou utiliser un compte en banque.'))
    expect(text).not.toMatch(/signaturedelapersonne|électroniquement/)
  })

  it('imprime tel quel un nom fait pour être du code', async () => {
    const names = [
      '#panic()',
      '"]',
      '#set text(9pt)',
      '*gras*',
      '$x^2$',
      '\\u{41}',
      '@ref',
      '<label>',
      '// rien',
      '= Titre',
      '`brut`',
      '#sys.inputs',
    ]
    const { text } = await pdfOf(mandatPapier(unMandat({ identite: { prenoms: names, nomUsage: '#panic("]")' } })))
    expect(text).toContain(serre(`${names.join(' ')} #panic("]")`))
  })

  it('met l’arabe en forme, de droite à gauche, avec sa police, et le dit', async () => {
    const pdf = await pdfOf(dit('محمد', 'Le nom محمد dans une phrase'))
    expect(pdf.fonts.map(({ name }) => name.slice(7)).sort()).toEqual([
      'NotoSans-Bold',
      'NotoSans-Regular',
      'NotoSansArabic-Regular',
    ])
    expect(pdf.langues).toContain('ar')
    // Laid from the right: the last letter comes first on the line.
    expect(pdf.text).toContain([...'محمد'].reverse().join(''))
    // The two م of محمد are joined, each in its own shape.
    const drawn = pdf.glyphs(/Arabic/).flat()
    expect(new Set(drawn).size).toBe(4)
  })

  it('tient sur une page, même avec dix thèmes et des noms de soixante lettres', async () => {
    const papier = mandatPapier(lePlusLong())
    const point = { taille: 1_234_567_890, racine: Buffer.alloc(32, 0xd8), createdAt: new Date('2026-09-30T21:59:59Z') }
    const last = journalDuJour(point, 'Europe/Paris', SERVICE)
    const { pages } = await pdfOf({ ...papier, une: [...papier.une, last] })
    expect(pages).toHaveLength(3)
    expect(pages[0]).toContain(serre('1 234 567 890 lignes, empreinte d8d8 d8d8'))
    expect(pages[0]).toContain(serre('Loisirs, sport, culture'))
    expect(pages[0]).toContain('3F7K-9WQX-RT6B')
    expect(pages[0]).toContain('page1sur3')
    expect(pages[1]).toContain(serre('Mandat pour vos démarches administratives'))
    expect(await pdfOf(mandatPapier(unMandat(), true)).then((pdf) => pdf.pages)).toHaveLength(1)
  })

  it('est refusé, et non faussé, quand aucune police n’a une lettre', async () => {
    const refused = await renderer.pdf(dit('Un mot que rien n’écrit : 櫻'))
    expect(refused).toMatchObject({ ok: false, refusal: 'refuse' })
    expect(refused.ok || refused.detail).toMatch(/font|glyph|display/)
  })
})

describe('le fil qui fait les PDF', () => {
  const thread = (source: string) => {
    const file = path.join(scratch('papier'), 'fil.mjs')
    writeFileSync(file, `import { parentPort } from 'node:worker_threads'\n${source}`)
    return pathToFileURL(file)
  }
  const papier = mandatPapier(unMandat())

  it('laisse le service répondre pendant qu’il travaille', async () => {
    await pdfOf(papier)
    // Made here, they would have held the loop for all of that time.
    const before = performance.eventLoopUtilization()
    for (const pied of ['un', 'deux', 'trois']) await pdfOf({ ...papier, pied })
    expect(performance.eventLoopUtilization(before).utilization).toBeLessThan(0.5)
  })

  it('renaît quand il meurt : un papier est perdu, pas le suivant', async () => {
    const file = thread(`
      parentPort.on('message', ({ id, papier }) => {
        if (papier.includes('fatal')) process.exit(1)
        parentPort.postMessage({ id, made: new Uint8Array([1]) })
      })`)
    const mortal = openRenderer({ thread: file })
    const both = [mortal.pdf({ ...papier, pied: 'fatal' }), mortal.pdf(papier)]
    expect(await both[0]).toEqual({ ok: false, refusal: 'panne' })
    expect(await both[1]).toMatchObject({ ok: true })
    await mortal.close()
  })

  it('est arrêté quand il ne finit pas, et le suivant passe', async () => {
    const file = thread(`
      parentPort.on('message', ({ id, papier }) => {
        while (papier.includes('sans fin')) {}
        parentPort.postMessage({ id, made: new Uint8Array([1]) })
      })`)
    const slow = openRenderer({ thread: file, patienceMs: 400 })
    expect(await slow.pdf({ ...papier, pied: 'sans fin' })).toEqual({ ok: false, refusal: 'trop_long' })
    expect(await slow.pdf(papier)).toMatchObject({ ok: true })
    await slow.close()
  })

  it('ne prend pas plus de papiers qu’il ne peut en faire attendre', async () => {
    const file = thread(
      `parentPort.on('message', ({ id }) => setTimeout(() => parentPort.postMessage({ id, made: new Uint8Array([1]) }), 50))`,
    )
    const busy = openRenderer({ thread: file, queue: 3 })
    const answers = await Promise.all([1, 2, 3, 4, 5].map(() => busy.pdf(papier)))
    expect(answers.map((one) => (one.ok ? 'fait' : one.refusal))).toEqual(['fait', 'fait', 'fait', 'encombre', 'encombre'])
    await busy.close()
  })

  it('dit qu’il n’y a pas de Typst pour cette machine, sans rien casser', async () => {
    const nowhere = openRenderer({ packages: ['@myriaddreamin/typst-ts-node-compiler-plan9-mips'] })
    expect(await Promise.all([nowhere.pdf(papier), nowhere.pdf(papier)])).toEqual([
      { ok: false, refusal: 'absent' },
      { ok: false, refusal: 'absent' },
    ])
    expect(await nowhere.pdf(papier)).toEqual({ ok: false, refusal: 'absent' })
    await nowhere.close()
  })
})
