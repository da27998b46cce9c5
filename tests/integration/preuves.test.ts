import { spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createApp } from '../../src/app.ts'
import { openDossier } from '../../src/audit/open.ts'
import { openDb } from '../../src/db.ts'
import { recordDemarche } from '../../src/demarche/record.ts'
import { exportJournal } from '../../src/journal/export.ts'
import { openSigner } from '../../src/journal/note.ts'
import { parsePolicy } from '../../src/journal/policy.ts'
import { parseProvenLines, verifyLine } from '../../src/journal/proof.ts'
import { stopMandat } from '../../src/mandat/stop.ts'
import { openRenderer } from '../../src/papier/render.ts'
import { newWitness, type OpenTree, ORIGIN, openTree, pemKey } from '../support/arbre.ts'
import { scratch } from '../support/database.ts'
import { expectValidHtml } from '../support/html.ts'
import { readPdf } from '../support/pdf.ts'
import { ROOT, start } from '../support/processes.ts'
import { newWorld, ok, PUBLIC_URL, type Told, uneDemarche, type World } from '../support/world.ts'

let world: World
let tree: OpenTree
let told: Told
let app: World['app']
/** Démarches of Josiane noted by Thomas: an ordinary one, a sensitive one, a complaint. */
let ordinary: { id: string; line: number }
let sensitive: { id: string; line: number }
let complaint: { id: string; line: number }

beforeAll(async () => {
  world = await newWorld()
  tree = openTree(world.database)
  told = await world.signMandat({ persona: 'josiane', perimetre: ['logement', 'social'] })
  ordinary = await noted('Lettre zinzolin', {})
  sensitive = await noted('Dossier garance', { thematique: 'social' })
  complaint = await noted('Plainte cinabre', { nature: 'reclamation' })
  await tree.settle()
  const config = { ...world.config, journal: { signer: tree.signer, policy: parsePolicy('quorum none') } }
  app = createApp({ db: world.db, config, oidc: { franceconnect: world.provider }, log: () => {} })
})
afterAll(async () => {
  await tree.close()
  await world.close()
})

async function noted(titre: string, more: { thematique?: 'social'; nature?: 'reclamation' }) {
  const { thematique, ...rest } = more
  const demarche = uneDemarche(told.id, thematique, {
    titre,
    note: `Au sujet de : ${titre}`,
    ...rest,
  })
  const { id } = ok(await recordDemarche(world.db, world.as('thomas'), demarche))
  const [row] = await world.sql<{ line: string }[]>`select journal_id as line from demarche where id = ${id}`
  return { id, line: Number(row!.line) }
}
const ask = async (who: string, address: string) =>
  app.request(address, { headers: { cookie: await world.sessionOf(who), 'sec-fetch-site': 'same-origin' } })
const fileOf = async (who: string, address: string) => {
  const answer = await ask(who, address)
  expect([answer.status, answer.headers.get('cache-control')]).toEqual([200, 'no-store'])
  expect(answer.headers.get('content-disposition')).toMatch(/^attachment; filename="ligne-\d+\.tlog-proof"$/)
  const text = await answer.text()
  const [line] = parseProvenLines(text)!.lignes
  return { text, line: line! }
}
const mine = (id: string) => `/demarches/${id}/preuve.tlog-proof`
const hers = (id: string) => `/mon-espace/demarches/${id}/preuve.tlog-proof`
const ofStructure = (line: number | string) => `/structure/journal/${line}/preuve.tlog-proof`
const acces = async () => Number((await world.sql`select count(*)::int as n from acces where genre = 'demarche_consultee'`)[0]!.n)

