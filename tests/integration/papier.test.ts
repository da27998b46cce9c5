import { createHash, randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createApp } from '../../src/app.ts'
import type { Db } from '../../src/db.ts'
import { recordActeHorsMandat, recordDemarche } from '../../src/demarche/record.ts'
import { openLog } from '../../src/http/log.ts'
import { append } from '../../src/journal/append.ts'
import { LETTRES } from '../../src/lettres.ts'
import { codeVerification } from '../../src/mandat/code.ts'
import { recordStop } from '../../src/mandat/record-stop.ts'
import { signMandat } from '../../src/mandat/sign.ts'
import { stopMandat } from '../../src/mandat/stop.ts'
import { printPapier } from '../../src/papier/print.ts'
import { openRenderer } from '../../src/papier/render.ts'
import { empreinteDuCodePrive } from '../../src/usager/code-prive.ts'
import type { Identite } from '../../src/usager/identite.ts'
import { recognizeUsager } from '../../src/usager/recognize.ts'
import { jourEtHeure } from '../../views/kit/words.ts'
import { papierDe } from '../../views/papier/papier.ts'
import { expectValidHtml } from '../support/html.ts'
import { readPdf, serre } from '../support/pdf.ts'
import { newWorld, ok, PUBLIC_URL, uneDemarche, type World } from '../support/world.ts'

let world: World
beforeAll(async () => {
  world = await newWorld()
  // The thread is born, however busy the machine is.
  const { id } = await world.signMandat({ persona: 'aissatou' })
  await aidantPrints(id, 'releve')
})
afterAll(() => world.close())
beforeEach(() => world.sql`delete from limite`)

const aidantPrints = async (mandatId: string, papier: string, aidant = 'thomas', fields = {}) =>
  world.post(`/mandats/${mandatId}/papiers/${papier}`, fields, await world.sessionOf(aidant))
const shePrints = async (mandatId: string, papier: string, persona = 'odette') =>
  world.post(`/mon-espace/mandats/${mandatId}/papiers/${papier}`, {}, await world.sessionOf(persona))
const pdfOf = async (response: Response) => {
  expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/pdf'])
  return readPdf(new Uint8Array(await response.arrayBuffer()))
}
const printed = async (mandatId: string) =>
  (await world.lines(mandatId))
    .filter(({ action }) => action === 'attestation_imprimee')
    .map(({ payload }) => JSON.parse(payload!))
const CODE = new RegExp(`[${LETTRES}]{4}-[${LETTRES}]{4}-[${LETTRES}]{4}`, 'g')
/** All but the day it is printed, which stands at the foot. */
const signed = (text: string) => text.replaceAll(/(?:impriméle|relevédu)\d+\p{L}+\d{4}/gu, '').replaceAll(/page\dsur\d/g, '')

