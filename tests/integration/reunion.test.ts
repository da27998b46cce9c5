import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { openDossier } from '../../src/audit/open.ts'
import { type Db, isBusy, openDb, type Who } from '../../src/db.ts'
import { answerContestation } from '../../src/demarche/answer.ts'
import { listContestations } from '../../src/demarche/contestation-queries.ts'
import { recordDemarche } from '../../src/demarche/record.ts'
import { openSession } from '../../src/http/session.ts'
import { announceBlockedCodes } from '../../src/mandat/announce-blocked.ts'
import { findConnue } from '../../src/mandat/brouillon-queries.ts'
import { keepIdentity, openIdentification } from '../../src/mandat/identify.ts'
import { listPapiersDus } from '../../src/mandat/papier-du-queries.ts'
import { findMandat } from '../../src/mandat/queries.ts'
import { renewMandat } from '../../src/mandat/renew.ts'
import { separateIdentite } from '../../src/mandat/separate.ts'
import { signMandat } from '../../src/mandat/sign.ts'
import { stopMandat } from '../../src/mandat/stop.ts'
import { terminateMandat } from '../../src/mandat/terminate.ts'
import { uniteIdentites } from '../../src/mandat/unite.ts'
import { printPapier } from '../../src/papier/print.ts'
import { changeCode } from '../../src/usager/change-code.ts'
import { eraseUsager } from '../../src/usager/erase.ts'
import { sendProof } from '../../src/usager/send-proof.ts'
import { type OpenTree, openTree } from '../support/arbre.ts'
import { expectValidHtml } from '../support/html.ts'
import { type Browser, newWorld, ok, PUBLIC_URL, type Telling, type Told, uneDemarche, type World } from '../support/world.ts'

/* Fatma, and Fatma Zohra: the same person before and after a correction of her civil status, whom FranceConnect knows under two subs. */
const AVANT = 'fatma'
const APRES = 'fatma-rectifiee'
const ANNEE = '1957'

let world: World
let tree: OpenTree
beforeAll(async () => {
  world = await newWorld({ simulator: true })
  tree = openTree(world.database)
})
afterAll(() => Promise.all([world.close(), tree.close()]))
beforeEach(async () => {
  await world.sql`delete from limite`
  // Each test begins with both apart, never asked, and nothing in force.
  for (const persona of [AVANT, APRES]) {
    const usagerId = await world.usagerIdOf(persona)
    if (!usagerId) continue
    const { ids } = await linked(usagerId)
    for (const id of ids) {
      const by = { kind: 'usager', usagerIds: [id], niveau: 'identite' } as const
      for (const { mandatId } of await enVigueur([id])) await stopMandat(world.db, by, { mandatId })
    }
    await separateIdentite(world.db, {
      kind: 'usager',
      usagerIds: [usagerId, ...ids.filter((id) => id !== usagerId)],
      niveau: 'identite',
    })
  }
  await world.sql`update usager set reunion_refusee_at = null`
  await world.sql`delete from message`
})

const linked = async (usagerId: string) => {
  const rows = await world.sql<{ id: string }[]>`
    select o.id from usager u join usager o on o.personne_id = u.personne_id where u.id = ${usagerId} order by o.id`
  return { ids: rows.map(({ id }) => id) }
}
const enVigueur = (ids: readonly string[]) => world.sql<{ mandatId: string; thematique: string; usagerId: string }[]>`
  select mandat_id as "mandatId", thematique, usager_id as "usagerId" from autorisation
  where usager_id = any (${[...ids]}) and revoked_at is null and expires_at > horloge()
  order by thematique, signed_at`
const sign = (persona: string, more: Telling = {}) =>
  world.signMandat({ persona, suivi: 'sms', contact: persona === AVANT ? '+33611111111' : '+33622222222', ...more })
/** Her sheet « Pour vous seulement », as an aidant prints it. */
const print = async ({ id }: Told): Promise<string> => {
  const printed = ok(await printPapier(world.db, world.as('thomas'), { mandatId: id, papier: 'pour-vous' }, world.signer))
  if (printed.imprime.papier !== 'pour-vous') throw new Error('another paper')
  return printed.imprime.codePrive
}
/** The journey, in a browser: the code of the sheet, then FranceConnect. Stops at the last page. */
const unite = async (code: string, persona: string, browser: Browser = world.browser()) => {
  const gone = await browser.post('/mon-espace/reunir', { code, annee: ANNEE })
  expect(gone.status).toBe(303)
  return { browser, page: await browser.follow(await browser.atFranceConnect(gone, persona)) }
}
const enter = async (persona: string, browser: Browser = world.browser()) => {
  const gone = await browser.post('/connexion/franceconnect', {})
  return { browser, page: await browser.follow(await browser.atFranceConnect(gone, persona)) }
}
/** A space opened with the code of her paper, as the use case knows it: the id of its session. */
const paperSession = async (usagerId: string): Promise<string> => {
  const [code] = await world.sql<{ id: string }[]>`
    select id from code_prive where usager_id = ${usagerId} and replaced_at is null order by created_at desc limit 1`
  await world.db.tx({ kind: 'portier' }, (tx) => openSession(tx, { usagerId, niveau: 'code_prive', codeId: code!.id }))
  const [session] = await world.sql<{ id: string }[]>`
    select id from session where usager_id = ${usagerId} and ended_at is null order by created_at desc, id limit 1`
  return session!.id
}
const identiteOf = async (persona: string) => (await world.identified(persona, 'a'.repeat(64))).identite
const plain = (html: string) =>
  html
    .slice(html.indexOf('<main'), html.indexOf('</main>'))
    .replace(/<[^>]*>/g, ' ')
    .replace(/[\s\u00a0\u202f]+/g, ' ')
const read = async (browser: Browser, path: string): Promise<string> => {
  const page = await browser.get(path)
  expect([path, page.status]).toEqual([path, 200])
  await expectValidHtml(page.html)
  return plain(page.html)
}
const noAlarm = async () => {
  await tree.settle()
  for (const as of ['admin', 'auditor'] as const) expect((await tree.verify([], as)).fault).toBeUndefined()
}
const QUESTION = 'Votre état civil a-t-il été corrigé ?'
const SELF = (ids: readonly string[]): Who & { kind: 'usager' } => ({ kind: 'usager', usagerIds: ids, niveau: 'identite' })