describe('qui a noté la démarche', () => {
  it('en emporte la preuve, avec ses faits, qui se vérifie sans nous ; la page dit depuis quand rien n’a changé', async () => {
    for (const { id, line: numero } of [ordinary, sensitive, complaint]) {
      const before = await acces()
      const { line } = await fileOf('thomas', mine(id))
      expect([line.numero, verifyLine(line, tree.signer.vkey)]).toMatchObject([numero, { ok: true }])
      expect(JSON.parse(line.faits!)).toMatchObject({ note: expect.stringContaining('Au sujet de') })
      expect(await acces()).toBe(before + 1)
    }
    const read = async () => (await ask('thomas', `/demarches/${ordinary.id}`)).text()
    const page = await read()
    const depuis = /Non modifié depuis le [^.]*/.exec(page)![0]
    // Since the first checkpoint that covers it: the next ones do not make it younger.
    await world.database.travel({ ms: 3 * 86_400_000 })
    await noted('Lettre suivante', {})
    await tree.settle()
    expect(await read()).toContain(depuis)
    expect(page).toContain(mine(ordinary.id))
    expect(page.toLowerCase()).not.toContain('vérifi')
    await expectValidHtml(page)
  })

  it('est seul parmi les aidants : une collègue qui la lit n’en a pas la preuve, une autre structure ne sait pas qu’elle existe', async () => {
    const absent = await (await ask('samira', mine(randomUUID()))).text()
    expect(await (await ask('samira', `/demarches/${ordinary.id}`)).text()).not.toContain('preuve.tlog-proof')
    for (const who of ['samira', 'fabrice', 'nadia']) expect((await ask(who, mine(ordinary.id))).status).toBe(404)
    const strip = (html: string) => html.replaceAll(/[0-9a-f-]{36}|[0-9A-Z]{4}-[0-9A-Z]{4}/g, '')
    expect(strip(await (await ask('samira', mine(ordinary.id))).text())).toBe(strip(absent))
  })

  it('apprend par une phrase que la ligne n’a pas encore sa place', async () => {
    const late = await noted('Lettre tardive', {})
    const before = await acces()
    const answer = await ask('thomas', mine(late.id))
    const html = await answer.text()
    expect([answer.status, html.includes('n’a pas encore sa place dans le journal signé')]).toEqual([409, true])
    await expectValidHtml(html)
    expect(await acces()).toBe(before)
    const page = await (await ask('thomas', `/demarches/${late.id}`)).text()
    expect(page).toContain('n’a pas encore sa place dans le journal signé')
    expect(page).not.toContain(mine(late.id))
    // Where nothing is signed, there never is one.
    const answered = await world.get(mine(ordinary.id), await world.sessionOf('thomas'))
    expect(answered.status).toBe(409)
    await tree.settle()
    expect((await ask('thomas', mine(late.id))).status).toBe(200)
  })
})

describe('la personne', () => {
  it('a la preuve de chaque acte, même confidentiel ; personne d’autre, ni qui tient son papier', async () => {
    for (const { id, line: numero } of [ordinary, sensitive, complaint]) {
      const { line } = await fileOf('josiane', hers(id))
      expect([line.numero, verifyLine(line, tree.signer.vkey)]).toMatchObject([numero, { ok: true }])
      expect(line.faits).toContain('Au sujet de')
    }
    const page = await (await ask('josiane', `/mon-espace/mandats/${told.id}`)).text()
    expect(page).toContain(hers(sensitive.id))
    await expectValidHtml(page)
    await world.signMandat({ persona: 'marcel' })
    expect((await ask('marcel', hers(ordinary.id))).status).toBe(404)
    expect((await ask('thomas', hers(ordinary.id))).status).toBe(404)
  })
})