describe('imprimer un mandat', () => {
  it('donne un PDF que rien ne garde, au nom de personne, et une ligne de journal', async () => {
    const mandat = await world.signMandat({ perimetre: ['logement', 'argent'] })
    const answer = await aidantPrints(mandat.id, 'mandat')
    expect(answer.headers.get('cache-control')).toBe('no-store')
    expect(answer.headers.get('content-disposition')).toBe('inline; filename="mandat.pdf"')
    const { pages } = await pdfOf(answer)
    expect(pages[0]).toContain(codeVerification(world.config.secretsKey, mandat.id))
    expect(pages[0]).toContain(mandat.id)
    expect(pages[0]).toContain('CCASdeFigeac')
    // The tests run as the demonstration does: no page of it can be taken for true.
    for (const page of pages) expect(page).toMatch(/^démonstration/)
    // A counter learns of its own thématique: with the code and the year beside it, it would learn of all.
    const counter = await pdfOf(await aidantPrints(mandat.id, 'guichet', 'samira', { thematique: 'argent' }))
    expect(counter.text.match(CODE)).toBeNull()
    expect(counter.alternatives).toEqual([expect.stringContaining('Code QR')])
    expect(await printed(mandat.id)).toEqual([{ papier: 'mandat' }, { papier: 'guichet', thematique: 'argent' }])
  })

  it('ne se demande que par un formulaire : une adresse ouverte n’écrit rien', async () => {
    const mandat = await world.signMandat({ persona: 'marcel' })
    const before = await world.lines(mandat.id)
    for (const papier of ['mandat', 'pour-vous'])
      expect((await world.get(`/mandats/${mandat.id}/papiers/${papier}`, await world.sessionOf('thomas'))).status).toBe(405)
    expect(await world.lines(mandat.id)).toEqual(before)
  })

  it('n’écrit rien quand la personne imprime ce qui est à elle', async () => {
    const mandat = await world.signMandat({ persona: 'josiane' })
    const before = await world.digest()
    const { text } = await pdfOf(await shePrints(mandat.id, 'mandat', 'josiane'))
    expect(text).toContain(codeVerification(world.config.secretsKey, mandat.id))
    await pdfOf(await shePrints(mandat.id, 'releve', 'josiane'))
    const { session: _, ...after } = await world.digest()
    expect(before).toMatchObject(after)
  })

  it('se relit des années plus tard comme il fut signé, la structure et l’aidant renommés, la personne aussi', async () => {
    const mandat = await world.signMandat({ persona: 'fatma', perimetre: ['papiers', 'logement'], duree: 'an' })
    const first = await pdfOf(await shePrints(mandat.id, 'mandat', 'fatma'))
    const [was] = await world.sql`select nom, adresse, telephone from structure where id = ${mandat.structureId}`
    await world.sql`update structure set nom = 'Tout autre nom', adresse = 'Ailleurs', telephone = '+33100000000' where id = ${mandat.structureId}`
    await world.sql`update aidant set nom = 'Renommé' where id = ${world.aidants.thomas}`
    await world.sql`alter table usager disable trigger user`
    await world.sql`update usager set nom_naissance = 'AUTRE', nom_usage = 'AUTRE' where id = ${mandat.usagerId}`
    await world.sql`alter table usager enable trigger user`
    await world.database.travel({ ms: 40 * 24 * 3600 * 1000 })
    const later = await pdfOf(await shePrints(mandat.id, 'mandat', 'fatma'))
    expect(signed(later.text)).toBe(signed(first.text))
    expect(later.text).not.toMatch(/Toutautrenom|Renommé|AUTRE|Ailleurs/)
    await world.sql`update structure set ${world.sql(was!)} where id = ${mandat.structureId}`
    await world.sql`update aidant set nom = 'Lacombe' where id = ${world.aidants.thomas}`
    await world.sql`update horloge_reglage set decalage = '0'`
  })

  it('dit, à part de ce qui fut signé, qu’il n’est plus en cours', async () => {
    const mandat = await world.signMandat({ persona: 'odette', perimetre: ['loisirs'] })
    ok(await stopMandat(world.db, await world.asUsager('odette'), { mandatId: mandat.id }))
    expect((await pdfOf(await shePrints(mandat.id, 'mandat'))).text).toContain(
      'cemandatn’estplusencours:arrêtéàlademandedelapersonne',
    )
    // The sheet of a counter is for use.
    expect((await aidantPrints(mandat.id, 'guichet', 'thomas', { thematique: 'loisirs' })).status).toBe(409)
  })

  it('n’existe pas pour une autre structure, ni pour une autre personne', async () => {
    const mandat = await world.signMandat({ persona: 'moussa' })
    await world.signMandat({ persona: 'josiane' })
    const lines = (await world.lines()).length
    for (const papier of ['mandat', 'guichet', 'arret', 'releve', 'pour-vous'])
      expect((await aidantPrints(mandat.id, papier, 'fabrice', { thematique: 'logement' })).status, papier).toBe(404)
    for (const papier of ['mandat', 'arret', 'releve', 'pour-vous'])
      expect((await shePrints(mandat.id, papier, 'josiane')).status, papier).toBe(404)
    expect(await world.lines()).toHaveLength(lines)
  })

  it('se ferme aux collègues quand plus rien n’est en cours, sauf à qui a signé', async () => {
    const mandat = await world.signMandat({ persona: 'laetitia' })
    ok(await stopMandat(world.db, await world.asUsager('laetitia'), { mandatId: mandat.id }))
    expect((await aidantPrints(mandat.id, 'mandat', 'samira')).status).toBe(404)
    await pdfOf(await aidantPrints(mandat.id, 'arret', 'thomas'))
  })
})