describe('avec sa feuille d’avant et FranceConnect d’aujourd’hui', () => {
  it('change de contact une fois pour toutes ses identités, et chaque ancien numéro l’apprend', async () => {
    const { usagerId: avant } = await sign(AVANT)
    const { usagerId: apres } = await sign(APRES)
    const { browser } = await unite(await print(await sign(AVANT)), APRES)
    expect(await read(browser, '/mon-espace/contacts')).toMatch(/Par SMS, au 06 (11 11 11 11|22 22 22 22) ; Par SMS, au 06/)
    await world.sql`delete from message`
    // The number of the one is no stranger's to the other.
    await browser.post('/mon-espace/contacts', { suivi: 'sms', mobile: '06 11 11 11 11' })
    const [message] = await world.messages()
    const [, first, second] = /(\d{3}) (\d{3})/.exec(message!.corps)!
    expect(await read(browser, '/mon-espace/contacts/code')).not.toContain('lit ce téléphone')
    const changed = await browser.post('/mon-espace/contacts/code', { geste: 'prouver', recu: `${first}${second}` })
    expect(changed.location).toBe(`${PUBLIC_URL}/mon-espace/contacts?fait=1`)
    expect(await world.sql`select telephone, suivi from usager where id in (${avant}, ${apres})`).toEqual(
      Array(2).fill({ telephone: '+33611111111', suivi: 'sms' }),
    )
    expect((await world.messages()).map(({ destinataire }) => destinataire)).toEqual(['+33622222222'])
    expect((await read(browser, '/mon-espace/contacts')).match(/Par vous, dans cet espace/g)).toHaveLength(1)
    await noAlarm()
  })

  it('qu’aucune structure ne connaît encore sous le nouvel identifiant, elle change aussi de contact', async () => {
    const before = await sign(AVANT)
    const { browser } = await unite(await print(before), APRES)
    expect(await read(browser, '/mon-espace/contacts')).toContain('Aujourd’hui Par SMS, au 06 11 11 11 11 ')
    expect((await browser.post('/mon-espace/contacts', { suivi: 'papier' })).location).toContain('fait=1')
    expect(await read(browser, '/mon-espace/contacts')).toContain('Aujourd’hui Sur papier')
    expect(await world.sql`select telephone from usager where id = ${before.usagerId}`).toEqual([{ telephone: null }])
  })

  it('qui n’a encore rien signé sous le nouvel identifiant retrouve tout, et les deux lignes restent', async () => {
    const before = await sign(AVANT, { perimetre: ['logement', 'argent'] })
    const code = await print(before)
    // The first time, nobody is known under the new sub: the door says whom to see, to anyone, and where to look.
    if (!(await world.usagerIdOf(APRES))) {
      const { page } = await enter(APRES)
      expect([page.status, plain(page.html)]).toEqual([409, expect.stringContaining('Retrouver ce qui a été fait avant')])
      expect(await world.usagerIdOf(APRES)).toBeUndefined()
    }
    const from = (await world.lines()).length
    const { browser, page } = await unite(code, APRES)
    expect([page.status, page.url]).toEqual([200, `${PUBLIC_URL}/mon-espace/donnees?fait=reunies`])
    expect(plain(page.html)).toMatch(/C’est réuni .*Vos identités sont réunies/)
    // Taking it back is not in her way, and says first what it costs.
    const folded = /<details class="more"><summary>Séparer.*?<\/details>/s.exec(page.html)![0]
    expect(plain(`<main${folded}</main>`)).toMatch(/feuilles « Pour vous seulement » ne serviront plus.*Séparer/)
    expect(page.html.replace(folded, '')).not.toContain('/mon-espace/separer')
    expect(await read(browser, '/mon-espace')).toContain('Le CCAS de Figeac peut faire vos démarches')
    const after = (await world.usagerIdOf(APRES))!
    expect(after).not.toBe(before.usagerId)
    expect((await linked(after)).ids).toEqual([before.usagerId, after].sort())
    const said = (await world.lines()).slice(from).filter(({ action }) => action === 'identite_modifiee')
    expect(said.map(({ acteur, acteurId, usagerId }) => [acteur, acteurId === usagerId, usagerId]).sort()).toEqual(
      [before.usagerId, after].map((id) => ['usager', true, id]).sort(),
    )
    expect(JSON.parse(said[0]!.payload!)).toEqual({ champs: ['personne'], reunies: [before.usagerId, after].sort() })
    expect((await world.messages()).filter(({ cle }) => cle.startsWith('reunion:')).map((one) => one.destinataire)).toEqual([
      '+33611111111',
    ])
    await noAlarm()
  })

  it('elle lit, met en pause, arrête, imprime des deux côtés, et un code papier montre les deux', async () => {
    const before = await sign(AVANT, { perimetre: ['logement'] })
    const after = await sign(APRES, { perimetre: ['argent'] })
    const code = await print(before)
    const { browser } = await unite(code, APRES)
    const space = await read(browser, '/mon-espace')
    expect(space).toContain('démarches de logement')
    expect(space).toContain('d’impôts')
    for (const { id } of [before, after]) expect(await read(browser, `/mon-espace/mandats/${id}`)).toContain('Figeac')
    expect((await browser.post(`/mon-espace/mandats/${before.id}/pause`, { quoi: 'tout' })).status).toBe(303)
    expect((await browser.post(`/mon-espace/mandats/${before.id}/arreter`, { quoi: 'tout' })).status).toBe(303)
    expect((await browser.post(`/mon-espace/mandats/${after.id}/papiers/mandat`, {})).status).toBe(200)
    const ended = (await world.lines(before.id)).at(-1)!
    expect([ended.action, ended.acteur, ended.acteurId]).toEqual(['mandat_termine', 'usager', before.usagerId])
    // Her sheet: both, of the structure that printed it, and no more than it shows.
    const paper = world.browser()
    await paper.post('/mon-espace/code', { code, annee: ANNEE })
    expect(await read(paper, '/mon-espace')).toContain('d’impôts')
    expect((await paper.get('/mon-espace/donnees')).status).toBe(303)
    // Her codes go together: cancelled in one space, the sheet of before serves no more.
    expect((await browser.post('/mon-espace/code-papier', { geste: 'annuler' })).status).toBe(303)
    expect((await world.browser().post('/mon-espace/code', { code, annee: ANNEE })).status).toBe(409)
    await noAlarm()
  })

  it('les deux contacts prouvés sont prévenus, une fois chacun, par des messages effacés avec elle', async () => {
    const before = await sign(AVANT)
    const after = await sign(APRES, { perimetre: ['argent'] })
    await world.sql`delete from message`
    await unite(await print(before), APRES)
    const told = (await world.messages()).filter(({ cle }) => cle.startsWith('reunion:'))
    expect(told.map(({ destinataire }) => destinataire).sort()).toEqual(['+33611111111', '+33622222222'])
    expect(told.map(({ cle }) => cle.split(':')[1]).sort()).toEqual([before.id, after.id].sort())
  })
})