describe('le référent', () => {
  const open = async () =>
    ok(
      await openDossier(world.db, world.asReferent('nadia'), {
        usagerId: told.usagerId,
        motif: 'controle',
        precision: null,
        envoi: randomUUID(),
      }),
    )
  const rls = (line: number) =>
    world.db.tx(world.asReferent('nadia'), (tx) => tx.sql`select 1 from journal_contenu where journal_id = ${line}`)

  it('a la preuve de chaque ligne de sa structure, sans ce qui a été fait tant que le dossier n’est pas ouvert', async () => {
    const before = await acces()
    for (const { line: numero } of [ordinary, sensitive, complaint]) {
      const { line, text } = await fileOf('nadia', ofStructure(numero))
      expect([line.numero, line.faits, line.sel, verifyLine(line, tree.signer.vkey)]).toMatchObject([
        numero,
        undefined,
        undefined,
        { ok: true },
      ])
      expect(Buffer.from(/^extra (.*)$/m.exec(text)![1]!, 'base64').toString()).not.toContain('contenu')
    }
    // The database's rules alone hold back what is sensitive.
    expect([(await rls(sensitive.line)).length, (await rls(complaint.line)).length]).toEqual([0, 0])
    expect(await acces()).toBe(before)
    const [signed] = await world.lines(told.id)
    expect((await fileOf('nadia', ofStructure(signed!.id))).line.faits).toContain('perimetre')
    const page = await (await ask('nadia', '/structure/journal')).text()
    expect(page).toContain(ofStructure(sensitive.line))
    await expectValidHtml(page)
  })

  it('les faits viennent avec le dossier ouvert, et la personne l’apprend ; ceux d’une réclamation, jamais', async () => {
    await open()
    const before = await acces()
    for (const { line: numero } of [ordinary, sensitive]) {
      const { line } = await fileOf('nadia', ofStructure(numero))
      expect(line.faits).toContain('Au sujet de')
      expect(verifyLine(line, tree.signer.vkey)).toMatchObject({ ok: true })
    }
    expect(await acces()).toBe(before + 2)
    expect((await fileOf('nadia', ofStructure(complaint.line))).line.faits).toBeUndefined()
    expect([(await rls(sensitive.line)).length, (await rls(complaint.line)).length]).toEqual([1, 0])
    expect(await acces()).toBe(before + 2)
    await world.database.travel({ ms: 16 * 60_000 })
    expect((await rls(sensitive.line)).length).toBe(0)
    expect((await fileOf('nadia', ofStructure(ordinary.line))).line.faits).toBeUndefined()
  })

  it('d’une autre structure, ou un aidant, ne sait pas que la ligne existe', async () => {
    for (const [who, address] of [
      ['jocelyne', ofStructure(ordinary.line)],
      ['thomas', ofStructure(ordinary.line)],
      ['nadia', ofStructure(9_999_999)],
      ['nadia', ofStructure('0')],
      ['nadia', ofStructure('1e3')],
      ['nadia', ofStructure('9'.repeat(30))],
    ] as const)
      expect([who, address, (await ask(who, address)).status]).toEqual([who, address, 404])
  })
})