describe('le relevé', () => {
  it('date ce qui est attendu, dit « à vous », et laisse ce qu’une autre note a fini', async () => {
    const mandat = await world.signMandat({ persona: 'marcel', perimetre: ['logement'] })
    const note = async (more: Parameters<typeof uneDemarche>[2]) =>
      ok(await recordDemarche(world.db, world.as('thomas'), uneDemarche(mandat.id, 'logement', more), true))
    await note({ titre: 'Une lettre', etapeQuoi: 'Signer la lettre', etapeQui: 'personne' })
    await note({ titre: 'Un bail', etapeQuoi: 'Apporter le bail', etapeQui: 'personne' })
    await note({ titre: 'Une lettre', resultat: 'terminee' })
    const { text } = await pdfOf(await shePrints(mandat.id, 'releve', 'marcel'))
    expect(text).toMatch(/Apporterlebail\(àvous\)\(démarchedu\d/)
    expect(text).not.toContain('Signerlalettre')
  })
})

describe('plusieurs papiers demandés ensemble', () => {
  /** Makes nothing until it is told to: whoever asked waits. */
  const slow = () => {
    const held: (() => void)[] = []
    const pdf = () =>
      new Promise<{ ok: true; pdf: Uint8Array<ArrayBuffer> }>((done) =>
        held.push(() => done({ ok: true, pdf: new Uint8Array([1]) })),
      )
    return { held, papers: { pdf, svg: pdf, close: async () => {} } }
  }

  it('par une même aidante : trois se font, les autres attendent sans rien écrire, et une collègue est servie', async () => {
    const { id } = await world.signMandat({ persona: 'aissatou', perimetre: ['logement'] })
    const { held, papers } = slow()
    const { db, config, provider } = world
    const app = createApp({ db, config, oidc: { franceconnect: provider }, log: openLog(() => {}), papers })
    const [thomas, ines] = [await world.sessionOf('thomas'), await world.sessionOf('ines')]
    const ask = (cookie: string, papier: string, body = '') =>
      app.request(`/mandats/${id}/papiers/${papier}`, {
        method: 'POST',
        body,
        headers: {
          cookie,
          'content-type': 'application/x-www-form-urlencoded',
          origin: PUBLIC_URL,
          'sec-fetch-site': 'same-origin',
        },
      })
    const making = [1, 2, 3].map(() => ask(thomas, 'releve'))
    await expect.poll(() => held.length).toBe(3)
    const before = await world.digest()
    for (let more = 0; more < 5; more++) {
      const busy = await ask(thomas, 'pour-vous')
      expect([busy.status, busy.headers.get('retry-after')]).toEqual([429, '3'])
      await expectValidHtml(await busy.text())
    }
    const kept = await (await ask(thomas, 'guichet', 'thematique=logement')).text()
    expect(kept).toContain('Plusieurs papiers se font déjà pour vous')
    expect(kept).toContain(`action="/mandats/${id}/papiers/guichet"`)
    expect(kept).toMatch(/name="thematique" value="logement"/)
    // Neither a line, nor a code of hers replaced, for what was not made.
    const { session: _, ...now } = await world.digest()
    expect(now).toEqual(Object.fromEntries(Object.entries(before).filter(([table]) => table !== 'session')))
    const served = ask(ines, 'releve')
    await expect.poll(() => held.length).toBe(4)
    for (const one of held) one()
    expect((await served).status).toBe(200)
    // On a slow machine those may have been told to come back: their place was theirs until now all the same.
    await Promise.all(making)
    const again = ask(thomas, 'releve')
    await expect.poll(() => held.length).toBe(5)
    held[4]!()
    expect((await again).status).toBe(200)
  })
})

describe('attester un arrêt', () => {
  it('ne se peut que pour ce qui est arrêté', async () => {
    const mandat = await world.signMandat({ persona: 'marcel', perimetre: ['papiers', 'famille'] })
    const refused = await aidantPrints(mandat.id, 'arret')
    expect(refused.status).toBe(409)
    expect(await refused.text()).toContain('il n’y a pas d’arrêt à attester')
    expect(await printed(mandat.id)).toEqual([])

    ok(await stopMandat(world.db, await world.asUsager('marcel'), { mandatId: mandat.id, thematique: 'papiers' }))
    const { pages } = await pdfOf(await aidantPrints(mandat.id, 'arret'))
    const [over, left] = pages[0]!.split(serre('Ce qui reste en cours'))
    expect(over).toContain(serre('Papiers - Citoyenneté - Élections'))
    expect(over).not.toContain(serre('Famille - Scolarité'))
    expect(left).toContain(serre('Famille - Scolarité'))
    // Whoever is shown it may check it.
    expect(pages[0]!.match(CODE)).toEqual([codeVerification(world.config.secretsKey, mandat.id)])
    expect(pages[0]).toContain('/verifier')
    expect(await printed(mandat.id)).toEqual([{ papier: 'arret' }])
  })

  it('dit d’une demande enregistrée plus tard quand elle était arrivée, et depuis quand l’arrêt vaut', async () => {
    const { id, signedAt } = await world.signMandat({ persona: 'marcel', perimetre: ['loisirs'] })
    await world.database.freeze(new Date(Date.now() + 3 * 86_400_000))
    ok(await recordStop(world.db, world.as('ines'), { mandatId: id, maniere: 'courrier', recuLe: signedAt }))
    const { text } = await pdfOf(await aidantPrints(id, 'arret'))
    const when = (at: Date) => serre(jourEtHeure(at, 'Europe/Paris'))
    expect(text).toContain(serre('demande reçue par courrier le ') + when(signedAt))
    expect(text).toContain(when(await world.now()))
    const again = await pdfOf(await shePrints(id, 'mandat', 'marcel'))
    expect(again.text).toContain(
      serre('demande reçue le ') + when(signedAt) + serre(', arrêt effectif le ') + when(await world.now()),
    )
    await world.database.freeze(null)
  })

  it('ne se vérifie par le code que si elle dit tout le mandat', async () => {
    const mandat = await world.signMandat({ persona: 'camille', perimetre: ['papiers', 'argent'] })
    await world.signMandat({ persona: 'camille', perimetre: ['argent'] })
    ok(await stopMandat(world.db, await world.asUsager('camille'), { mandatId: mandat.id, thematique: 'papiers' }))
    const { text, alternatives } = await pdfOf(await aidantPrints(mandat.id, 'arret'))
    expect(text).not.toContain('Impôts')
    expect(text.match(CODE)).toBeNull()
    expect(alternatives).toEqual([expect.stringContaining('Code QR')])
  })

  it('ne dit pas arrêté ce qu’un nouveau mandat remplace, ni ce qui est arrivé à sa fin', async () => {
    const former = await world.signMandat({ persona: 'josiane', perimetre: ['transports'] })
    await world.signMandat({ persona: 'josiane', perimetre: ['transports'] })
    expect((await shePrints(former.id, 'arret', 'josiane')).status).toBe(409)
    const day = await world.signMandat({ persona: 'josiane', perimetre: ['etranger'], duree: 'jour' })
    await world.database.travel({ ms: 3 * 24 * 3600 * 1000 })
    expect((await shePrints(day.id, 'arret', 'josiane')).status).toBe(409)
    await world.sql`update horloge_reglage set decalage = '0'`
  })
})

describe('la feuille « Pour vous seulement »', () => {
  const codeOf = async (response: Response) => {
    const codes = (await pdfOf(response)).text.match(CODE) ?? []
    expect(codes).toHaveLength(1)
    return codes[0]!
  }
  const kept = (usagerId: string) => world.sql<{ empreinte: Buffer; structureId: string; replaced: boolean }[]>`
    select empreinte, structure_id as "structureId", replaced_at is not null as replaced
    from code_prive where usager_id = ${usagerId} order by created_at, replaced_at nulls last`

  it('porte un code que rien d’autre ne porte, et dont la base ne garde qu’une empreinte', async () => {
    const mandat = await world.signMandat({ persona: 'marcel' })
    const code = await codeOf(await aidantPrints(mandat.id, 'pour-vous'))
    expect(code).not.toBe(codeVerification(world.config.secretsKey, mandat.id))
    const rows = await kept(mandat.usagerId)
    expect(rows.filter(({ replaced }) => !replaced).map(({ empreinte }) => empreinte)).toEqual([
      empreinteDuCodePrive(world.config.secretsKey, code),
    ])
    const letters = code.replaceAll('-', '')
    const unkeyed = createHash('sha256').update(letters).digest('hex')
    for (const written of [code, letters, Buffer.from(letters).toString('hex'), unkeyed])
      expect(await world.tablesHolding(written)).toEqual([])
    expect(empreinteDuCodePrive(Buffer.alloc(32), code)).not.toEqual(empreinteDuCodePrive(world.config.secretsKey, code))
    expect(JSON.stringify(world.log)).not.toContain(code)
    // Two secrets, never on the same sheet.
    expect((await pdfOf(await aidantPrints(mandat.id, 'mandat'))).text.match(CODE)).toEqual([
      codeVerification(world.config.secretsKey, mandat.id),
    ])
    expect((await printed(mandat.id))[0]).toEqual({ papier: 'pour_vous' })
  })

  it('remplace la précédente de la même structure, jamais celle d’une autre', async () => {
    const here = await world.signMandat({ persona: 'moussa' })
    const there = await world.signMandat({ aidant: 'fabrice', persona: 'moussa' })
    const first = await codeOf(await aidantPrints(here.id, 'pour-vous'))
    const second = await codeOf(await aidantPrints(there.id, 'pour-vous', 'fabrice'))
    expect(second).not.toBe(first)
    expect(await kept(here.usagerId)).toMatchObject([
      { structureId: world.structures.figeac, replaced: false },
      { structureId: world.structures.saintDenis, replaced: false },
    ])
    await codeOf(await aidantPrints(here.id, 'pour-vous'))
    expect((await kept(here.usagerId)).map(({ structureId, replaced }) => [structureId, replaced])).toEqual([
      [world.structures.figeac, true],
      [world.structures.saintDenis, false],
      [world.structures.figeac, false],
    ])
  })

  it('dit ce que son code arrête, selon qu’un contact est prouvé ou non ; son bulletin a la case de la pause', async () => {
    const sheetOf = async (suivi: 'papier' | 'sms', persona: string) => {
      const { id } = await world.signMandat({ persona, suivi })
      return (await pdfOf(await aidantPrints(id, 'pour-vous'))).text
    }
    const [without, proven] = [await sheetOf('papier', 'laetitia'), await sheetOf('sms', 'conceicao')]
    expect(without).toContain(serre('avec FranceConnect seulement : ce code montre, il n’arrête pas'))
    expect(proven).toContain(serre('avec FranceConnect, ou avec ce code et un autre que vous recevrez'))
    for (const sheet of [without, proven]) expect(sheet).toContain(serre('Ne pas arrêter, mettre seulement en pause'))
  })

  it('la personne l’imprime aussi, avec son bulletin et un code à elle, qui remplace tous les autres', async () => {
    const mandat = await world.signMandat({ persona: 'ibrahim' })
    await codeOf(await aidantPrints(mandat.id, 'pour-vous'))
    const lines = await world.lines(mandat.id)
    const sheet = await pdfOf(await shePrints(mandat.id, 'pour-vous', 'ibrahim'))
    expect(sheet.text).toContain(serre('J’arrête mon mandat'))
    const [code] = sheet.text.match(CODE)!
    expect(await kept(mandat.usagerId)).toMatchObject([
      { structureId: world.structures.figeac, replaced: true },
      { structureId: null, replaced: false, empreinte: empreinteDuCodePrive(world.config.secretsKey, code!) },
    ])
    expect(await world.lines(mandat.id)).toEqual(lines)
    const [acces] = await world.sql`select genre from acces where usager_id = ${mandat.usagerId} order by id desc`
    expect(acces).toMatchObject({ genre: 'code_prive_remplace' })
  })

  it('s’imprime pendant que le même mandat est renouvelé : qui signe tient la personne, qui imprime son mandat', async () => {
    let mandat = await world.signMandat({ persona: 'teiki' })
    const held = await world.draft({ persona: 'teiki' })
    const [row] = await world.sql<{ identite: Identite }[]>`select identite from brouillon where id = ${held}`
    await world.db.tx(world.as('thomas'), async (tx) => {
      await recognizeUsager(tx, row!.identite, { suivi: 'papier', contact: null })
      await codeOf(await aidantPrints(mandat.id, 'pour-vous', 'samira'))
    })
    for (let round = 0; round < 12; round++) {
      await world.database.travel({ ms: 1000 })
      const brouillonId = await world.draft({ persona: 'teiki' })
      const code = await world.freshCode('thomas')
      const print = (by: 'samira' | 'ines') =>
        printPapier(world.db, world.as(by), { mandatId: mandat.id, papier: 'pour-vous' }, world.signer)
      const [signed, ...printed] = await Promise.all([
        signMandat(world.db, world.as('thomas'), { brouillonId, code }, world.signer),
        print('samira'),
        print('ines'),
      ])
      expect(signed).toMatchObject({ ok: true })
      for (const one of printed) if (!one.ok) expect(one.refusal).toBe('plus_en_vigueur')
      mandat = { ...mandat, id: brouillonId }
    }
    await world.sql`update horloge_reglage set decalage = '0'`
  })

  it('imprimée deux fois ensemble, ne laisse qu’un code', async () => {
    const mandat = await world.signMandat({ persona: 'odette' })
    await Promise.all([1, 2, 3].map(async () => codeOf(await aidantPrints(mandat.id, 'pour-vous'))))
    const rows = await kept(mandat.usagerId)
    expect([rows.length, rows.filter(({ replaced }) => !replaced).length]).toEqual([3, 1])
  })

  it('n’est pas donnée quand plus rien n’est en cours', async () => {
    const mandat = await world.signMandat({ persona: 'fatma', perimetre: ['famille'] })
    ok(await stopMandat(world.db, await world.asUsager('fatma'), { mandatId: mandat.id }))
    const refused = await aidantPrints(mandat.id, 'pour-vous')
    expect(refused.status).toBe(409)
    expect(await kept(mandat.usagerId)).toEqual([])
  })

  it('est tenue par la base : ni sans sa ligne, ni par la personne, ni pour une autre structure, ni à la lecture', async () => {
    const mandat = await world.signMandat({ persona: 'voahangy', aidant: 'fabrice' })
    const draw = (by: Parameters<Db['tx']>[0], line: number | null) =>
      world.db.tx(by, (tx) => tx.sql`select remplacer_code_prive(${mandat.usagerId}, ${Buffer.alloc(32, 1)}, ${line})`)
    const { id } = (await world.lines(mandat.id))[0]!
    await expect(draw(world.as('fabrice'), id)).rejects.toMatchObject({ constraint_name: 'ligne_du_fait' })
    await expect(draw(world.as('fabrice'), null)).rejects.toMatchObject({ constraint_name: 'ligne_du_fait' })
    await expect(draw(world.as('thomas'), id)).rejects.toMatchObject({ code: '42501' })
    await expect(draw(world.asReferent('jocelyne'), id)).rejects.toMatchObject({ code: '42501' })
    // Even when she signed, and says so: the direction prints no one's sheet.
    const hers = await world.signMandat({ persona: 'aissatou', aidant: 'nadia' })
    const directs = world.db.tx(world.asReferent('nadia'), async (tx) => {
      const line = await append(tx, { action: 'attestation_imprimee', mandat: hers, contenu: {} })
      await tx.sql`select remplacer_code_prive(${hers.usagerId}, ${Buffer.alloc(32, 2)}, ${line.id})`
    })
    await expect(directs).rejects.toMatchObject({ code: '42501' })
    await expect(draw(await world.asUsager('voahangy'), id)).rejects.toMatchObject({ code: '42501' })
    await expect(world.db.tx(world.as('fabrice'), (tx) => tx.sql`select empreinte from code_prive`)).rejects.toMatchObject({
      code: '42501',
    })
    await codeOf(await aidantPrints(mandat.id, 'pour-vous', 'fabrice'))
    for (const change of ['replaced_at = null', `usager_id = '${randomUUID()}'`, `empreinte = decode(repeat('00', 32), 'hex')`])
      await expect(
        world.sql.unsafe(`update code_prive set ${change} where usager_id = '${mandat.usagerId}'`),
      ).rejects.toMatchObject({
        constraint_name: 'code_prive_remplace',
      })
  })
})

describe('le fichier de preuve', () => {
  it('un aidant le demande par un envoi, que le journal dit ; la personne, d’un lien qui n’écrit rien', async () => {
    const mandat = await world.signMandat({ persona: 'josiane', perimetre: ['logement'] })
    const path = `/mandats/${mandat.id}/preuve.json`
    const cookie = await world.sessionOf('samira')
    expect((await world.get(path, cookie)).status).toBe(405)
    const page = await (await world.get(`/mandats/${mandat.id}`, cookie)).text()
    expect(page).toContain(`<form method="post" action="${path}"`)
    expect(page).not.toContain(`href="${path}"`)
    expect(await printed(mandat.id)).toEqual([])
    const answer = await world.post(path, {}, cookie)
    expect([answer.status, answer.headers.get('content-disposition')]).toEqual([200, 'attachment; filename="preuve.json"'])
    expect(await answer.json()).toHaveProperty('id_token')
    expect(await printed(mandat.id)).toEqual([{ papier: 'preuve' }])
    expect((await world.post(path, {}, await world.sessionOf('fabrice'))).status).toBe(404)
    const before = await world.lines(mandat.id)
    const hers = await world.get(`/mon-espace${path}`, await world.sessionOf('josiane'))
    expect([hers.status, await world.lines(mandat.id)]).toEqual([200, before])
  })
})

describe('le relevé', () => {
  it('au-delà de mille démarches, dit qu’il s’arrête aux plus récentes', async () => {
    const mandat = await world.signMandat({ persona: 'camille', perimetre: ['logement'] })
    ok(await recordDemarche(world.db, world.as('thomas'), uneDemarche(mandat.id)))
    const printed = ok(
      await printPapier(world.db, await world.asUsager('camille'), { mandatId: mandat.id, papier: 'releve' }, world.signer),
    )
    const { imprime } = printed
    if (imprime.papier !== 'releve') throw new Error(imprime.papier)
    const service = { publicUrl: PUBLIC_URL, editeur: undefined, demo: false }
    const said = (coupe: boolean) => JSON.stringify(papierDe({ ...imprime, coupe }, service))
    expect(imprime.coupe).toBe(false)
    expect(said(false)).not.toContain('Ce relevé s’arrête')
    expect(said(true)).toContain('Ce relevé s’arrête aux 1 démarches les plus récentes')
    // In the words of her screens.
    const [row] = imprime.demarches
    const contestation = { id: row!.id, motif: 'autre' as const, contestedAt: imprime.now, answeredAt: null, reponse: null }
    const paper = JSON.stringify(papierDe({ ...imprime, demarches: [{ ...row!, contestation }] }, service))
    expect(paper).toContain('La personne a dit qu’elle n’est pas d’accord, le')
    expect(paper).not.toContain('Contestée')
  })

  it('dit ce qui est arrêté, pourquoi un acte est hors mandat, et ce qui a été fait après l’arrivée de sa lettre', async () => {
    const mandat = await world.signMandat({ persona: 'moussa', perimetre: ['logement'] })
    const by = world.as('thomas')
    const letter = await world.now()
    await world.database.travel({ ms: 60_000 })
    ok(await recordDemarche(world.db, by, uneDemarche(mandat.id)))
    const outside = { ...uneDemarche(mandat.id, 'famille', { titre: 'Une inscription' }) }
    ok(await recordActeHorsMandat(world.db, by, outside, 'Le délai finissait'))
    ok(await recordStop(world.db, by, { mandatId: mandat.id, maniere: 'courrier', recuLe: letter }))
    const { text } = await pdfOf(await shePrints(mandat.id, 'releve', 'moussa'))
    expect(text).not.toContain(serre('Ce relevé s’arrête'))
    expect(text).toMatch(serre('ce mandat n’est plus en cours : arrêté'))
    expect(text).toContain(serre('raison : Le délai finissait'))
    // The act outside the mandat, of the same minutes, too.
    expect(text.split(serre('Faite après l’arrivée de la demande d’arrêt'))).toHaveLength(3)
  })

  it('dit attendue la réponse à une demande déposée, comme la page de l’arrêt, même sans prochaine étape', async () => {
    const mandat = await world.signMandat({ persona: 'josiane', perimetre: ['logement'] })
    const expected = async () => {
      const { text } = await pdfOf(await shePrints(mandat.id, 'releve', 'josiane'))
      return text.includes(serre('Rien n’est attendu')) ? 'rien' : text.includes(serre('Une réponse')) ? 'une réponse' : 'autre'
    }
    for (const [resultat, said] of [
      ['terminee', 'rien'],
      ['deposee', 'une réponse'],
    ] as const) {
      ok(await recordDemarche(world.db, world.as('thomas'), uneDemarche(mandat.id, 'logement', { titre: resultat, resultat })))
      expect([resultat, await expected()]).toEqual([resultat, said])
    }
  })

  it('dit ce qui a été payé pour elle', async () => {
    const mandat = await world.signMandat({ persona: 'aissatou', perimetre: ['logement'] })
    ok(await recordDemarche(world.db, world.as('thomas'), uneDemarche(mandat.id, 'logement', { montantCentimes: 695 })))
    const { text } = await pdfOf(await shePrints(mandat.id, 'releve', 'aissatou'))
    expect(text).toContain(serre('payé : 6,95'))
  })

  it('montre ce que son lecteur peut voir : tout à la personne, le sensible masqué à l’aidant', async () => {
    const mandat = await world.signMandat({ persona: 'laetitia', perimetre: ['social', 'logement'] })
    const by = world.as('thomas')
    const next = { etapeQuoi: 'Apporter le bail', etapeQui: 'personne', etapeQuand: '2027-01-15' } as const
    ok(await recordDemarche(world.db, by, uneDemarche(mandat.id, 'logement', { titre: 'Une aide au logement', ...next })))
    ok(await recordDemarche(world.db, by, uneDemarche(mandat.id, 'social', { titre: 'Un dossier de santé' })))
    await world.sql`alter table demarche disable trigger user`
    await world.sql`update demarche set sensible = true where mandat_id = ${mandat.id} and thematique = 'social'`
    await world.sql`alter table demarche enable trigger user`
    const hers = (await pdfOf(await shePrints(mandat.id, 'releve', 'laetitia'))).text
    expect(hers).toContain(serre('Apporter le bail (à vous), pour le 15 janvier 2027 (démarche du'))
    expect(hers).toContain('santé')
    const theirs = (await pdfOf(await aidantPrints(mandat.id, 'releve'))).text
    expect(theirs).toContain(serre('Une aide au logement'))
    expect(theirs).toContain(serre('Démarche confidentielle'))
    expect(theirs).toContain(serre('Une démarche confidentielle peut avoir une suite, qui n’est pas écrite ici'))
    expect(hers).not.toContain(serre('peut avoir une suite'))
    expect(theirs).not.toMatch(/dossierdesanté|Social-Santé/)
    expect(await printed(mandat.id)).toEqual([])
    const [acces] = await world.sql`select genre from acces where usager_id = ${mandat.usagerId} order by id desc`
    expect(acces).toMatchObject({ genre: 'dossier_consulte' })
  })
})

describe('l’aperçu d’un brouillon', () => {
  it('dit sur chaque page qu’il n’a pas de valeur, sans numéro ni code, et n’écrit rien', async () => {
    const cookie = await world.sessionOf('thomas')
    for (const upTo of ['choix', 'accord'] as const) {
      const id = await world.draft({ persona: 'odette', upTo })
      const { session: _, ...before } = await world.digest()
      const pdf = await pdfOf(await world.post(`/mandats/brouillons/${id}/apercu`, {}, cookie))
      // Across the page, and at its foot.
      for (const page of pdf.pages) expect(page).toMatch(/^sansvaleurjuridique.*Aperçusansvaleurjuridique,imprimé/)
      expect(pdf.text).toContain(serre('rien de ce qu’il dit n’a encore eu lieu'))
      expect(pdf.text).not.toContain(id)
      expect(pdf.text.match(CODE)).toBeNull()
      expect(pdf.alternatives).toEqual([])
      expect(await world.digest()).toMatchObject(before)
      // Another's draft is nobody's.
      expect((await world.post(`/mandats/brouillons/${id}/apercu`, {}, await world.sessionOf('samira'))).status).toBe(404)
    }
  })
})

describe('là où aucun PDF ne peut être fait', () => {
  it('le même papier est une page à imprimer, valide, avec une phrase qui le dit', async () => {
    const papers = openRenderer({ packages: [] })
    const log = openLog((line) => void world.log.push(JSON.parse(line)))
    const app = createApp({ db: world.db, config: world.config, oidc: { franceconnect: world.provider }, log, papers })
    const mandat = await world.signMandat({ persona: 'josiane', perimetre: ['logement', 'famille'] })
    ok(await stopMandat(world.db, await world.asUsager('josiane'), { mandatId: mandat.id, thematique: 'famille' }))
    const headers = {
      'content-type': 'application/x-www-form-urlencoded',
      origin: PUBLIC_URL,
      'sec-fetch-site': 'same-origin',
      cookie: await world.sessionOf('thomas'),
    }
    for (const papier of ['mandat', 'guichet', 'arret', 'releve', 'pour-vous']) {
      const answer = await app.request(`/mandats/${mandat.id}/papiers/${papier}`, {
        method: 'POST',
        headers,
        body: 'thematique=logement',
      })
      expect([answer.status, answer.headers.get('cache-control')]).toEqual([200, 'no-store'])
      const html = await answer.text()
      await expectValidHtml(html)
      expect(html).toContain('Imprimez cette page : elle dit la même chose.')
      expect(/<title>(.*)<\/title>/.exec(html)![1]).not.toMatch(/Josiane|Delpech/i)
      if (papier === 'mandat') {
        expect(html).toContain(codeVerification(world.config.secretsKey, mandat.id))
        expect(html).toMatch(/role="img" aria-label="Code QR[^"]*"><svg/)
      }
      if (papier === 'pour-vous') expect(html.match(CODE)).toHaveLength(1)
    }
    // What crosses the sheets of the PDF crosses these too.
    const draft = await world.draft({ persona: 'odette', upTo: 'choix' })
    const apercu = await app.request(`/mandats/brouillons/${draft}/apercu`, { method: 'POST', headers, body: '' })
    expect(await apercu.text()).toContain('<p class="filigrane"><strong>sans valeur juridique</strong></p>')
    await papers.close()
  })
})

describe('la direction, son dossier ouvert avec une raison', () => {
  it('imprime ce qui dit un fait, et rien de ce qui ouvre ou montre ; une ligne à son nom', async () => {
    const mandat = await world.signMandat({ persona: 'teiki', perimetre: ['logement'] })
    ok(await stopMandat(world.db, await world.asUsager('teiki'), { mandatId: mandat.id }))
    const closed = await aidantPrints(mandat.id, 'arret', 'nadia')
    expect([closed.status, closed.headers.get('location')]).toEqual([303, `/structure/personnes/${mandat.usagerId}`])
    await world.post(
      `/structure/personnes/${mandat.usagerId}/ouvrir`,
      { motif: 'controle', envoi: randomUUID() },
      await world.sessionOf('nadia'),
    )
    for (const papier of ['arret', 'mandat', 'releve']) await pdfOf(await aidantPrints(mandat.id, papier, 'nadia'))
    for (const papier of ['pour-vous', 'guichet'])
      expect((await aidantPrints(mandat.id, papier, 'nadia', { thematique: 'logement' })).status).toBe(303)
    expect(await printed(mandat.id)).toEqual([{ papier: 'arret' }, { papier: 'mandat' }])
    const html = await (await world.get(`/mandats/${mandat.id}`, await world.sessionOf('nadia'))).text()
    expect(html).toContain('Imprimer l’attestation d’arrêt')
    expect(html).not.toMatch(/papiers\/pour-vous|papiers\/guichet|preuve\.json/)
    const elsewhere = await aidantPrints(mandat.id, 'arret', 'jocelyne')
    expect(elsewhere.status).toBe(404)
  })
})