describe('une question, jamais une réunion muette', () => {
  it('qui a signé sous le nouvel identifiant est interrogée, sans rien lire de l’autre ; son « non » est gardé', async () => {
    const before = await sign(AVANT, { structure: 'saintDenis', aidant: 'fabrice', perimetre: ['famille'] })
    await sign(APRES, { perimetre: ['argent'] })
    const { browser } = await enter(APRES)
    const asked = await read(browser, '/mon-espace')
    expect(asked).toContain(QUESTION)
    const seen = JSON.stringify(
      await Promise.all(
        ['/mon-espace', '/mon-espace/reunir', '/mon-espace/donnees', '/mon-espace/acces'].map(
          async (path) => (await browser.get(path)).html,
        ),
      ),
    )
    for (const secret of [before.id, before.usagerId, 'Saint-Denis', '1111111', 'famille et scol'])
      expect(seen).not.toContain(secret)
    expect((await browser.get(`/mon-espace/mandats/${before.id}`)).status).toBe(404)
    expect((await browser.post('/mon-espace/separer', {})).status).toBe(303)
    expect(await read(browser, '/mon-espace')).not.toContain(QUESTION)
    expect(await read((await enter(APRES)).browser, '/mon-espace')).not.toContain(QUESTION)
    // The other one is still asked: the no is of who said it. Nothing was written of anyone.
    expect(await read((await enter(AVANT)).browser, '/mon-espace')).toContain(QUESTION)
    expect((await world.lines()).at(-1)!.action).not.toBe('identite_modifiee')
  })

  it('qui n’a personne de son état civil n’est pas interrogée, et le code de son papier ne suffit pas pour l’être', async () => {
    await world.signMandat({ persona: 'odette' })
    expect(await read((await enter('odette')).browser, '/mon-espace')).not.toContain(QUESTION)
    const before = await sign(AVANT)
    await sign(APRES)
    const paper = world.browser()
    await paper.post('/mon-espace/code', { code: await print(before), annee: ANNEE })
    expect(await read(paper, '/mon-espace')).not.toContain(QUESTION)
  })

  const UNE = { prenoms: ['Fatma'], nom: 'BENHADDOU', naissance: '1957-04-17', lieu: null as string | null, pays: '99352' }
  it.each([
    ['un second prénom ajouté', { prenoms: ['Fatma', 'Zohra'] }, true],
    ['un accent, une casse, un trait d’union', { prenoms: ['fatma'], nom: 'Ben-Haddou' }, true],
    ['un jour alors inconnu', { naissance: '1957-04' }, true],
    ['un mois alors inconnu', { naissance: '1957' }, true],
    ['une jumelle : un autre premier prénom', { prenoms: ['Zohra'] }, false],
    ['un prénom composé écrit sans trait', { prenoms: ['Fatma Zohra'] }, true],
    ['un autre nom', { nom: 'BENHADDAD' }, false],
    ['un autre jour', { naissance: '1957-04-18' }, false],
    ['une autre année', { naissance: '1958' }, false],
    ['un autre pays', { pays: '99350' }, false],
    ['un autre lieu', { lieu: '46102' }, false],
    ['aucun prénom lisible', { prenoms: ['—'] }, false],
  ])('le même état civil : %s', async (_, other, same) => {
    const row = ({ prenoms, nom, naissance, lieu, pays }: typeof UNE) =>
      world.sql`jsonb_populate_record(null::usager, ${world.sql.json({ prenoms, nom_naissance: nom, birthdate: naissance, birthplace: lieu, birthcountry: pays })})`
    const [answer] = await world.sql<{ one: boolean; other: boolean }[]>`
      select meme_etat_civil(${row(UNE)}, ${row({ ...UNE, ...other })}) as one, meme_etat_civil(${row({ ...UNE, ...other })}, ${row(UNE)}) as other`
    expect(answer).toEqual({ one: same, other: same })
  })

  it('deux seconds prénoms différents ne sont pas le même état civil', async () => {
    const [answer] = await world.sql<{ same: boolean }[]>`
      select meme_etat_civil(
        jsonb_populate_record(null::usager, '{"prenoms":["Mohamed","Amine"],"nom_naissance":"X","birthdate":"1990-05-02","birthcountry":"99100"}'),
        jsonb_populate_record(null::usager, '{"prenoms":["Mohamed","Reda"],"nom_naissance":"X","birthdate":"1990-05-02","birthcountry":"99100"}')) as same`
    expect(answer).toEqual({ same: false })
  })
})

describe('ne réunit rien', () => {
  const digestOf = async () => {
    const { usager, journal, autorisation } = await world.digest()
    return { usager, journal, autorisation }
  }

  it('un code faux, une autre année : une seule réponse, celle de l’espace', async () => {
    const code = await print(await sign(AVANT))
    const answers = await Promise.all(
      [
        { code: '3333-3333-3333', annee: ANNEE },
        { code, annee: '1958' },
      ].map(async (typed) => {
        const page = await world.browser().post('/mon-espace/reunir', typed)
        return [page.status, plain(page.html)]
      }),
    )
    expect(answers[0]).toEqual(answers[1])
    expect(answers[0]).toEqual([409, expect.stringContaining('Rien n’est réuni')])
    for (let n = 0; n < 5; n++) await world.browser().post('/mon-espace/reunir', { code, annee: '1958' })
    const right = await world.browser().post('/mon-espace/reunir', { code, annee: ANNEE })
    expect([right.status, plain(right.html)]).toEqual(answers[0])
  })

  it('la feuille d’une autre, avec son propre FranceConnect : refusé, rien d’écrit, et l’ouverture se voit', async () => {
    const before = await sign(AVANT)
    await world.signMandat({ persona: 'odette' })
    const code = await print(before)
    const unchanged = await digestOf()
    const { page } = await unite(code, 'odette')
    expect([page.status, plain(page.html)]).toEqual([409, expect.stringContaining('Vos historiques ne sont pas réunis')])
    await expectValidHtml(page.html)
    expect(await digestOf()).toEqual(unchanged)
    const [seen] = await world.sql`
      select count(*)::int as n from acces where usager_id = ${before.usagerId} and genre = 'espace_ouvert_par_code'`
    expect(seen!.n).toBeGreaterThan(0)
  })

  it('une feuille remplacée entre-temps, une session fermée, aucune feuille', async () => {
    const before = await sign(AVANT)
    const first = await print(before)
    const browser = world.browser()
    const gone = await browser.post('/mon-espace/reunir', { code: first, annee: ANNEE })
    await print(before)
    const back = await browser.follow(await browser.atFranceConnect(gone, APRES))
    expect([back.status, plain(back.html)]).toEqual([409, expect.stringContaining('Rien n’est réuni')])
    expect(await uniteIdentites(world.db, await identiteOf(APRES), undefined)).toEqual({ ok: false, refusal: 'reunion_refusee' })
    // Its code replaced once FranceConnect has answered: the database closed it.
    const closed = await paperSession(before.usagerId)
    await print(before)
    expect((await uniteIdentites(world.db, await identiteOf(APRES), closed)).ok).toBe(false)
    const odette = await world.signMandat({ persona: 'odette' })
    await world.db.tx({ kind: 'portier' }, (tx) => openSession(tx, { usagerId: odette.usagerId }))
    const [identified] = await world.sql<
      { id: string }[]
    >`select id from session where usager_id = ${odette.usagerId} and ended_at is null`
    expect((await uniteIdentites(world.db, await identiteOf(APRES), identified!.id)).ok).toBe(false)
  })

  it('FranceConnect annulé : elle reste dans ce que sa feuille ouvre', async () => {
    const browser = world.browser()
    const gone = await browser.post('/mon-espace/reunir', { code: await print(await sign(AVANT)), annee: ANNEE })
    const page = await browser.follow(await browser.atFranceConnect(gone, { geste: 'revenir' }))
    expect(plain(page.html)).toContain('n’est pas terminée')
    expect((await browser.get('/mon-espace/donnees')).status).toBe(303)
  })

  it('le même identifiant : elle entre, et rien n’est écrit', async () => {
    const code = await print(await sign(AVANT))
    const unchanged = await digestOf()
    const { page } = await unite(code, AVANT)
    expect([page.status, page.url]).toEqual([200, `${PUBLIC_URL}/mon-espace/donnees?fait=reunies`])
    expect(page.html).not.toContain('C’est réuni')
    expect(await digestOf()).toEqual(unchanged)
  })

  it('la base non plus : par nul autre que la personne, avec toutes ses identités', async () => {
    const before = await sign(AVANT)
    const after = await sign(APRES, { perimetre: ['argent'] })
    await print(before)
    const session = await paperSession(before.usagerId)
    const { sub } = await identiteOf(APRES)
    const ask = (who: Who) =>
      world.db.tx(
        who,
        (tx) => tx.sql`
        select reunir_identites(${session}, ${after.usagerId}, ${sub}, '{Fatma}', 'BENHADDOU', null, '1957-04-17', null, '99352')`,
      )
    for (const who of [
      world.as('thomas'),
      { kind: 'portier' },
      { kind: 'usager', usagerIds: [before.usagerId, after.usagerId], niveau: 'code_prive', imprimePar: null },
    ] as Who[])
      await expect(ask(who)).rejects.toThrow('only the person')
    // Not all of them named: others would be read by a space that was never asked.
    await expect(ask(SELF([before.usagerId]))).rejects.toThrow('united meanwhile')
  })

  it('la base non plus : l’application ne dit pas à qui est une ligne', async () => {
    const before = await sign(AVANT)
    for (const kind of ['portier', 'usager'] as const)
      await expect(
        world.db.tx(
          kind === 'portier' ? { kind } : SELF([before.usagerId]),
          (tx) => tx.sql`update usager set personne_id = gen_random_uuid()`,
        ),
      ).rejects.toThrow('permission denied')
  })

  it('la base non plus : sans sa ligne au journal, même un superutilisateur', async () => {
    const before = await sign(AVANT)
    await expect(world.sql`update usager set personne_id = gen_random_uuid() where id = ${before.usagerId}`).rejects.toThrow(
      'its line',
    )
  })

  it('la base non plus : nul ne sépare l’identité d’une autre', async () => {
    const [before, after] = [await sign(AVANT), await sign(APRES, { perimetre: ['argent'] })]
    await expect(
      world.db.tx(SELF([before.usagerId]), (tx) => tx.sql`select separer_identite(${after.usagerId})`),
    ).rejects.toThrow('only the person')
    await unite(await print(before), APRES)
    // Nor does who was not told that there are more of her now.
    await expect(
      world.db.tx(SELF([before.usagerId]), (tx) => tx.sql`select separer_identite(${before.usagerId})`),
    ).rejects.toThrow('united meanwhile')
  })

  it('les règles de la base suffisent : avant, aucune ligne de l’autre', async () => {
    const before = await sign(AVANT)
    const after = await sign(APRES, { perimetre: ['argent'] })
    const rls = openDb({ url: world.database.url, connections: 1, rlsOnly: true })
    const seen = await rls.tx(SELF([after.usagerId]), async (tx) => [
      ...(await tx.sql`select id from usager where id = ${before.usagerId}`),
      ...(await tx.sql`select id from mandat where usager_id = ${before.usagerId}`),
      ...(await tx.sql`select 1 from dossier where usager_id = ${before.usagerId}`),
      ...(await tx.sql`select id from journal where usager_id = ${before.usagerId}`),
    ])
    await rls.close()
    expect(seen).toEqual([])
  })
})