describe('ce que dit un papier du journal', () => {
  const print = async (who: string, address: string, by = world.app) =>
    by.request(`${PUBLIC_URL}${address}`, {
      method: 'POST',
      body: '',
      headers: {
        cookie: await world.sessionOf(who),
        origin: PUBLIC_URL,
        'sec-fetch-site': 'same-origin',
        'content-type': 'application/x-www-form-urlencoded',
      },
    })
  const saidBy = async (answer: Response) => {
    const text = readPdf(new Uint8Array(await answer.arrayBuffer())).text
    const [, taille, empreinte] = /Journalduservice,le[^:]*:(\d+)lignes?,empreinte([0-9a-f]{32})\./.exec(text) ?? []
    return { text, taille, empreinte }
  }
  const compare = async (taille = '', empreinte = '') => {
    const answer = await app.request(`/journal?${new URLSearchParams({ taille, empreinte })}`)
    const html = await answer.text()
    await expectValidHtml(html)
    return { status: answer.status, html }
  }
  const SAME = 'C’est la même empreinte que sur le papier'

  it('est le dernier point de contrôle à l’impression, que /journal retrouve, même quand le journal a grandi', async () => {
    const first = await saidBy(await print('josiane', `/mon-espace/mandats/${told.id}/papiers/mandat`))
    const [point] = await world.sql<{ taille: string; racine: Buffer }[]>`
      select taille, racine from journal_point order by taille desc limit 1`
    expect([first.taille, first.empreinte]).toEqual([point!.taille, point!.racine.toString('hex').slice(0, 32)])
    expect(first.text).toContain('/journal,chacunpeutvoirquerien')
    await noted('Lettre suivante', {})
    await tree.settle()
    const again = await saidBy(await print('josiane', `/mon-espace/mandats/${told.id}/papiers/mandat`))
    expect(Number(again.taille)).toBeGreaterThan(Number(first.taille))
    // All else is what was agreed to.
    const rest = ({ text }: { text: string }) => text.replace(/Journalduservice,.*?empreinte[0-9a-f]{32}/, '')
    expect(rest(again)).toBe(rest(first))
    for (const { taille, empreinte } of [first, again]) {
      const { status, html } = await compare(taille, `${empreinte!.slice(0, 16)} ${empreinte!.slice(16).toUpperCase()}`)
      expect([status, html.includes(SAME)]).toEqual([200, true])
      expect(html).toContain('le journal n’a pas été modifié depuis le ')
      expect(html.toLowerCase()).not.toContain('vérifié depuis')
    }
  })

  it('est sur chaque papier qui dit un fait, et sur la page à imprimer ; pas sur la feuille du code privé', async () => {
    for (const papier of ['mandat', 'releve', 'arret']) {
      if (papier === 'arret')
        ok(await stopMandat(world.db, await world.asUsager('josiane'), { mandatId: told.id, thematique: 'social' }))
      expect((await saidBy(await print('thomas', `/mandats/${told.id}/papiers/${papier}`))).taille, papier).toMatch(/^\d+$/)
    }
    expect((await saidBy(await print('thomas', `/mandats/${told.id}/papiers/pour-vous`))).taille).toBeUndefined()
    const papers = openRenderer({ packages: [] })
    const page = createApp({ db: world.db, config: world.config, oidc: { franceconnect: world.provider }, log: () => {}, papers })
    const html = await (await print('josiane', `/mon-espace/mandats/${told.id}/papiers/mandat`, page)).text()
    expect(html).toMatch(/<small>Journal du service, le .*\slignes, empreinte [0-9a-f]{4}/)
    await expectValidHtml(html)
    await papers.close()
  })

  it('ne se retrouve pas quand il est faux, ou quand le journal a été récrit depuis', async () => {
    const { taille, empreinte } = await saidBy(await print('josiane', `/mon-espace/mandats/${told.id}/papiers/mandat`))
    const other = empreinte!.replace(/.$/, (last) => (last === '0' ? '1' : '0'))
    for (const [size, typed, status, said] of [
      [taille!, other, 200, 'Ce n’est pas la même empreinte'],
      ['999999', empreinte!, 200, 'n’a rien signé à ce nombre de lignes'],
      ['douze', empreinte!, 422, 'Écrivez ce nombre en chiffres'],
      [taille!, 'd8d8', 422, 'compte 32 signes'],
      ['', empreinte!, 422, 'Écrivez le nombre de lignes'],
    ] as const) {
      const { status: got, html } = await compare(size, typed)
      expect([typed, got, html.includes(said), html.includes(SAME)]).toEqual([typed, status, true, false])
    }
    await world.sql.unsafe(`
      alter table journal_feuille disable trigger user;
      update journal_feuille set hash = sha256('autre') where leaf_index = 2`)
    expect((await compare(taille, empreinte)).html).toContain('Ce n’est pas la même empreinte')
    await world.sql.unsafe(`
      update journal_feuille f set hash = sha256('\\x00'::bytea || j.entry) from journal j where j.id = f.journal_id and f.leaf_index = 2;
      alter table journal_feuille enable always trigger insertion_seule;
      alter table journal_feuille enable always trigger insertion_seule_table;
      alter table journal_feuille enable always trigger journal_feuille_suit`)
    expect((await compare(taille, empreinte)).html).toContain(SAME)
  })
})