describe('au plus une autorisation en vigueur par structure, personne et thématique', () => {
  it('accordée deux fois, la plus ancienne s’arrête à la réunion ; le reste continue', async () => {
    const before = await sign(AVANT, { perimetre: ['logement', 'argent'] })
    const after = await sign(APRES, { perimetre: ['logement'] })
    await unite(await print(before), APRES)
    expect(await enVigueur([before.usagerId, after.usagerId])).toEqual([
      { mandatId: before.id, thematique: 'argent', usagerId: before.usagerId },
      { mandatId: after.id, thematique: 'logement', usagerId: after.usagerId },
    ])
    const replaced = (await world.lines(before.id)).at(-1)!
    expect([replaced.action, replaced.acteur]).toEqual(['autorisation_remplacee', 'usager'])
    await noAlarm()
  })

  it('sans cette fin, la base refuse la réunion', async () => {
    const before = await sign(AVANT)
    const after = await sign(APRES)
    await print(before)
    const session = await paperSession(before.usagerId)
    const { sub } = await identiteOf(APRES)
    await expect(
      world.db.tx(SELF([before.usagerId, after.usagerId]), async (tx) => {
        await tx.sql`select reunir_identites(${session}, ${after.usagerId}, ${sub}, '{Fatma,Zohra}', 'BENHADDOU', null, '1957-04-17', null, '99352')`
        await tx.sql`set constraints reunion_sans_double immediate`
      }),
    ).rejects.toThrow('one autorisation in force')
  })

  it('réunies, un accord sous l’une remplace celui de l’autre, et la base refuse le double', async () => {
    const before = await sign(AVANT)
    await unite(await print(before), APRES)
    const after = await sign(APRES)
    expect(await enVigueur([before.usagerId, after.usagerId])).toEqual([
      { mandatId: after.id, thematique: 'logement', usagerId: after.usagerId },
    ])
    expect((await world.lines(before.id)).at(-1)!.acteur).toBe('aidant')
    await expect(
      world.sql.begin(async (tx) => {
        await tx`
          insert into autorisation (mandat_id, structure_id, usager_id, thematique, signed_at, expires_at, journal_id)
          select id, structure_id, usager_id, 'logement', signed_at, expires_at, journal_id
          from mandat where id = ${before.id}`
      }),
    ).rejects.toThrow('one autorisation in force')
    await noAlarm()
  })

  it('ce que le nouvel accord remplace se lit avant son oui, même sous l’identifiant que la structure ne connaissait pas', async () => {
    const before = await sign(AVANT, { structure: 'saintDenis', aidant: 'fabrice', perimetre: ['famille'] })
    await unite(await print(await sign(AVANT, { perimetre: ['argent'] })), APRES)
    const sub = (await identiteOf(APRES)).sub
    const known = (aidant: 'thomas' | 'fabrice') => world.db.tx(world.as(aidant), (tx) => findConnue(tx, sub))
    expect((await known('fabrice'))!.enVigueur.map(({ thematique }) => thematique)).toEqual(['famille'])
    expect((await known('thomas'))!.enVigueur.map(({ thematique }) => thematique)).toEqual(['argent'])
    const again = await sign(APRES, { structure: 'saintDenis', aidant: 'fabrice', perimetre: ['famille'] })
    expect(await enVigueur([before.usagerId, again.usagerId])).toContainEqual({
      mandatId: again.id,
      thematique: 'famille',
      usagerId: again.usagerId,
    })
    expect((await world.lines(before.id)).map(({ action }) => action)).toEqual([
      'mandat_signe',
      'autorisation_remplacee',
      'mandat_termine',
    ])
  })

  it('deux signatures à la fois, sous l’une et sous l’autre : une seule reste', async () => {
    await unite(await print(await sign(AVANT, { perimetre: ['argent'] })), APRES)
    const [one, other] = [
      await world.draft({ persona: AVANT, aidant: 'thomas' }),
      await world.draft({ persona: APRES, aidant: 'nadia' }),
    ]
    const codes = { thomas: await world.freshCode('thomas'), nadia: await world.freshCode('nadia') }
    await Promise.all([
      signMandat(world.db, world.as('thomas'), { brouillonId: one, code: codes.thomas }, world.signer),
      signMandat(world.db, world.as('nadia'), { brouillonId: other, code: codes.nadia }, world.signer),
    ]).then((signed) => signed.map(ok))
    const ids = [(await world.usagerIdOf(AVANT))!, (await world.usagerIdOf(APRES))!]
    expect((await enVigueur(ids)).map(({ thematique }) => thematique)).toEqual(['argent', 'logement'])
    await noAlarm()
  })
})

describe('en même temps', () => {
  it('deux réunions : une seule est écrite', async () => {
    const before = await sign(AVANT)
    await sign(APRES)
    await print(before)
    const sessions = [await paperSession(before.usagerId), await paperSession(before.usagerId)]
    const from = (await world.lines()).length
    const identite = await identiteOf(APRES)
    const done = await Promise.all(sessions.map((session) => uniteIdentites(world.db, identite, session)))
    expect(done).toEqual([{ ok: true }, { ok: true }])
    const lines = (await world.lines()).slice(from).map(({ action }) => action)
    expect(lines.filter((action) => action === 'identite_modifiee')).toHaveLength(2)
    expect(lines.filter((action) => action === 'autorisation_remplacee')).toHaveLength(1)
  })

  it('une réunion et un arrêt : tout finit, dans un ordre ou dans l’autre', async () => {
    for (let round = 0; round < 4; round++) {
      const before = await sign(AVANT)
      const after = await sign(APRES)
      await print(before)
      const session = await paperSession(before.usagerId)
      const stopped = round % 2 === 0 ? before : after
      const [united, stop] = await Promise.all([
        uniteIdentites(world.db, await identiteOf(APRES), session),
        stopMandat(world.db, SELF([stopped.usagerId]), { mandatId: stopped.id }),
      ])
      expect(united).toEqual({ ok: true })
      // The older may have been replaced just before: it is over all the same.
      if (!stop.ok) expect([stopped.id, stop.refusal]).toEqual([before.id, 'deja_termine'])
      // The newer stopped before the union, the older goes on; after it, the older had ended: what was stopped is over in any case.
      const left = await enVigueur([before.usagerId, after.usagerId])
      expect(left.length).toBeLessThanOrEqual(1)
      expect(left.map(({ mandatId }) => mandatId)).not.toContain(stopped.id)
      for (const { mandatId, usagerId } of left) await stopMandat(world.db, SELF([usagerId]), { mandatId })
      await separateIdentite(world.db, SELF([after.usagerId, before.usagerId]))
    }
    await noAlarm()
  })
})