describe('la commande', () => {
  const run = async (...args: string[]) => {
    const { PATH, HOME } = process.env
    const { code, output } = await start(process.execPath, ['src/install.mjs', 'src/journal-command.ts', ...args], {
      cwd: ROOT,
      env: { PATH, HOME } as NodeJS.ProcessEnv,
    }).ended
    return { code, output }
  }

  it('vérifie un .tlog-proof sans base ; changé, d’une autre clé ou sans sa ligne, il est refusé', async () => {
    const directory = scratch('preuves')
    const save = (name: string, text: string) => {
      writeFileSync(path.join(directory, name), text)
      return path.join(directory, name)
    }
    const { text, line } = await fileOf('thomas', mine(ordinary.id))
    const withExtra = (extra: (was: string) => string) =>
      text.replace(/^extra (.*)$/m, (_, was: string) => {
        return `extra ${Buffer.from(extra(Buffer.from(was, 'base64').toString())).toString('base64')}`
      })
    const cle = ['--cle', tree.signer.vkey.text]
    const good = await run('verify', '--preuves', save('bonne.tlog-proof', text), ...cle)
    expect([good.code, good.output]).toEqual([0, expect.stringMatching(/1\sligne non modifiée depuis le point de contrôle/)])
    expect(good.output).toContain(line.octets)
    expect(good.output).toContain('Lettre zinzolin')
    expect(good.output.toLowerCase()).not.toContain('vérifi')
    // Its own word for the key that signed: nothing is wrong, and nothing is proven.
    expect((await run('verify', '--preuves', path.join(directory, 'bonne.tlog-proof'))).code).toBe(3)
    const temoin = ['--temoin', path.join(directory, 'bonne.tlog-proof')]
    expect((await run('verify', '--preuves', path.join(directory, 'bonne.tlog-proof'), ...cle, ...temoin)).code).toBe(2)
    const empty = save('vide.json', JSON.stringify({ v: 1, cle: tree.signer.vkey.text, lignes: [] }))
    expect((await run('verify', '--preuves', empty, ...cle)).code).toBe(2)
    const bare = await run(
      'verify',
      '--preuves',
      save('nue.tlog-proof', (await fileOf('nadia', ofStructure(complaint.line))).text),
      ...cle,
    )
    expect([bare.code, bare.output]).toEqual([0, expect.stringContaining('ne sont pas joints')])
    const wrong = await run(
      'verify',
      '--preuves',
      save(
        'fausse.tlog-proof',
        withExtra((was) => was.replace('zinzolin', 'zinzolim')),
      ),
      ...cle,
    )
    expect([wrong.code, wrong.output]).toEqual([1, expect.stringContaining('Les faits ne sont plus ceux de cette ligne')])
    const [rewritten] = parseProvenLines(withExtra((was) => was.replace('"v":1', '"v":2')))!.lignes
    expect(verifyLine({ numero: 0, octets: rewritten!.octets, preuve: rewritten!.preuve }, tree.signer.vkey)).toEqual({
      ok: false,
      refusal: 'pas_dans_l_arbre',
    })
    expect(parseProvenLines(withExtra((was) => was.replace(/^ligne \d+/m, 'ligne 0')))).toBeUndefined()
    expect(parseProvenLines(text.replace(/^extra .*\n/m, ''))).toBeUndefined()
    const other = await run(
      'verify',
      '--preuves',
      path.join(directory, 'bonne.tlog-proof'),
      '--cle',
      openSigner(pemKey(), ORIGIN).vkey.text,
    )
    expect([other.code, other.output]).toEqual([1, expect.stringContaining('n’est pas signé par la clé de ce journal')])
  })
})