describe('ce qui est lié suit', () => {
  it('séparées d’un geste : chacune sa ligne et son histoire, plus de question, les deux prévenues', async () => {
    const before = await sign(AVANT)
    const after = await sign(APRES, { perimetre: ['argent'] })
    const { browser } = await unite(await print(before), APRES)
    expect((await browser.get(`/mon-espace/mandats/${before.id}`)).status).toBe(200)
    await world.sql`delete from message`
    // Before, and after: without a mandat in force, no sheet, and no way back.
    const adieu = 'Sans mandat en cours, une identité d’avant la correction ne peut plus être réunie ni lue ici.'
    expect(await read(browser, '/mon-espace/donnees')).toContain(adieu)
    const apart = await browser.post('/mon-espace/separer', {})
    expect(apart.status).toBe(303)
    expect(await read(browser, apart.headers.get('location')!)).toContain(adieu)
    expect((await browser.get(`/mon-espace/mandats/${before.id}`)).status).toBe(404)
    expect((await browser.get(`/mon-espace/mandats/${after.id}`)).status).toBe(200)
    expect(await read(browser, '/mon-espace')).not.toContain(QUESTION)
    const lines = (await world.lines()).slice(-2)
    expect(lines.map(({ action, usagerId }) => [action, usagerId]).sort()).toEqual(
      [before.usagerId, after.usagerId].map((id) => ['identite_modifiee', id]).sort(),
    )
    expect((await world.messages()).map(({ destinataire }) => destinataire).sort()).toEqual(['+33611111111', '+33622222222'])
    await noAlarm()
  })

  it('l’aidant voit sur chaque fiche l’autre de sa structure, et ce qu’elle en a dit ; une autre structure, rien', async () => {
    const before = await sign(AVANT)
    const after = await sign(APRES, { perimetre: ['argent'] })
    const elsewhere = await sign(AVANT, { structure: 'saintDenis', aidant: 'fabrice', perimetre: ['famille'] })
    // What another test left there is closed to it, and no more seen than what was never there.
    await world.sql`
      update dossier set archived_at = horloge() where structure_id = ${world.structures.saintDenis} and usager_id = ${after.usagerId}`
    const thomas = world.browser(await world.sessionOf('thomas'))
    const fabrice = world.browser(await world.sessionOf('fabrice'))
    expect(await read(thomas, `/personnes/${before.usagerId}`)).toContain('Même état civil Une autre fiche')
    await unite(await print(before), APRES)
    for (const { usagerId } of [before, after])
      expect(await read(thomas, `/personnes/${usagerId}`)).toContain('La même personne Son autre fiche')
    expect(await read(fabrice, `/personnes/${elsewhere.usagerId}`)).not.toMatch(/autre fiche|La même personne/)
    await stopMandat(world.db, SELF([before.usagerId]), { mandatId: elsewhere.id })
  })

  it('un renouvellement accepte l’identifiant d’aujourd’hui, une fois réunies seulement', async () => {
    const before = await sign(AVANT)
    const by = world.as('thomas')
    const attempt = async () => {
      const { id } = ok(await renewMandat(world.db, by, before.id, { thematiques: ['logement'], duree: 'mois' }))
      const { nonce } = ok(await openIdentification(world.db, by, { brouillonId: id, navigateur: undefined }))
      return keepIdentity(world.db, by, id, await world.identified(APRES, nonce))
    }
    expect(await attempt()).toEqual({ ok: false, refusal: 'autre_personne' })
    await unite(await print(before), APRES)
    expect(await attempt()).toEqual({ ok: true })
    await world.sql`delete from brouillon`
  })

  it('un décès noté sous l’une finit et ferme l’autre aussi, et refuse un mandat sous l’autre', async () => {
    const before = await sign(AVANT)
    const after = await sign(APRES, { perimetre: ['argent'] })
    const { browser } = await unite(await print(before), APRES)
    ok(await terminateMandat(world.db, world.as('thomas'), { mandatId: before.id, how: 'deces' }))
    expect(await enVigueur([before.usagerId, after.usagerId])).toEqual([])
    expect((await browser.get('/mon-espace')).status).toBe(303)
    const by = world.as('thomas')
    const id = await world.draft({ persona: APRES, upTo: 'choix' })
    const { nonce } = ok(await openIdentification(world.db, by, { brouillonId: id, navigateur: undefined }))
    expect(await keepIdentity(world.db, by, id, await world.identified(APRES, nonce))).toEqual({
      ok: false,
      refusal: 'deces_note',
    })
    await world.forgetFins()
  })

  it('arrêtée sous l’une, elle lit que l’autre mandat de la même structure continue', async () => {
    const before = await sign(AVANT)
    const after = await sign(APRES, { perimetre: ['argent'] })
    const { browser } = await unite(await print(before), APRES)
    const asked = await read(browser, `/mon-espace/mandats/${before.id}/arreter`)
    expect(asked).toContain('Arrêter tout ce mandat')
    expect(asked).toContain('Vous avez un autre mandat avec le CCAS de Figeac, pour vos démarches d’impôts')
    expect((await browser.post(`/mon-espace/mandats/${before.id}/arreter`, { quoi: 'tout' })).status).toBe(303)
    const stopped = await read(browser, `/mon-espace/mandats/${before.id}/arret`)
    expect(stopped).toContain('n’a plus le droit de faire vos démarches de logement')
    expect(stopped).toContain('il continue')
    expect((await enVigueur([after.usagerId])).length).toBe(1)
  })

  it('avant de noter un décès ou une mesure, l’aidant lit combien de mandats s’arrêtent, sous toutes ses identités', async () => {
    const before = await sign(AVANT)
    await sign(APRES, { perimetre: ['argent'] })
    const thomas = world.browser(await world.sessionOf('thomas'))
    for (const path of ['deces', 'protection'])
      expect(await read(thomas, `/mandats/${before.id}/${path}`)).toContain('Son mandat avec votre structure s’arrête')
    await unite(await print(before), APRES)
    for (const path of ['deces', 'protection'])
      expect(await read(thomas, `/mandats/${before.id}/${path}`)).toContain('Ses 2 mandats en cours avec votre structure')
  })

  it('un décès noté sous l’une : rien ne reste à lui remettre sous l’autre', async () => {
    const before = await sign(AVANT)
    const after = await sign(APRES, { perimetre: ['argent'], suivi: 'papier' })
    const owed = async () => (await world.db.tx(world.as('thomas'), listPapiersDus)).map(({ mandatId }) => mandatId)
    await unite(await print(before), APRES)
    // What is owed of a mandat that is over, too.
    await stopMandat(world.db, SELF([after.usagerId]), { mandatId: after.id })
    expect(await owed()).toContain(after.id)
    ok(await terminateMandat(world.db, world.as('thomas'), { mandatId: before.id, how: 'deces' }))
    expect(await owed()).not.toContain(after.id)
    await world.forgetFins()
  })

  it('le code qu’elle tire sous l’identité sans contact arrête, par celui de l’autre, et son blocage s’y dit', async () => {
    const before = await sign(AVANT)
    // Without any contact under the identity she comes in with.
    const after = await sign(APRES, { perimetre: ['argent'], suivi: 'papier' })
    await (await enter(APRES)).browser.post('/mon-espace/contacts', { suivi: 'papier' })
    expect(await world.sql`select telephone_prouve_at, email_prouve_at from usager where id = ${after.usagerId}`).toEqual([
      { telephone_prouve_at: null, email_prouve_at: null },
    ])
    const { browser } = await unite(await print(before), APRES)
    const drawn = await browser.post('/mon-espace/code-papier', { geste: 'remplacer' })
    const [code] = /[A-Z0-9]{4}-[A-Z0-9]{4}-[A-Z0-9]{4}/.exec(plain(drawn.html))!
    const paper = world.browser()
    await paper.post('/mon-espace/code', { code, annee: ANNEE })
    expect(await read(paper, '/mon-espace')).not.toContain('Comment arrêter')
    await world.sql`delete from message`
    expect(await read(paper, '/mon-espace/confirmer')).toContain('06 •• •• •• 11')
    expect((await paper.post('/mon-espace/confirmer', {})).status).toBe(303)
    const [message] = await world.messages()
    expect(message!.destinataire).toBe('+33611111111')
    const [, first, second] = /(\d{3}) (\d{3})/.exec(message!.corps)!
    expect((await paper.post('/mon-espace/confirmer/code', { code: `${first}${second}` })).status).toBe(303)
    expect((await paper.post(`/mon-espace/mandats/${after.id}/arreter`, { quoi: 'tout' })).status).toBe(303)
    expect((await enVigueur([after.usagerId])).length).toBe(0)
    await world.sql`delete from message`
    for (let n = 0; n < 15; n++) {
      await world.sql`delete from limite`
      await world.browser().post('/mon-espace/code', { code, annee: '1958' })
    }
    await announceBlockedCodes(world.db, () => {})
    const [blocked] = await world.messages()
    expect([blocked!.destinataire, blocked!.cle.split(':')[0]]).toEqual(['+33611111111', 'code-bloque'])
  })

  it('une feuille qu’elle imprime elle-même remplace aussi celles de l’autre identité', async () => {
    const before = await sign(AVANT)
    const after = await sign(APRES, { perimetre: ['argent'] })
    const code = await print(before)
    await unite(code, APRES)
    const opens = async () => (await world.browser().post('/mon-espace/code', { code, annee: ANNEE })).status
    expect(await opens()).toBe(303)
    const hers = SELF([after.usagerId, before.usagerId])
    ok(await printPapier(world.db, hers, { mandatId: after.id, papier: 'pour-vous' }, world.signer))
    expect(await opens()).toBe(409)
  })

  it('un contact remplacé, ou une identité séparée, ne prouve plus rien pour l’autre', async () => {
    for (const geste of ['contact', 'separer'] as const) {
      const before = await sign(AVANT)
      const after = await sign(APRES, { perimetre: ['argent'], suivi: 'papier' })
      await (await enter(APRES)).browser.post('/mon-espace/contacts', { suivi: 'papier' })
      const { browser } = await unite(await print(before), APRES)
      const drawn = await browser.post('/mon-espace/code-papier', { geste: 'remplacer' })
      const [code] = /[A-Z0-9]{4}-[A-Z0-9]{4}-[A-Z0-9]{4}/.exec(plain(drawn.html))!
      const paper = world.browser()
      await paper.post('/mon-espace/code', { code, annee: ANNEE })
      await world.sql`delete from message`
      await paper.post('/mon-espace/confirmer', {})
      const [, first, second] = /(\d{3}) (\d{3})/.exec((await world.messages())[0]!.corps)!
      await paper.post('/mon-espace/confirmer/code', { code: `${first}${second}` })
      expect((await paper.get(`/mon-espace/mandats/${after.id}/arreter`)).status).toBe(200)
      if (geste === 'contact') await browser.post('/mon-espace/contacts', { suivi: 'papier' })
      else await browser.post('/mon-espace/separer', {})
      expect([geste, (await paper.get(`/mon-espace/mandats/${after.id}/arreter`)).status]).toEqual([geste, 303])
      await world.sql`delete from limite`
      await separateIdentite(world.db, SELF([after.usagerId, before.usagerId]))
      for (const { mandatId, usagerId } of await enVigueur([after.usagerId, before.usagerId]))
        await stopMandat(world.db, SELF([usagerId]), { mandatId })
    }
  })

  it('trois codes de preuve par heure pour la personne, quelles que soient ses feuilles', async () => {
    const before = await sign(AVANT)
    const { usagerId } = await sign(APRES, { perimetre: ['argent'] })
    await unite(await print(before), APRES)
    const sessionId = await paperSession(before.usagerId)
    const sent = []
    for (const usagerIds of [
      [before.usagerId, usagerId],
      [usagerId, before.usagerId],
    ].flatMap((ids) => [ids, ids]))
      sent.push(await sendProof(world.db, { sessionId, usagerIds }, { ...world.config, log: () => {} }))
    expect(sent).toEqual([...Array(3).fill({ ok: true }), { ok: false, refusal: 'trop_de_codes' }])
  })

  it('le code d’une identité que nul n’a de mandat : son blocage se dit sous un mandat d’elle, pour s’effacer avec', async () => {
    const before = await sign(AVANT)
    const other = await world.sql.begin(async (tx) => {
      const [row] = await tx<{ id: string }[]>`
        insert into usager (sub, prenoms, nom_naissance, birthdate, birthcountry, personne_id)
        select 'troisieme', prenoms, nom_naissance, birthdate, birthcountry, personne_id from usager where id = ${before.usagerId} returning id`
      return row!.id
    })
    const [code] = await world.sql<{ id: string }[]>`
      insert into code_prive (usager_id, empreinte) values (${other}, ${Buffer.alloc(32, 7)}) returning id`
    await world.sql`insert into code_prive_essai (code_prive_id, faux, bloque_at) values (${code!.id}, 15, horloge())`
    await announceBlockedCodes(world.db, () => {})
    const told = (await world.messages()).filter(({ cle }) => cle.startsWith('code-bloque:'))
    expect(told.map(({ cle }) => cle)).toEqual([`code-bloque:${before.id}:${code!.id}`])
    await world.sql`delete from code_prive where usager_id = ${other}`
    await world.sql`delete from usager where id = ${other}`
  })

  it('rejoué après une restauration : chaque identité du compte rendu, sans celle qu’elle avait séparée depuis', async () => {
    const before = await sign(AVANT)
    const after = await sign(APRES, { perimetre: ['argent'] })
    const { browser } = await unite(await print(before), APRES)
    await stopMandat(world.db, SELF([before.usagerId]), { mandatId: before.id })
    const operator = openDb({ url: world.database.operatorUrl, connections: 1 })
    const one = { numero: before.usagerId, motif: 'demande', confirmed: true } as const
    // The other goes on: whole, she is not erased; this one alone, it is.
    expect(await eraseUsager(operator, one)).toMatchObject({ ok: false, refusal: 'mandat_en_cours' })
    expect(ok(await eraseUsager(operator, { ...one, seule: true })).usagerIds).toEqual([before.usagerId])
    const rows = await world.sql<{ id: string }[]>`
      select id from usager where id in (${before.usagerId}, ${after.usagerId}) and erased_at is null`
    expect(rows.map(({ id }) => id)).toEqual([after.usagerId])
    // What is left is hers still: her space, and a union with whoever comes.
    expect(await read(browser, '/mon-espace/donnees')).not.toContain(before.usagerId)
    expect((await browser.get(`/mon-espace/mandats/${before.id}`)).status).toBe(404)
    // Her « Non, ce n’est pas moi », and her separations, answer as before.
    expect((await browser.post('/mon-espace/separer', {})).status).toBe(303)
    await world.sql`update usager set reunion_refusee_at = null`
    const again = await sign(AVANT)
    await unite(await print(again), APRES)
    expect((await linked(after.usagerId)).ids).toContain(again.usagerId)
    for (const { mandatId, usagerId } of await enVigueur([again.usagerId, after.usagerId]))
      await stopMandat(world.db, SELF([usagerId]), { mandatId })
    const whole = ok(await eraseUsager(operator, { ...one, numero: again.usagerId }))
    expect(whole.usagerIds).toEqual(expect.arrayContaining([again.usagerId, after.usagerId]))
    expect(whole.usagerIds[0]).toBe(again.usagerId)
    await operator.close()
    await noAlarm()
  })

  it('elle conteste un acte d’avant : ce qui continue sous l’autre identité se met en pause, et reprend avec la réponse', async () => {
    const before = await sign(AVANT, { perimetre: ['logement', 'argent'] })
    const { id: demarcheId } = ok(await recordDemarche(world.db, world.as('thomas'), uneDemarche(before.id)))
    const after = await sign(APRES)
    const { browser } = await unite(await print(before), APRES)
    const her = SELF([after.usagerId, before.usagerId])
    const here = `/mon-espace/demarches/${demarcheId}`
    const page = await read(browser, here)
    expect(page).toContain('en attendant la réponse')
    expect(page).not.toContain('vous ne donnez plus mandat')
    expect((await browser.post(here, { motif: 'pas_demande', pause: 'oui' })).status).toBe(303)
    const etats = async () => {
      const found = (await world.db.tx(her, (tx) => findMandat(tx, after.id)))!
      return [found.enVigueur, found.enPause]
    }
    expect(await etats()).toEqual([[], ['logement']])
    const [row] = await world.db.tx(her, (tx) => listContestations(tx, demarcheId))
    expect(row!.enPause).toBe('logement')
    const nadia = world.asReferent('nadia')
    const ouverture = { usagerId: before.usagerId, motif: 'reclamation', precision: null, envoi: randomUUID() } as const
    ok(await openDossier(world.db, nadia, ouverture))
    ok(await answerContestation(world.db, nadia, { contestationId: row!.id, reponse: 'reconnue', note: null }))
    expect(await etats()).toEqual([['logement'], []])
    await noAlarm()
  })

  it('effacée, elle l’est sous ses deux identités, ou sous aucune', async () => {
    const before = await sign(AVANT)
    const after = await sign(APRES, { perimetre: ['argent'] })
    await unite(await print(before), APRES)
    await stopMandat(world.db, SELF([before.usagerId]), { mandatId: before.id })
    const operator = openDb({ url: world.database.operatorUrl, connections: 1 })
    const erase = () => eraseUsager(operator, { numero: before.id, motif: 'demande', confirmed: true })
    expect(await erase()).toMatchObject({ ok: false, refusal: 'mandat_en_cours' })
    await stopMandat(world.db, SELF([after.usagerId]), { mandatId: after.id })
    // Her term is that of the last of all: what was over first is not closed before.
    const [terms] = await world.sql<{ one: Date; other: Date; last: Date }[]>`
      select derniere_fin(null, ${before.usagerId}) as one, derniere_fin(null, ${after.usagerId}) as other, max(ended_at) as last
      from mandat where usager_id in (${before.usagerId}, ${after.usagerId})`
    expect([terms!.one, terms!.other]).toEqual([terms!.last, terms!.last])
    const erased = ok(await erase())
    expect(erased.counts!.mandats).toBeGreaterThan(1)
    const rows =
      await world.sql`select erased_at is not null as gone from usager where id in (${before.usagerId}, ${after.usagerId})`
    expect(rows.map(({ gone }) => gone)).toEqual([true, true])
    expect(await world.tablesHolding('BENHADDOU')).toEqual([])
    await operator.close()
    await noAlarm()
  })
})

describe('réunie par un autre que soi', () => {
  /** Another of the same civil status: a row of her own, nothing signed; first united with what this session opened, then apart. */
  const homonyme = async (sheet: string) => {
    const identite = { ...(await identiteOf(AVANT)), sub: 'homonyme' }
    expect(await uniteIdentites(world.db, identite, sheet)).toEqual({ ok: true })
    const [row] = await world.sql<{ id: string }[]>`select id from usager where sub = ${identite.sub}`
    return row!.id
  }
  const spaceOf = async (usagerId: string) =>
    world.browser(`session=${await world.db.tx({ kind: 'portier' }, (tx) => openSession(tx, { usagerId }))}`)
  /** Read in a transaction, which would see the first answer again. */
  const waiting = (sql: Pick<typeof world.sql, 'unsafe'>, count: number) =>
    vi.waitFor(async () => {
      await sql.unsafe('select pg_stat_clear_snapshot()')
      const rows = await sql.unsafe(
        "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
      )
      expect(rows).toHaveLength(count)
    }, 20_000)

  it('séparer défait la dernière réunion : qui l’a volée repart avec ce qui était à lui, elle garde ce qu’elle avait réuni', async () => {
    const before = await sign(AVANT)
    const after = await sign(APRES, { perimetre: ['argent'] })
    const { browser } = await unite(await print(before), APRES)
    await print(after)
    const voleur = await homonyme(await paperSession(after.usagerId))
    const his = await spaceOf(voleur)
    expect((await his.get(`/mon-espace/mandats/${before.id}`)).status).toBe(200)
    expect((await browser.post('/mon-espace/separer', {})).status).toBe(303)
    const hers = [before, after]
    for (const { id } of hers) {
      expect((await browser.get(`/mon-espace/mandats/${id}`)).status).toBe(200)
      expect((await his.get(`/mon-espace/mandats/${id}`)).status).toBe(404)
      expect((await his.post(`/mon-espace/mandats/${id}/arreter`, { quoi: 'tout' })).status).toBe(404)
    }
    expect(await enVigueur(hers.map(({ usagerId }) => usagerId))).toHaveLength(2)
    expect((await linked(voleur)).ids).toEqual([voleur])
    const both = hers.map(({ usagerId }) => usagerId).sort()
    const said = (await world.lines()).slice(-3).map(({ usagerId, payload }) => [usagerId, JSON.parse(payload!)])
    expect(new Map(said as [string, unknown][])).toEqual(
      new Map(
        [...both, voleur].map((id) => [
          id,
          { champs: ['personne'], separee: after.usagerId, reunies: id === voleur ? [voleur] : both },
        ]),
      ),
    )
    // What he does next is his own affair; what she had united, she takes apart too.
    await his.post('/mon-espace/separer', {})
    expect((await linked(after.usagerId)).ids).toEqual(both)
    await browser.post('/mon-espace/separer', {})
    expect((await linked(after.usagerId)).ids).toEqual([after.usagerId])
    await noAlarm()
  })

  it('la feuille qui a servi ne sert plus ; une nouvelle réunit', async () => {
    const before = await sign(AVANT)
    const code = await print(before)
    const { browser } = await unite(code, APRES)
    const own = await changeCode(world.db, SELF([(await world.usagerIdOf(APRES))!]), 'remplacer', world.signer.secretsKey)
    expect((await browser.post('/mon-espace/separer', {})).status).toBe(303)
    for (const used of [code, own.code!])
      for (const path of ['/mon-espace/reunir', '/mon-espace/code'])
        expect((await world.browser().post(path, { code: used, annee: ANNEE })).status).toBe(409)
    expect((await world.messages()).find(({ cle }) => cle.startsWith('separation:'))!.corps).toContain('ne servent plus')
    expect(plain((await unite(await print(before), APRES)).page.html)).toContain('Vos identités sont réunies')
    await noAlarm()
  })

  it('« Non, ce n’est pas moi » ne touche à aucune feuille', async () => {
    const code = await print(await sign(AVANT))
    await sign(APRES)
    const { browser } = await enter(APRES)
    expect((await browser.post('/mon-espace/separer', {})).status).toBe(303)
    expect((await world.browser().post('/mon-espace/code', { code, annee: ANNEE })).status).toBe(303)
  })

  it.each(['sms', 'papier'] as const)('ce que la réunion arrête se dit : à qui l’a signé, et à elle, par %s', async (suivi) => {
    const before = await world.signMandat({
      persona: AVANT,
      perimetre: ['logement', 'argent'],
      ...(suivi === 'sms' ? { suivi, contact: '+33611111111' } : { suivi }),
    })
    await sign(APRES)
    await world.sql`delete from message`
    await world.sql`delete from papier_du`
    await unite(await print(before), APRES)
    const told = (await world.messages()).filter(({ cle }) => cle.startsWith(`arret:${before.id}:`))
    expect(told.filter(({ canal }) => canal === 'email').length).toBeGreaterThan(0)
    for (const { canal, corps } of told)
      expect(corps).toContain(canal === 'email' ? 'la personne a réuni deux identités' : 'le mandat le plus recent')
    expect(told.filter(({ canal }) => canal === 'sms')).toHaveLength(suivi === 'sms' ? 1 : 0)
    expect(await world.sql`select mandat_id, quoi from papier_du`).toEqual(
      suivi === 'papier' ? [{ mandat_id: before.id, quoi: 'arret' }] : [],
    )
    expect((await enVigueur([before.usagerId])).map(({ thematique }) => thematique)).toEqual(['argent'])
  })

  it('le retour est celui de la feuille tapée, et d’aucune autre tapée depuis', async () => {
    const before = await sign(AVANT)
    await sign(APRES, { perimetre: ['argent'] })
    await print(before)
    const autre = await homonyme(await paperSession(before.usagerId))
    await separateIdentite(world.db, SELF([autre, before.usagerId]))
    const { code: first } = await changeCode(world.db, SELF([autre]), 'remplacer', world.signer.secretsKey)
    const second = await print(before)
    const browser = world.browser()
    const gone = await browser.post('/mon-espace/reunir', { code: first!, annee: ANNEE })
    expect((await browser.post('/mon-espace/code', { code: second, annee: ANNEE })).status).toBe(303)
    const back = await browser.follow(await browser.atFranceConnect(gone, APRES))
    expect([back.status, plain(back.html)]).toEqual([409, expect.stringContaining('Rien n’est réuni')])
    expect((await linked(before.usagerId)).ids).toEqual([before.usagerId])
  })

  describe('une réunion et un effacement à la fois', () => {
    /** Both signed, both stopped but the one said; her sheet of before has opened a space. */
    const both = async (standing?: 'after') => {
      const [before, after] = [await sign(AVANT), await sign(APRES, { perimetre: ['argent'] })]
      await print(before)
      const sheet = await paperSession(before.usagerId)
      for (const one of standing ? [before] : [before, after])
        await stopMandat(world.db, SELF([one.usagerId]), { mandatId: one.id })
      return { before, after, sheet }
    }
    let operator: Db
    beforeAll(() => {
      operator = openDb({ url: world.database.operatorUrl, connections: 1 })
    })
    afterAll(() => operator.close())

    it('réunie d’abord, elle n’est pas effacée d’un seul côté', async () => {
      const { before, after, sheet } = await both('after')
      const identite = await identiteOf(APRES)
      // Both wait for her row, in this order.
      const { union, erasure } = await world.sql.begin(async (tx) => {
        await tx`select 1 from usager where id = ${before.usagerId} for update`
        const union = uniteIdentites(world.db, identite, sheet)
        await waiting(tx, 1)
        const erasure = eraseUsager(operator, { numero: before.id, motif: 'demande', confirmed: true })
        await waiting(tx, 2)
        return { union: () => union, erasure: () => erasure }
      })
      expect(await union()).toEqual({ ok: true })
      expect(await erasure()).toMatchObject({ refusal: 'mandat_en_cours' })
      expect((await linked(before.usagerId)).ids).toEqual([before.usagerId, after.usagerId].sort())
    })

    it.each(['before', 'after'] as const)('effacée d’abord, elle n’est réunie à personne : %s', async (side) => {
      const { sheet, ...told } = await both()
      const identite = await identiteOf(APRES)
      let union!: Promise<unknown>
      await operator.tx({ kind: 'operator' }, async ({ sql }) => {
        await sql`select efface(${told[side].usagerId}, 'demande')`
        union = uniteIdentites(world.db, identite, sheet).catch((error) => error)
        await waiting(world.sql, 1)
      })
      expect(isBusy(await union)).toBe(true)
      for (const { usagerId } of [told.before, told.after]) expect((await linked(usagerId)).ids).toEqual([usagerId])
      await noAlarm()
    })
  })
})