describe('docs/audit.md, joué tel quel', () => {
  const manual = readFileSync(path.join(ROOT, 'docs/audit.md'), 'utf8')
  /** The blocks of shell under this heading. */
  const under = (heading: string) => {
    const [section] = manual.slice(manual.indexOf(`\n${heading}`) + 1).split(/\n(?=##)/)
    return [...section!.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, block]) => block!)
  }
  const [tools, withNode] = under('## Sans notre programme')
  const GOOD = 'Signature Verified Successfully'
  /** What these blocks print, one after the other in one terminal. */
  const play = async (cwd: string, ...blocks: (string | undefined)[]) => {
    const PATH = `${path.dirname(process.execPath)}:${process.env.PATH}`
    const { output } = await start('bash', ['-c', [tools, ...blocks].join('\n')], { cwd, env: { PATH } }).ended
    return output.trimEnd().split('\n')
  }

  let directory: string
  let bundle: string
  let rang: string
  let point: { taille: string; racine: Buffer }
  let temoin: string
  beforeAll(async () => {
    await tree.settle()
    const witness = newWitness(tree.signer)
    expect(await tree.cosign(witness)).toBe('temoigne')
    temoin = witness.signer.vkey.text
    const admin = openDb({ url: world.database.adminUrl, connections: 1 })
    bundle = ''
    for await (const piece of exportJournal(admin, { log: tree.signer.vkey, contenus: true })) bundle += piece
    await admin.close()
    directory = scratch('audit')
    writeFileSync(path.join(directory, 'paquet'), bundle)
    const [leaf] = await world.sql<
      { rang: string }[]
    >`select leaf_index as rang from journal_feuille where journal_id = ${ordinary.line}`
    rang = leaf!.rang
    ;[point] = (await world.sql`select taille, racine from journal_point order by taille desc limit 1`) as unknown as [
      typeof point,
    ]
  })
  const [one, whole, signed, cosigned, alone, paper, numbers] = [
    '### 1. Une ligne et ses faits',
    "### 2. L'arbre entier",
    '### 3. Le point de contrôle',
    "### 4. La signature d'un témoin",
    "### 5. La preuve d'une seule ligne",
    '### 6. Ce que dit un papier',
    "### 7. Les numéros d'un mandat",
  ].map(under) as [string[], string[], string[], string[], string[], string[], string[]]
  const ofLine = () => one[0]!.replaceAll('ligne 19 ', `ligne ${rang} `)
  const ofWitness = () => [cosigned[1], cosigned[0]!.replace(/^TEMOIN='[^']*'/m, `TEMOIN='${temoin}'`)]

  it('une ligne et ses faits ; un mot changé se voit', async () => {
    const [line] = await world.sql<{ commitment: Buffer }[]>`select commitment from journal where id = ${ordinary.line}`
    const commitment = line!.commitment.toString('base64url')
    expect(await play(directory, ofLine())).toEqual([commitment, `"commitment":"${commitment}"`])
    const altered = scratch('audit')
    writeFileSync(path.join(altered, 'paquet'), bundle.replace('Lettre zinzolin', 'Lettre zinzolim'))
    const [digest, written] = await play(altered, ofLine())
    expect(digest).toMatch(/^[\w-]{43}$/)
    expect([digest === commitment, written]).toEqual([false, `"commitment":"${commitment}"`])
  })

  const openssl = /^OpenSSL ([3-9]|\d\d)/.test(spawnSync('openssl', ['version'], { encoding: 'utf8' }).stdout ?? '')
  it.runIf(openssl)('l’arbre, le point et le témoin, signatures vérifiées par openssl', () => signatures(undefined))
  it('l’arbre, le point et le témoin, signatures vérifiées par Node', () => signatures(withNode))
  async function signatures(verifier: string | undefined) {
    const racine = point.racine.toString('base64')
    const said = await play(directory, verifier, whole[0], signed[0], ...ofWitness())
    expect(said).toEqual([
      racine,
      racine,
      GOOD,
      tree.signer.vkey.id.toString('hex'),
      GOOD,
      expect.stringMatching(/\d\d:\d\d:\d\d/),
    ])
    // A line rewritten gives another root; a root rewritten is signed by nobody.
    const altered = scratch('audit')
    writeFileSync(path.join(altered, 'paquet'), bundle.replace('"action":"demarche_realisee"', '"action":"demarche_corrigee"'))
    const [other, ...same] = await play(altered, verifier, whole[0], signed[0])
    expect([other === racine, same]).toEqual([false, said.slice(1, 4)])
    const changed = signed[0]!.replace('sed -n 3p texte', `head -2 texte > autre; echo ${other} >> autre; mv autre texte\n$&`)
    const refused = await play(altered, verifier, whole[0], changed)
    expect(refused.slice(0, 2)).toEqual([other, other])
    expect(refused.join()).toContain('Signature Verification Failure')
    expect(refused).not.toContain(GOOD)
  }

  it('la preuve d’une seule ligne', async () => {
    const proof = scratch('audit')
    const { text } = await fileOf('thomas', mine(ordinary.id))
    const save = (said: string) => writeFileSync(path.join(proof, 'preuve.tlog-proof'), said)
    const racine = point.racine.toString('base64')
    save(text)
    expect(await play(proof, alone[0])).toEqual([racine, racine])
    save(
      text.replace(/^extra (.*)$/m, (_, extra: string) => {
        const rewritten = Buffer.from(extra, 'base64').toString().replace('"v":1', '"v":2')
        return `extra ${Buffer.from(rewritten).toString('base64')}`
      }),
    )
    const [other, same] = await play(proof, alone[0])
    expect([other === racine, same]).toEqual([false, racine])
  })

  it('ce que dit un papier, et les numéros d’un mandat', async () => {
    expect(await play(directory, paper[0]!.replace(/^TAILLE=\d+$/m, `TAILLE=${point.taille}`))).toEqual([
      point.racine.toString('hex').slice(0, 32),
    ])
    const lines = await play(directory, numbers[0]!.replace(/"mandat_id":"[^"]*"/, `"mandat_id":"${told.id}"`))
    const [counted] = await world.sql<{ n: number }[]>`select count(*)::int as n from journal where mandat_id = ${told.id}`
    expect(lines.map((line) => line.trim())).toEqual(Array.from({ length: counted!.n }, (_, n) => `1 ${n + 1}`))
  })
})
