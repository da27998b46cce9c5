import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { CGU_VERSION } from '../../src/aidant/aidant.ts'
import { constraintOf, type Db, type Tx } from '../../src/db.ts'
import { recordDemarche } from '../../src/demarche/record.ts'
import { AIDANTS, STRUCTURES } from '../../src/demo/people.ts'
import { append } from '../../src/journal/append.ts'
import { giveAccord, refuseAccord } from '../../src/mandat/agree.ts'
import { nonceOf, readConditions, verifyEvidence } from '../../src/mandat/conditions.ts'
import { keepIdentity, openIdentification } from '../../src/mandat/identify.ts'
import type { Jwks } from '../../src/mandat/jws.ts'
import { DUREES, dernierJour, expiresAt, THEMATIQUES, type Thematique } from '../../src/mandat/mandat.ts'
import { findMandat, listAutorisations } from '../../src/mandat/queries.ts'
import { renewMandat } from '../../src/mandat/renew.ts'
import { openSeal } from '../../src/mandat/sceau.ts'
import { signMandat } from '../../src/mandat/sign.ts'
import { chooseAgain, startBrouillon } from '../../src/mandat/start.ts'
import { stopMandat } from '../../src/mandat/stop.ts'
import { expectValidHtml } from '../support/html.ts'
import { newWorld, ok, uneDemarche, type World } from '../support/world.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND
const DAY = 24 * 60 * MINUTE

let world: World
let day = 0
beforeAll(async () => {
  world = await newWorld()
})
afterAll(() => world.close())
/** A mandat of a test is over long before the next test begins. */
beforeEach(async () => {
  await world.database.freeze(new Date(Date.UTC(2026, 2, 2 + 400 * day++, 9, 2, 5, 250)))
  await world.sql`delete from brouillon`
})
const later = (ms: number) => world.database.travel({ ms })

const sign = async (brouillonId: string, code?: string, db: Db = world.db) =>
  signMandat(db, world.as('thomas'), { brouillonId, code: code ?? (await world.freshCode('thomas')) }, world.signer)
const etatOf = (id: string, aidant: keyof typeof AIDANTS = 'thomas') => world.db.tx(world.as(aidant), (tx) => findMandat(tx, id))
const actionsOf = async (id: string) => (await world.lines(id)).map(({ action, acteur }) => `${action} ${acteur}`)
/** Nothing at all is written by `act`, which refuses so. */
const refuses = async (act: () => Promise<unknown>, refusal: string, more: object = {}) => {
  const before = await world.digest()
  expect(await act()).toMatchObject({ ok: false, refusal, ...more })
  expect(await world.digest()).toEqual(before)
}

describe('ce que le serveur refuse de préparer', () => {
  const by = () => world.as('thomas')
  it.each([
    ['aucune_thematique', [], 'mois'],
    ['thematique_inconnue', ['logement', 'tout'], 'mois'],
    ['thematique_desactivee', ['logement', 'justice'], 'mois'],
    ['duree_inconnue', ['logement'], 'toujours'],
    ['duree_inconnue', ['logement'], ''],
  ])('%s : %j %s', async (refusal, thematiques, duree) => {
    await refuses(() => startBrouillon(world.db, by(), { thematiques, duree }), refusal)
    const id = await world.draft({ upTo: 'choix' })
    await refuses(() => chooseAgain(world.db, by(), id, { thematiques, duree }), refusal)
  })

  it('un autre mandat en préparation reste entier, à reprendre', async () => {
    const first = await world.draft({ persona: 'josiane', perimetre: ['famille', 'social'], duree: 'an', upTo: 'accord' })
    const before = await world.sql`select * from brouillon where id = ${first}`
    const second = await world.draft({ persona: 'marcel', perimetre: ['logement'], upTo: 'accord' })
    ok(await sign(second))
    expect(await world.sql`select * from brouillon where id = ${first}`).toEqual(before)
    const { id } = ok(await sign(first))
    expect(await etatOf(id)).toMatchObject({
      perimetre: ['famille', 'social'],
      duree: 'an',
      usagerId: await world.usagerIdOf('josiane'),
    })
  })

  it('le brouillon d’une collègue, ou de sa structure d’à côté, n’existe pas', async () => {
    const id = await world.draft({ aidant: 'samira', structure: 'figeac' })
    for (const other of [world.as('thomas'), world.as('samira', 'saintDenis')]) {
      const code = await world.freshCode('samira')
      await refuses(() => signMandat(world.db, other, { brouillonId: id, code }, world.signer), 'introuvable')
      await refuses(() => openIdentification(world.db, other, { brouillonId: id, navigateur: undefined }), 'introuvable')
      await refuses(() => chooseAgain(world.db, other, id, { thematiques: ['famille'], duree: 'mois' }), 'introuvable')
      const accord = {
        redit: true,
        thematiques: ['logement'],
        lues: ['logement'],
        dernierJour: '2030-01-01',
        suivi: 'papier',
      } as const
      await refuses(() => giveAccord(world.db, other, id, accord), 'introuvable')
      expect(await refuseAccord(world.db, other, id)).toEqual({ ok: true, continuent: [] })
    }
    expect(await world.sql`select 1 from brouillon where id = ${id}`).toHaveLength(1)
  })
})

describe('l’identité reçue', () => {
  const by = () => world.as('thomas')
  const opened = async (telling: Parameters<World['draft']>[0] = {}) => {
    const id = await world.draft({ ...telling, upTo: 'choix' })
    const { nonce } = ok(await openIdentification(world.db, by(), { brouillonId: id, navigateur: undefined }))
    return { id, nonce }
  }

  it('d’une mineure ou de l’aidant lui-même : rien n’est gardé, nulle part, et le brouillon s’efface', async () => {
    await world.database.freeze(new Date('2026-03-02T09:00:00Z'))
    const { prenom, nom, email } = AIDANTS.thomas
    const cases = [
      ['leo', {}, 'mineure', '2014-09'],
      ['josiane', { prenoms: [prenom, 'Marie'], nomNaissance: nom }, 'aidant_lui_meme', 'THOMAS Marie'],
      ['camille', { email: email.toUpperCase() }, 'aidant_lui_meme', 'LESCURE'],
    ] as const
    for (const [persona, said, refusal, trace] of cases) {
      const { id, nonce } = await opened()
      const who = await world.identified(persona, nonce)
      Object.assign(who.identite, said)
      expect(await keepIdentity(world.db, by(), id, who)).toEqual({ ok: false, refusal })
      for (const one of [id, trace]) expect(await world.tablesHolding(one)).toEqual([])
    }
  })

  it('pour des mots changés depuis, ou d’une identification recommencée, n’est pas gardée', async () => {
    const { id, nonce } = await opened()
    const first = await world.identified('josiane', nonce)
    ok(await openIdentification(world.db, by(), { brouillonId: id, navigateur: undefined }))
    await refuses(() => keepIdentity(world.db, by(), id, first), 'choix_changes')
    ok(await chooseAgain(world.db, by(), id, { thematiques: ['famille'], duree: 'mois' }))
    await refuses(() => keepIdentity(world.db, by(), id, first), 'choix_changes')
  })

  it('disparaît dès que les choix changent : il en faut une nouvelle', async () => {
    const id = await world.draft({ persona: 'josiane' })
    ok(await chooseAgain(world.db, by(), id, { thematiques: ['famille'], duree: 'mois' }))
    const [row] =
      await world.sql`select identite, id_token, auth_time, granted, accord_at, conditions, contact from brouillon where id = ${id}`
    expect(Object.values(row!).every((value) => value === null)).toBe(true)
    await refuses(() => sign(id, '000000'), 'identite_absente')
  })

  it('sans lieu de naissance (née à l’étranger) : acceptée', async () => {
    const { id } = await world.signMandat({ persona: 'fatma' })
    expect(await etatOf(id)).toMatchObject({ etat: 'actif' })
  })
})

describe('son accord', () => {
  const by = () => world.as('thomas')
  const give = async (id: string, more: Partial<Parameters<typeof giveAccord>[3]> = {}) => {
    const thematiques = more.thematiques ?? ['logement']
    const now = await world.db.tx(by(), async (tx) => tx.now)
    const read = dernierJour(expiresAt(now, 'mois', 'Europe/Paris'), 'Europe/Paris')
    return giveAccord(world.db, by(), id, {
      redit: true,
      thematiques,
      lues: thematiques,
      dernierJour: read,
      suivi: 'papier',
      ...more,
    })
  }

  it('ne peut qu’ôter une thématique', async () => {
    const id = await world.draft({ perimetre: ['famille', 'logement'], upTo: 'identite' })
    await refuses(() => give(id, { thematiques: ['logement', 'argent'] }), 'perimetre_elargi')
    await refuses(() => give(id, { thematiques: [] }), 'aucune_thematique')
    await refuses(() => give(id, { redit: false }), 'pas_redit')
    await refuses(() => give(id, { thematiques: ['logement'], lues: ['famille', 'logement'] }), 'phrase_a_relire')
    ok(await give(id, { thematiques: ['logement'] }))
    const signed = ok(await sign(id))
    expect(await etatOf(signed.id)).toMatchObject({ perimetre: ['logement'], enVigueur: ['logement'] })
    const [line] = await world.lines(signed.id)
    expect(JSON.parse(line!.payload!)).toMatchObject({ perimetre: ['logement'] })
  })

  it('vaut jusqu’au jour qu’elle a lu, et pas un de plus : lu avant minuit, signé après, on relit', async () => {
    const now = await world.db.tx(by(), async (tx) => tx.now)
    const evening = new Date(expiresAt(now, 'jour', 'Europe/Paris').getTime() - 2 * MINUTE)
    await world.database.freeze(evening)
    const id = await world.draft({ upTo: 'identite' })
    await refuses(() => give(id, { dernierJour: '2030-01-01' }), 'phrase_a_relire')
    ok(await give(id))
    await world.database.freeze(new Date(evening.getTime() + 3 * MINUTE))
    const code = await world.freshCode('thomas')
    await refuses(() => sign(id, code), 'phrase_a_relire')
    ok(await give(id))
    ok(await sign(id, code))
  })

  it('dit comment la prévenir, jamais chez l’aidant', async () => {
    const id = await world.draft({ upTo: 'identite' })
    await refuses(() => give(id, { suivi: 'email' }), 'contact_manquant')
    await refuses(() => give(id, { suivi: 'sms' }), 'contact_manquant')
    await refuses(() => give(id, { suivi: 'email', contact: 'Thomas@Figeac.demo' }), 'contact_aidant')
  })

  it.each([
    [30 * MINUTE, true],
    [30 * MINUTE + SECOND, false],
  ])('%i ms après son identification : accepté %s', async (ms, accepted) => {
    const id = await world.draft({ upTo: 'identite' })
    const [row] = await world.sql<{ auth_time: Date }[]>`select auth_time from brouillon where id = ${id}`
    await world.database.freeze(new Date(row!.auth_time.getTime() + ms))
    if (accepted) ok(await give(id))
    else await refuses(() => give(id), 'connexion_perimee')
  })

  it('son refus efface tout : son nom n’est plus nulle part', async () => {
    const id = await world.draft({ persona: 'voahangy', suivi: 'sms', contact: '+33698765432' })
    for (const trace of ['RAKOTONDRAINIBE', 'Voahangy', '98765432'])
      expect(await world.tablesHolding(trace)).toEqual(['brouillon'])
    expect(await refuseAccord(world.db, by(), id)).toEqual({ ok: true, continuent: [] })
    for (const trace of ['RAKOTONDRAINIBE', 'Voahangy', '98765432', id]) expect(await world.tablesHolding(trace)).toEqual([])
    expect(await refuseAccord(world.db, by(), id)).toEqual({ ok: true, continuent: [] })
    await refuses(() => sign(id, '000000'), 'introuvable')
  })

  it('son non à un autre mandat efface ce qui était proposé, et dit que celui d’aujourd’hui continue, jusqu’à quand, et comment l’arrêter', async () => {
    const told = await world.signMandat({ persona: 'josiane', perimetre: ['transports'] })
    await world.signMandat({ persona: 'josiane', aidant: 'fabrice', perimetre: ['famille'] })
    const id = await world.draft({ persona: 'josiane', perimetre: ['social'], upTo: 'identite' })
    const answer = await world.post(`/mandats/brouillons/${id}/accord`, { reponse: 'non' }, await world.sessionOf('thomas'))
    const page = await answer.text()
    await expectValidHtml(page)
    expect(page).toContain('Votre mandat d’aujourd’hui continue')
    expect(page).toMatch(/peut faire vos démarches de transports[\s\S]*jusqu’au/)
    expect(page).toContain(`href="/mandats/${told.id}/arreter"`)
    // Nothing of what she has with another structure, nor that it is so.
    expect(page).not.toMatch(/aucun mandat n’existe|famille|Saint-Denis/)
    expect(await world.sql`select 1 from brouillon where id = ${id}`).toEqual([])
    expect(await world.sql`select 1 from mandat where id = ${told.id} and ended_at is null`).toHaveLength(1)
  })

  it('son non, dit après la signature, ne lui fait pas croire que rien n’existe', async () => {
    const id = await world.draft()
    ok(await sign(id))
    await refuses(() => refuseAccord(world.db, by(), id), 'deja_signe')
  })
})

describe('rien n’est signé, ni écrit', () => {
  it('sans identité, ou sans accord', async () => {
    await refuses(async () => sign(await world.draft({ upTo: 'identite' }), '000000'), 'accord_absent').catch(() => {})
    const choix = await world.draft({ upTo: 'choix' })
    const identite = await world.draft({ upTo: 'identite' })
    const code = await world.freshCode('thomas')
    await refuses(() => sign(choix, code), 'identite_absente')
    await refuses(() => sign(identite, code), 'accord_absent')
    await refuses(() => sign(randomUUID(), code), 'introuvable')
  })

  it('avec un code faux, ou déjà servi', async () => {
    const first = await world.draft({ persona: 'josiane' })
    const second = await world.draft({ persona: 'marcel' })
    const code = await world.freshCode('thomas')
    const wrong = code === '000000' ? '111111' : '000000'
    await refuses(() => sign(first, wrong), 'second_facteur_refuse')
    ok(await sign(first, code))
    await refuses(() => sign(second, code), 'second_facteur_refuse')
  })

  it.each([
    [30 * MINUTE, true],
    [30 * MINUTE + SECOND, false],
  ])('%i ms après son identification : signé %s', async (ms, signed) => {
    const id = await world.draft()
    const [row] = await world.sql<{ auth_time: Date }[]>`select auth_time from brouillon where id = ${id}`
    await world.database.freeze(new Date(row!.auth_time.getTime() + ms))
    const code = await world.freshCode('thomas')
    if (signed) ok(await sign(id, code))
    else await refuses(() => sign(id, code), 'connexion_perimee')
  })

  it('quand les conditions d’utilisation, la structure ou une thématique ne le permettent plus', async () => {
    const id = await world.draft({ perimetre: ['logement', 'argent'] })
    const code = await world.freshCode('thomas')
    const { thomas } = world.aidants
    await world.sql`update aidant set cgu_version = 0 where id = ${thomas}`
    await refuses(() => sign(id, code), 'cgu_non_acceptees')
    await world.sql`update aidant set cgu_version = ${CGU_VERSION}, suspended_at = horloge() where id = ${thomas}`
    await refuses(() => sign(id, code), 'aidant_suspendu')
    await world.sql`update aidant set suspended_at = null where id = ${thomas}`
    await world.sql`update structure set thematiques_desactivees = '{justice,argent}' where id = ${world.structures.figeac}`
    await refuses(() => sign(id, code), 'thematique_desactivee')
    await world.sql`update structure set thematiques_desactivees = '{justice}', suspended_at = horloge() where id = ${world.structures.figeac}`
    await refuses(() => sign(id, code), 'structure_suspendue')
    await world.sql`update structure set suspended_at = null where id = ${world.structures.figeac}`
    ok(await sign(id, code))
  })

  it('si les deux pièces de la preuve ne vont plus ensemble', async () => {
    const id = await world.draft({ perimetre: ['logement', 'famille'], accordees: ['logement'] })
    const other = await world.draft({ persona: 'josiane', perimetre: ['logement', 'famille'] })
    const code = await world.freshCode('thomas')
    const [kept] =
      await world.sql`select conditions, id_token, identite, auth_time, perimetre, granted from brouillon where id = ${id}`
    const [hers] = await world.sql`select conditions, id_token, identite, auth_time from brouillon where id = ${other}`
    const broken: Record<string, object> = {
      'un mot des conditions': { conditions: kept!.conditions.replace('"mois"', '"an"') },
      'les conditions d’un autre brouillon': { conditions: hers!.conditions },
      'le jeton d’une autre': { id_token: hers!.id_token },
      'les deux pièces d’une autre, sur ce brouillon': { conditions: hers!.conditions, id_token: hers!.id_token },
      'les deux pièces et l’identité d’une autre, sur ce brouillon': {
        conditions: hers!.conditions,
        id_token: hers!.id_token,
        identite: world.sql.json(hers!.identite),
      },
      'l’identité d’une autre': { identite: world.sql.json(hers!.identite) },
      'une signature retouchée': { id_token: `${kept!.id_token.slice(0, -4)}AAAA` },
      'une identification rajeunie': { auth_time: new Date(kept!.auth_time.getTime() + 20 * SECOND) },
    }
    for (const [why, change] of Object.entries(broken)) {
      await world.sql`update brouillon set ${world.sql(change)} where id = ${id}`
      await refuses(() => sign(id, code), 'preuve_invalide').catch((error: Error) => {
        throw new Error(`${why}: ${error.message}`)
      })
      const back = { ...kept, identite: world.sql.json(kept!.identite) }
      await world.sql`update brouillon set ${world.sql(back)} where id = ${id}`
    }
    // A périmètre widened in the database: outside of what her identification was bound to.
    await world.sql`update brouillon set perimetre = '{logement,argent}', granted = '{logement,argent}' where id = ${id}`
    await refuses(() => sign(id, code), 'perimetre_elargi')
    await world.sql`update brouillon set ${world.sql({ perimetre: kept!.perimetre, granted: kept!.granted })} where id = ${id}`
    // A durée lengthened there: what is signed is what she agreed to.
    await world.sql`update brouillon set duree = 'an' where id = ${id}`
    ok(await sign(id, code))
    expect(await etatOf(id)).toMatchObject({ duree: 'mois', perimetre: ['logement'] })
  })

  it('si un autre jeu de clés est présenté comme celui de FranceConnect', async () => {
    const id = await world.draft()
    const stranger = await newWorld()
    const foreign = await stranger.draft()
    const [row] = await stranger.sql`select conditions, id_token from brouillon where id = ${foreign}`
    await stranger.close()
    await world.sql`update brouillon set conditions = ${row!.conditions}, id_token = ${row!.id_token} where id = ${id}`
    const code = await world.freshCode('thomas')
    await refuses(() => sign(id, code), 'preuve_invalide', { reason: 'cle_inconnue' })
  })
})

describe('ce qui est signé', () => {
  it('se vérifie : le sceau, la preuve, le texte, la ligne', async () => {
    const {
      id,
      signedAt,
      expiresAt: end,
      usagerId,
    } = await world.signMandat({
      persona: 'josiane',
      perimetre: ['papiers', 'argent', 'famille'],
      accordees: ['argent', 'papiers'],
      duree: 'trimestre',
      suivi: 'sms',
    })
    const [contenu] = await world.sql`select * from mandat_contenu where mandat_id = ${id}`
    const [archive] = await world.sql`select jwks from jwks_archive where id = ${contenu!.jwks_id}`
    const { seal, publicUrl, franceconnect } = world.signer
    const opened = await openSeal(contenu!.sceau, seal.jwks, { issuer: publicUrl })
    if (!opened.ok) throw new Error(opened.reason)
    expect(opened.claims).toMatchObject({
      jti: id,
      iat: signedAt.getTime() / 1000,
      exp: end.getTime() / 1000,
      mandant: { given_name: 'Josiane', family_name: 'BOUSQUET', birthdate: '1961-11-02' },
      mandataire: { siret: STRUCTURES.figeac.siret, nom: STRUCTURES.figeac.nom },
      act: { nom: 'Thomas Lacombe' },
      perimetre: ['papiers', 'argent'],
    })
    const jwks = JSON.parse(archive!.jwks) as Jwks
    const pair = { conditions: contenu!.conditions as string, idToken: contenu!.id_token as string, jwks, ...franceconnect }
    expect(await verifyEvidence({ ...pair, perimetre: ['papiers', 'argent'] })).toMatchObject({ ok: true })
    expect(await verifyEvidence({ ...pair, perimetre: ['papiers', 'justice'] })).toMatchObject({ ok: false })
    expect(readConditions(contenu!.conditions)).toMatchObject({
      id,
      duree: 'trimestre',
      perimetre: ['papiers', 'famille', 'argent'],
    })
    expect(JSON.parse(Buffer.from((contenu!.id_token as string).split('.')[1]!, 'base64url').toString()).nonce).toBe(
      nonceOf(contenu!.conditions),
    )
    expect(contenu!.texte).toContain(STRUCTURES.figeac.nom)
    // No identifier of FranceConnect on what is handed over.
    const [usager] = await world.sql<{ sub: string }[]>`select sub from usager where id = ${usagerId}`
    expect(Buffer.from((contenu!.sceau as string).split('.')[1]!, 'base64url').toString()).not.toContain(usager!.sub)
    expect(await actionsOf(id)).toEqual(['mandat_signe aidant'])
    expect(await world.sql`select 1 from brouillon where id = ${id}`).toHaveLength(0)
    expect(await world.tablesHolding(usager!.sub)).toEqual(['mandat_contenu', 'usager'])
  })

  it('un seul champ changé se voit', async () => {
    const { id } = await world.signMandat()
    const [contenu] = await world.sql<{ sceau: string }[]>`select sceau from mandat_contenu where mandat_id = ${id}`
    const [header, body, signature] = contenu!.sceau.split('.') as [string, string, string]
    const claims = JSON.parse(Buffer.from(body, 'base64url').toString())
    for (const change of [
      { perimetre: ['argent'] },
      { exp: claims.exp + 86_400 },
      { mandant: { ...claims.mandant, family_name: 'LACOMBES' } },
    ]) {
      const forged = Buffer.from(JSON.stringify({ ...claims, ...change })).toString('base64url')
      const { seal, publicUrl } = world.signer
      expect(await openSeal(`${header}.${forged}.${signature}`, seal.jwks, { issuer: publicUrl })).toMatchObject({ ok: false })
    }
  })

  it.each([
    ['thomas', 'Europe/Paris', '2027-12-31T23:30:00Z', 'jour'],
    ['fabrice', 'Indian/Reunion', '2027-12-31T21:30:00Z', 'jour'],
    ['thomas', 'Europe/Paris', '2028-01-29T09:00:00Z', 'mois'],
    ['thomas', 'Europe/Paris', '2027-02-28T09:00:00Z', 'an'],
    ['thomas', 'Europe/Paris', '2027-03-27T22:59:59Z', 'jour'],
    ['thomas', 'Europe/Paris', '2027-10-30T21:59:59Z', 'jour'],
    ['fabrice', 'Indian/Reunion', '2027-09-01T05:00:00Z', 'semestre'],
  ] as const)('%s, %s, signé le %s pour un %s : fini à 23:59:59 chez la structure, à la seconde', async (aidant, fuseau, at, duree) => {
    const then = await newWorld()
    try {
      await then.database.freeze(new Date(at))
      const { id, expiresAt: end } = await then.signMandat({ aidant, persona: 'teiki', duree })
      expect(end).toEqual(expiresAt(new Date(at), duree, fuseau))
      expect(new Intl.DateTimeFormat('fr-FR', { timeZone: fuseau, timeStyle: 'medium' }).format(end)).toBe('23:59:59')
      const seen: unknown[] = []
      for (const ms of [-SECOND, 0, SECOND]) {
        await then.database.freeze(new Date(end.getTime() + ms))
        const mandat = await then.db.tx(then.as(aidant), (tx) => findMandat(tx, id))
        seen.push([mandat!.etat, mandat!.enVigueur.length])
      }
      expect(seen).toEqual([
        ['actif', 1],
        ['expire', 0],
        ['expire', 0],
      ])
    } finally {
      await then.close()
    }
  })

  it('la base et le code sont d’accord sur la fin, toute l’année, dans les deux fuseaux', async () => {
    const start = Date.UTC(2027, 0, 1, 0, 30)
    const cases = Array.from({ length: 366 * 2 }, (_, i) => ({
      at: new Date(start + i * 12 * 60 * MINUTE),
      duree: DUREES[i % DUREES.length]!,
      fuseau: i % 2 ? 'Indian/Reunion' : 'Europe/Paris',
    }))
    const rows = await world.sql<{ end: Date }[]>`
      select (date_trunc('day', at at time zone fuseau) + make_interval(days => jours(duree)) + interval '23:59:59') at time zone fuseau as end
      from unnest(${cases.map(({ at }) => at.toISOString())}::text[]::timestamptz[], ${cases.map(({ duree }) => duree)}::text[],
        ${cases.map(({ fuseau }) => fuseau)}::text[]) with ordinality as c(at, duree, fuseau, rang)
      order by rang`
    expect(rows.map(({ end }) => end)).toEqual(cases.map(({ at, duree, fuseau }) => expiresAt(at, duree, fuseau)))
  })

  it('se relit des années plus tard comme il a été signé, la structure et la personne ayant changé de nom', async () => {
    const { id, usagerId } = await world.signMandat({ persona: 'josiane' })
    const cookie = await world.sessionOf('thomas')
    const before = await (await world.get(`/mandats/${id}`, cookie)).text()
    await world.sql`update structure set nom = 'Centre social du Célé', adresse = 'Ailleurs, 46100 Figeac' where id = ${world.structures.figeac}`
    await world.sql`alter table usager disable trigger user`
    await world.sql`update usager set nom_usage = 'NOUVEAU-NOM' where id = ${usagerId}`
    await world.sql`alter table usager enable trigger user`
    await later(5 * 365 * DAY)
    const again = await (await world.get(`/mandats/${id}`, await world.sessionOf('thomas'))).text()
    const main = (html: string) => html.slice(html.indexOf('<h1'), html.indexOf('</main>'))
    for (const html of [before, again]) {
      expect(main(html)).toContain('DELPECH')
      expect(main(html)).toContain(STRUCTURES.figeac.nom)
      expect(main(html)).not.toMatch(/NOUVEAU-NOM|Célé/)
    }
    expect(main(again)).toContain('class="etat expire"')
    await world.sql`update structure set nom = ${STRUCTURES.figeac.nom}, adresse = ${STRUCTURES.figeac.adresse} where id = ${world.structures.figeac}`
  })
})

/** `db` whose work is cut off once it has sent `after` statements; tells how many it sent. */
function interrupted(db: Db, after: number): { db: Db; sent(): number } {
  let sent = 0
  const cut = new Error('coupure')
  const sqlOf = (sql: Tx['sql']): Tx['sql'] =>
    new Proxy(sql, {
      apply(target, self, args) {
        const statement = Reflect.apply(target, self, args)
        if (typeof statement?.then !== 'function') return statement
        const send = statement.then.bind(statement)
        let counted = false
        // A statement leaves when it is waited for; a fragment never is.
        Reflect.set(statement, 'then', (done: never, failed: never) => {
          if (counted || !done) return send(done, failed)
          counted = true
          const last = ++sent === after
          return send((rows: unknown) => (last ? Promise.reject(cut) : rows)).then(done, failed)
        })
        return statement
      },
    })
  const txOf = (tx: Tx): Tx => {
    const sql = sqlOf(tx.sql)
    return new Proxy(tx, { get: (target, name) => (name === 'sql' ? sql : Reflect.get(target, name)) })
  }
  return { db: { ...db, tx: (who, work, options) => db.tx(who, (tx) => work(txOf(tx)), options) }, sent: () => sent }
}

describe('la signature interrompue', () => {
  it('après chacune de ses instructions ne laisse rien, puis se signe', async () => {
    await world.signMandat({ persona: 'josiane', perimetre: ['logement', 'famille'] })
    await later(MINUTE)
    const telling = {
      persona: 'josiane',
      perimetre: ['logement', 'argent'],
      suivi: 'email',
      contact: 'autre@example.org',
    } as const
    const whole = interrupted(world.db, Number.POSITIVE_INFINITY)
    ok(await sign(await world.draft(telling), undefined, whole.db))
    const statements = whole.sent()
    expect(statements).toBeGreaterThan(20)

    await later(MINUTE)
    const brouillonId = await world.draft({ ...telling, contact: 'encore@example.org' })
    const code = await world.freshCode('thomas')
    const before = await world.digest()
    for (let after = 1; after <= statements; after++) {
      const part = interrupted(world.db, after)
      await expect(sign(brouillonId, code, part.db)).rejects.toThrow('coupure')
      expect(part.sent()).toBeGreaterThanOrEqual(after)
      expect({ after, ...(await world.digest()) }).toEqual({ after, ...before })
    }
    const { id } = ok(await sign(brouillonId, code))
    expect(id).toBe(brouillonId)
    expect(await etatOf(id)).toMatchObject({ etat: 'actif', enVigueur: ['logement', 'argent'] })
  })

  it('l’arrêt aussi : tout ou rien', async () => {
    const { id } = await world.signMandat({ persona: 'marcel', perimetre: ['logement', 'argent'], suivi: 'sms' })
    const by = await world.asUsager('marcel')
    const before = await world.digest()
    let after = 1
    for (; ; after++) {
      const part = interrupted(world.db, after)
      const stopped = await stopMandat(part.db, by, { mandatId: id }).catch((error: Error) => error)
      if (!(stopped instanceof Error)) break
      expect(stopped.message).toBe('coupure')
      expect({ after, ...(await world.digest()) }).toEqual({ after, ...before })
    }
    expect(after).toBeGreaterThan(10)
    expect(await etatOf(id)).toMatchObject({ etat: 'termine', endedHow: 'revoque' })
  })
})

describe('la même signature, deux fois', () => {
  it('au même instant : un seul mandat, la même réponse', async () => {
    const brouillonId = await world.draft({ suivi: 'sms' })
    const code = await world.freshCode('thomas')
    const answers = await Promise.all([1, 2, 3].map(() => sign(brouillonId, code)))
    expect(answers).toEqual([1, 2, 3].map(() => ({ ok: true, id: brouillonId })))
    expect(await world.sql`select 1 from mandat where id = ${brouillonId}`).toHaveLength(1)
    expect(await actionsOf(brouillonId)).toEqual(['mandat_signe aidant'])
    expect((await world.messages()).filter(({ cle }) => cle.includes(brouillonId))).toHaveLength(1)
  })

  it('plus tard, par le bouton retour : rien de plus', async () => {
    const brouillonId = await world.draft()
    const code = await world.freshCode('thomas')
    ok(await sign(brouillonId, code))
    const before = await world.digest()
    expect(await sign(brouillonId, code)).toEqual({ ok: true, id: brouillonId })
    expect(await world.digest()).toEqual(before)
  })
})

describe('accorder à nouveau une thématique en cours', () => {
  it('finit l’ancienne dans cette structure, par quelque aidant que ce soit ; ailleurs rien ne bouge', async () => {
    const first = await world.signMandat({ aidant: 'thomas', perimetre: ['logement', 'famille'] })
    const elsewhere = await world.signMandat({ aidant: 'fabrice', perimetre: ['logement'] })
    await later(MINUTE)
    const second = await world.signMandat({ aidant: 'ines', perimetre: ['logement', 'argent'] })
    expect(await etatOf(first.id)).toMatchObject({ etat: 'actif', enVigueur: ['famille'] })
    expect(await etatOf(second.id)).toMatchObject({ etat: 'actif', enVigueur: ['logement', 'argent'] })
    expect(await etatOf(elsewhere.id, 'fabrice')).toMatchObject({ etat: 'actif', enVigueur: ['logement'] })
    expect(await actionsOf(first.id)).toEqual(['mandat_signe aidant', 'autorisation_remplacee aidant'])
    const [replaced] =
      await world.sql`select revoked_at, revoked_how from autorisation where mandat_id = ${first.id} and thematique = 'logement'`
    expect(replaced).toEqual({ revoked_at: second.signedAt, revoked_how: 'remplace' })

    await later(MINUTE)
    const third = await world.signMandat({ aidant: 'thomas', perimetre: ['famille'] })
    expect(await etatOf(first.id)).toMatchObject({ etat: 'termine', endedHow: 'remplace', endedAt: third.signedAt })
    expect((await actionsOf(first.id)).slice(2)).toEqual(['autorisation_remplacee aidant', 'mandat_termine aidant'])
    expect(await actionsOf(elsewhere.id)).toEqual(['mandat_signe aidant'])
  })

  it('deux mandats aux thématiques différentes sont en cours tous les deux', async () => {
    const first = await world.signMandat({ perimetre: ['logement'] })
    const second = await world.signMandat({ perimetre: ['famille'] })
    expect([(await etatOf(first.id))!.etat, (await etatOf(second.id))!.etat]).toEqual(['actif', 'actif'])
  })

  it('dans la seconde même où elle l’a arrêtée : signé, à la seconde suivante', async () => {
    await world.database.freeze(null)
    // Both within one second, whatever the time it is.
    const [{ ms }] = (await world.sql`select extract(milliseconds from horloge())::int % 1000 as ms`) as unknown as [
      { ms: number },
    ]
    await later(1000 - ms)
    const first = await world.signMandat({ persona: 'camille' })
    const brouillonId = await world.draft({ persona: 'camille' })
    const code = await world.freshCode('thomas')
    const stopped = ok(await stopMandat(world.db, await world.asUsager('camille'), { mandatId: first.id }))
    ok(await sign(brouillonId, code))
    const [second] = await world.sql<{ signed_at: Date }[]>`select signed_at from mandat where id = ${brouillonId}`
    expect(second!.signed_at.getTime()).toBeGreaterThanOrEqual(stopped.at.getTime())
    expect(await etatOf(first.id)).toMatchObject({ etat: 'termine', endedHow: 'revoque' })
  })

  it('dans la seconde même où l’ancienne a servi : aucune démarche régulière après sa fin', async () => {
    await world.database.freeze(null)
    const first = await world.signMandat({ persona: 'camille', perimetre: ['logement'] })
    const [{ ms }] = (await world.sql`select extract(milliseconds from horloge())::int % 1000 as ms`) as unknown as [
      { ms: number },
    ]
    const brouillonId = await world.draft({ persona: 'camille', perimetre: ['logement'] })
    const code = await world.freshCode('thomas')
    await later(1000 - ms)
    ok(await recordDemarche(world.db, world.as('ines'), uneDemarche(first.id)))
    ok(await sign(brouillonId, code))
    const late = await world.sql`
      select 1
      from demarche d
      join autorisation a on a.mandat_id = d.mandat_id and a.thematique = d.thematique
      where d.mandat_id = ${first.id} and d.genre = 'reguliere' and greatest(d.done_at, d.recorded_at) >= a.revoked_at`
    expect(late).toHaveLength(0)
    expect(await etatOf(first.id)).toMatchObject({ etat: 'termine', endedHow: 'remplace' })
  })
})

describe('l’arrêt par la personne', () => {
  const stop = async (mandatId: string, thematique?: Thematique, persona = 'odette') =>
    stopMandat(world.db, await world.asUsager(persona), { mandatId, thematique })

  it('d’une partie laisse le reste en cours ; de la dernière thématique, finit le mandat', async () => {
    const { id } = await world.signMandat({ perimetre: ['logement', 'famille'] })
    await later(MINUTE)
    expect(await stop(id, 'famille')).toMatchObject({ ok: true, ended: ['famille'], mandatEnded: false })
    expect(await etatOf(id)).toMatchObject({ etat: 'actif', enVigueur: ['logement'] })
    expect(await stop(id, 'logement')).toMatchObject({ ok: true, ended: ['logement'], mandatEnded: true })
    expect(await etatOf(id)).toMatchObject({ etat: 'termine', endedHow: 'revoque' })
    expect((await actionsOf(id)).slice(1)).toEqual([
      'autorisation_revoquee usager',
      'autorisation_revoquee usager',
      'mandat_termine usager',
    ])
  })

  it('écrit une ligne par thématique restante, et une pour le mandat', async () => {
    const { id } = await world.signMandat({ perimetre: ['logement', 'famille', 'argent'] })
    ok(await stop(id, 'argent'))
    ok(await stop(id))
    const lines = await world.lines(id)
    expect(lines.map(({ action, mandatSeq }) => `${mandatSeq} ${action}`)).toEqual([
      '1 mandat_signe',
      '2 autorisation_revoquee',
      '3 autorisation_revoquee',
      '4 autorisation_revoquee',
      '5 mandat_termine',
    ])
    expect(lines.slice(1, 4).map(({ payload }) => JSON.parse(payload!).thematique)).toEqual(['argent', 'famille', 'logement'])
  })

  it('ni deux fois, ni après la fin, ni celui d’une autre, ni une thématique d’un autre mandat', async () => {
    const first = await world.signMandat({ perimetre: ['logement'], duree: 'jour' })
    const second = await world.signMandat({ perimetre: ['famille', 'argent'], duree: 'mois' })
    await world.signMandat({ persona: 'josiane', perimetre: ['famille'], duree: 'mois' })
    await refuses(() => stop(second.id, 'logement'), 'thematique_absente')
    await refuses(() => stop(second.id, undefined, 'josiane'), 'introuvable')
    await refuses(() => stop(randomUUID()), 'introuvable')
    ok(await stop(second.id, 'argent'))
    await refuses(() => stop(second.id, 'argent'), 'deja_termine')
    ok(await stop(second.id))
    await refuses(() => stop(second.id), 'deja_termine')
    await world.database.freeze(first.expiresAt)
    await refuses(() => stop(first.id), 'deja_expire')
    await later(400 * DAY)
    // Ended and expired are two things, and stay so.
    expect(await etatOf(first.id)).toMatchObject({ etat: 'expire', endedHow: null })
    expect(await etatOf(second.id)).toMatchObject({ etat: 'termine', endedHow: 'revoque' })
  })

  it('un nom de cent vingt lettres laisse entiers le SMS et le téléphone, en lettres d’un SMS', async () => {
    const nom = `Maison « France services » – Cœur d’Îlot ${'À'.repeat(79)}`
    expect(nom).toHaveLength(120)
    await world.sql`update structure set nom = ${nom} where id = ${world.structures.figeac}`
    try {
      const { id } = await world.signMandat({ persona: 'josiane', suivi: 'sms', contact: '+33611223344' })
      ok(await stop(id, undefined, 'josiane'))
      const corps = (await world.messages())
        .filter(({ cle, canal }) => cle.includes(id) && canal === 'sms')
        .map((one) => one.corps)
      expect(corps).toHaveLength(2)
      expect(corps.filter((one) => / 05 65 50 05 40$/.test(one))).toHaveLength(1)
      expect(corps.filter((one) => / ne sont pas annulees\.$/.test(one))).toHaveLength(1)
      for (const one of corps) {
        expect(one).toContain('Maison "France services" - Coeur')
        expect(one).toMatch(/^[ -Z_a-z]{1,160}$/)
      }
    } finally {
      await world.sql`update structure set nom = ${STRUCTURES.figeac.nom} where id = ${world.structures.figeac}`
    }
  })

  it.each([
    ['CCAS de Figeac', 'au CCAS de Figeac', 'le CCAS de Figeac'],
    ['Maison France services', 'a la Maison France services', 'la Maison France services'],
    ['Épicerie solidaire', "a l'Epicerie solidaire", "l'Epicerie solidaire"],
    ['Les Restos', 'a la structure Les Restos', 'la structure Les Restos'],
    // By whole words, as many as the SMS has room for.
    [`CCAS de ${'Figeac-'.repeat(16)}`, 'au CCAS', 'le CCAS'],
    [`Horizon ${'ÉÀÎ'.repeat(37)}`, 'a la structure Horizon', 'la structure Horizon'],
  ])('%s est nommée comme on le dit, par SMS et par e-mail', async (nom, to, the) => {
    const plain = (text: string) => text.normalize('NFKD').replace(/\p{M}/gu, '').replaceAll('’', "'")
    await world.sql`update structure set nom = ${nom} where id = ${world.structures.figeac}`
    try {
      const told = async (suivi: 'sms' | 'email', contact: string) => {
        const { id } = await world.signMandat({ persona: 'josiane', suivi, contact })
        ok(await stopMandat(world.db, await world.asUsager('josiane'), { mandatId: id }))
        const all = (await world.messages()).filter(({ cle }) => cle.includes(id))
        for (const { corps } of all) expect(corps).not.toMatch(/(?<!\p{L})(?:[àa]|de) le /iu)
        const said = (key: RegExp) => all.find(({ cle }) => key.test(cle))!.corps
        return [said(/^mandat-signe:/), said(/^arret:[^:]+:\d+$/), said(/:aidant:/)]
      }
      const [signed, stopped, aidant] = await told('sms', '+33611223344')
      expect(signed).toContain(`vous avez donne mandat ${to}`)
      expect(stopped).toContain(`votre mandat avec ${the}`)
      for (const corps of [signed, stopped]) expect(corps).toMatch(/^[ -Z_a-z]{1,160}$/)
      expect(plain(aidant!)).toContain(`un mandat donne ${to}`)
      await later(MINUTE)
      const [mail, arret] = await told('email', 'josiane@example.org')
      expect(plain(mail!)).toContain(`accord : ${the}`)
      expect(plain(mail!)).toContain(`Appelez ${the}`)
      expect(plain(arret!)).toContain(` : ${the}`)
    } finally {
      await world.sql`update structure set nom = ${STRUCTURES.figeac.nom} where id = ${world.structures.figeac}`
    }
  })

  it('prévient les deux côtés, sans nom, ni démarche, ni thématique', async () => {
    const { id } = await world.signMandat({
      persona: 'josiane',
      perimetre: ['logement', 'argent'],
      suivi: 'sms',
      contact: '+33611223344',
    })
    ok(await stop(id, 'argent', 'josiane'))
    ok(await stop(id, undefined, 'josiane'))
    const told = (await world.messages()).filter(({ cle }) => cle.includes(id))
    const to = (who: string) => told.filter(({ destinataire }) => destinataire === who)
    expect(to('+33611223344')).toHaveLength(3)
    expect(to(AIDANTS.thomas.email)).toHaveLength(2)
    expect(to(AIDANTS.nadia.email)).toHaveLength(2)
    expect(to(AIDANTS.ines.email)).toHaveLength(0)
    for (const { canal, sujet, corps } of told) {
      expect(`${sujet} ${corps}`).not.toMatch(/josiane|bousquet|delpech|logement|argent/i)
      if (canal === 'sms') {
        expect(corps).not.toMatch(/https?:|www/)
        expect(corps.length).toBeLessThanOrEqual(160)
        expect(corps).toMatch(/^[A-Za-z0-9 .,:;!?'()+-]+$/)
      }
    }
  })
})

describe('ce que l’on sait de la personne', () => {
  const changes = async (usagerId: string) =>
    (await world.lines())
      .filter((line) => line.usagerId === usagerId && /_modifie/.test(line.action))
      .map(({ action, payload }) => `${action} ${JSON.parse(payload!).champs}`)

  it('un nouveau contact est écrit avec sa ligne, le même n’en écrit pas', async () => {
    const { usagerId } = await world.signMandat({
      persona: 'ibrahim',
      aidant: 'fabrice',
      suivi: 'email',
      contact: 'un@example.org',
    })
    const before = (await changes(usagerId)).length
    await world.signMandat({ persona: 'ibrahim', aidant: 'fabrice', suivi: 'email', contact: 'un@example.org' })
    expect(await changes(usagerId)).toHaveLength(before)
    await world.signMandat({ persona: 'ibrahim', aidant: 'fabrice', suivi: 'email', contact: 'deux@example.org' })
    expect((await changes(usagerId)).slice(before)).toEqual(['contact_modifie email'])
    expect(await world.sql`select email from usager where id = ${usagerId}`).toEqual([{ email: 'deux@example.org' }])
    // Which fields moved is in the journal, never what they hold.
    expect((await world.tablesHolding('deux@example.org')).filter((table) => table.startsWith('journal'))).toEqual([])
  })

  it('choisir le papier arrête les SMS et les e-mails', async () => {
    const first = await world.signMandat({ persona: 'nassimah', aidant: 'fabrice', suivi: 'sms', contact: '+262692112233' })
    const second = await world.signMandat({ persona: 'nassimah', aidant: 'fabrice', suivi: 'papier' })
    expect(await world.sql`select suivi from usager where id = ${first.usagerId}`).toEqual([{ suivi: 'papier' }])
    ok(await stopMandat(world.db, await world.asUsager('nassimah'), { mandatId: second.id }))
    const hers = (await world.messages()).filter(({ destinataire }) => destinataire === '+262692112233')
    // Told once more there, that it is not hers to be told any longer; nothing of what comes after.
    expect(hers.map(({ cle }) => cle)).toEqual([expect.stringMatching(/^contact:/), `mandat-signe:${first.id}`])
  })

  it('une correction de son état civil remplace, avec sa ligne, et se retrouve', async () => {
    const { id, usagerId } = await world.signMandat({ persona: 'laetitia', perimetre: ['logement'] })
    const brouillonId = await world.draft({ persona: 'laetitia', perimetre: ['famille'] })
    await world.sql`update brouillon set identite = identite || '{"nomUsage": "MARIEE"}' where id = ${brouillonId}`
    ok(await sign(brouillonId))
    expect(await changes(usagerId)).toContain('identite_modifiee nomUsage')
    const list = await world.get('/personnes?q=mariee', await world.sessionOf('thomas'))
    expect(await list.text()).toContain('MARIEE')
    const [contenu] = await world.sql`select identite from mandat_contenu where mandat_id = ${id}`
    expect(contenu!.identite.nomUsage).not.toBe('MARIEE')
  })
})

describe('la base, l’application contournée', () => {
  /** Inserts a mandat by SQL as the application's role, like a well-signed one but for what is changed; answers the constraint or code met. */
  const forge = async (
    change: Partial<Record<string, unknown>> = {},
    more: {
      thematique?: Thematique | null
      line?: 'mandat_signe' | 'attestation_imprimee'
      otherLine?: number
      as?: keyof typeof AIDANTS
    } = {},
  ) => {
    const { usagerId } = await world.signMandat({ perimetre: ['famille'], duree: 'jour' })
    const by = world.as(more.as ?? 'thomas')
    const now = await world.now()
    const signedAt = new Date(Math.floor(now.getTime() / 1000) * 1000)
    const [free] = await world.sql<{ n: number }[]>`
      select n from generate_series(0, 6249) n where not exists (select 1 from mandat where statut_bloc = n) order by random() limit 1`
    const row = {
      id: randomUUID(),
      structure_id: world.structures.figeac,
      usager_id: usagerId,
      aidant_id: by.aidantId,
      duree: 'mois',
      signed_at: signedAt,
      expires_at: expiresAt((change.signed_at as Date) ?? signedAt, 'mois', 'Europe/Paris'),
      statut_bloc: free!.n,
      ...change,
    }
    return world.db
      .tx(by, async (tx) => {
        const mandat = { id: row.id, structureId: row.structure_id, usagerId: row.usager_id }
        const line = await append(tx, { action: more.line ?? 'mandat_signe', mandat, contenu: {} })
        await tx.sql`insert into mandat ${tx.sql({ ...row, journal_id: more.otherLine ?? line.id } as never)}`
        if (more.thematique !== null)
          await tx.sql`
            insert into autorisation (mandat_id, structure_id, usager_id, thematique, signed_at, expires_at, journal_id)
            values (${row.id}, ${row.structure_id}, ${row.usager_id}, ${more.thematique ?? 'logement'}, ${row.signed_at}, ${row.expires_at}, ${line.id})`
        await tx.sql`
          insert into mandat_contenu (mandat_id, structure_id, usager_id, sceau, conditions, id_token, jwks_id, texte, identite, structure, aidant, accord)
          select ${row.id}, ${row.structure_id}, ${row.usager_id}, '', '{}', '', id, '', '{}', '{}', '{}', '{}' from jwks_archive limit 1`
        return 'signed'
      })
      .catch((error) => constraintOf(error) ?? (error as { code?: string }).code ?? String(error))
  }

  it('un mandat bien fait passe', async () => {
    expect(await forge()).toBe('signed')
  })

  it('refuse un mandat d’un autre moment, d’une autre fin, fini d’avance, sans ligne ou sans thématique', async () => {
    const now = await world.now()
    const second = Math.floor(now.getTime() / 1000) * 1000
    const before = await world.digest()
    expect(await forge({ signed_at: new Date(second - 31 * SECOND) })).toBe('mandat_signe_maintenant')
    expect(await forge({ signed_at: new Date(second + SECOND) })).toBe('mandat_signe_maintenant')
    expect(await forge({ signed_at: new Date(second - 500) })).toMatch(/check/)
    const end = expiresAt(new Date(second), 'mois', 'Europe/Paris')
    for (const ms of [-SECOND, SECOND, DAY])
      expect(await forge({ expires_at: new Date(end.getTime() + ms) })).toBe('mandat_fin_du_jour')
    expect(await forge({ duree: 'an' })).toBe('mandat_fin_du_jour')
    expect(await forge({ ended_at: now, ended_how: 'revoque' })).toBeTypeOf('string')
    expect(await forge({}, { line: 'attestation_imprimee' })).toBe('ligne_du_fait')
    expect(await forge({}, { thematique: null })).toBe('mandat_coherent')
    const [older] = await world.lines()
    expect(await forge({}, { otherLine: older!.id })).toBe('ligne_du_fait')
    const grown = await world.digest()
    expect(grown.structure).toBe(before.structure)
    expect(await world.sql`select 1 from mandat where duree = 'mois' and signed_at > ${new Date(second - MINUTE)}`).toHaveLength(
      0,
    )
  })

  it('refuse un contact que personne n’a prouvé, ou partagé sans dire avec qui, et un renouvellement plus long que son brouillon', async () => {
    const id = await world.draft({ suivi: 'sms' })
    const draft = (set: Record<string, unknown>) => world.sql`update brouillon set ${world.sql(set as never)} where id = ${id}`
    await draft({ contact_prouve_at: null })
    expect(await forge({ id })).toBe('mandat_contact_pret')
    await draft({ contact_prouve_at: new Date(), contact_partage: true, contact_lecteur: null })
    expect(await forge({ id })).toBe('mandat_contact_pret')
    await draft({ contact_lecteur: 'famille' })
    expect(await forge({ id })).toBe('signed')

    const { id: renewed } = await world.signMandat({ perimetre: ['social'], duree: 'jour' })
    const renewal = ok(await renewMandat(world.db, world.as('thomas'), renewed, { thematiques: ['social'], duree: 'jour' }))
    expect(await forge({ id: renewal.id })).toBe('renouvelle_sans_elargir')
  })

  it('refuse deux fois la même thématique en cours', async () => {
    expect(await forge({}, { thematique: 'famille' })).toBe('autorisation_une_en_vigueur')
  })

  it('refuse l’aidante suspendue ou partie, la structure suspendue, et celle d’un autre', async () => {
    await world.sql`update aidant set suspended_at = horloge() where id = ${world.aidants.ines}`
    expect(await forge({}, { as: 'ines' })).toBe('mandat_aidant_actif')
    await world.sql`update aidant set suspended_at = null`
    await world.sql`update habilitation set ended_at = horloge() where aidant_id = ${world.aidants.ines}`
    expect(await forge({}, { as: 'ines' })).toMatch(/mandat_aidant_actif|42501/)
    await world.sql`update habilitation set ended_at = null`
    expect(await forge({ aidant_id: world.aidants.nadia })).toBe('42501')
    expect(await forge({ structure_id: world.structures.saintDenis })).toBeTypeOf('string')
  })

  it('ce qui est fini ne se défait, ne se redate ni ne se prépare', async () => {
    const { id, signedAt } = await world.signMandat({ perimetre: ['logement', 'argent'] })
    await later(MINUTE)
    const by = await world.asUsager('odette')
    ok(await stopMandat(world.db, by, { mandatId: id, thematique: 'argent' }))
    const now = await world.now()
    const attempt = (who: Parameters<Db['tx']>[0], act: (tx: Tx) => Promise<unknown>) =>
      world.db.tx(who, act).then(
        () => 'done',
        (error) => constraintOf(error) ?? (error as { code?: string }).code,
      )
    const before = await world.digest()
    for (const who of [world.as('thomas'), world.asReferent('nadia'), by]) {
      const on = (act: (tx: Tx) => Promise<unknown>) => attempt(who, act)
      expect(
        await on(
          (tx) =>
            tx.sql`update autorisation set revoked_at = null, revoked_how = null, revoked_journal_id = null where mandat_id = ${id} and thematique = 'argent'`,
        ),
      ).toBe('fin_une_fois')
      expect(
        await on(
          (tx) => tx.sql`update autorisation set revoked_at = ${signedAt} where mandat_id = ${id} and thematique = 'argent'`,
        ),
      ).toBe('fin_une_fois')
      expect(
        await on(async (tx) => {
          const [line] = await tx.sql<{ id: number }[]>`select max(id) as id from journal where mandat_id = ${id}`
          return tx.sql`
            update autorisation set revoked_at = ${new Date(now.getTime() + MINUTE)}, revoked_how = 'revoque', revoked_journal_id = ${line!.id}
            where mandat_id = ${id} and thematique = 'logement'`
        }),
      ).toBe('fin_une_fois')
      // A thématique ended with a line that says something else.
      expect(
        await on(async (tx) => {
          const [line] = await tx.sql<{ id: number }[]>`select min(id) as id from journal where mandat_id = ${id}`
          return tx.sql`
            update autorisation set revoked_at = ${now}, revoked_how = 'revoque', revoked_journal_id = ${line!.id}
            where mandat_id = ${id} and thematique = 'logement'`
        }),
      ).toBe('ligne_du_fait')
      for (const denied of [
        (tx: Tx) => tx.sql`update mandat set expires_at = expires_at + interval '1 day' where id = ${id}`,
        (tx: Tx) => tx.sql`update autorisation set thematique = 'justice' where mandat_id = ${id}`,
        (tx: Tx) => tx.sql`update mandat_contenu set texte = 'autre' where mandat_id = ${id}`,
        (tx: Tx) => tx.sql`delete from mandat where id = ${id}`,
        (tx: Tx) => tx.sql`delete from autorisation where mandat_id = ${id}`,
        (tx: Tx) => tx.sql`truncate autorisation`,
        (tx: Tx) => tx.sql`alter table mandat disable trigger all`,
        (tx: Tx) => tx.sql`update horloge_reglage set decalage = '1 day'`,
      ])
        expect(await on(denied)).toBe('42501')
    }
    ok(await stopMandat(world.db, by, { mandatId: id }))
    expect(
      await attempt(
        by,
        (tx) => tx.sql`update mandat set ended_at = null, ended_how = null, ended_journal_id = null where id = ${id}`,
      ),
    ).toBe('fin_une_fois')
    expect(before.mandat).not.toBe((await world.digest()).mandat)
    // Even the owner: refused by a trigger.
    for (const table of ['mandat', 'autorisation', 'mandat_contenu'])
      await expect(world.sql.unsafe(`delete from ${table}`)).rejects.toThrow(/insert-only/)
  })

  it('un mandat fini ne laisse aucune thématique debout, et l’inverse', async () => {
    const { id, usagerId, structureId } = await world.signMandat({ perimetre: ['logement', 'argent'] })
    const mandat = { id, usagerId, structureId }
    const by = await world.asUsager('odette')
    const half = (act: (tx: Tx, at: Date) => Promise<unknown>) =>
      world.db
        .tx(by, async (tx) => {
          await act(tx, tx.now)
        })
        .catch(constraintOf)
    expect(
      await half(async (tx, at) => {
        const line = await append(tx, { action: 'mandat_termine', mandat, contenu: {} })
        await tx.sql`update mandat set ended_at = ${at}, ended_how = 'revoque', ended_journal_id = ${line.id} where id = ${id}`
      }),
    ).toBe('mandat_coherent')
    expect(
      await half(async (tx, at) => {
        for (const { id: autorisation } of await listAutorisations(tx, id)) {
          const line = await append(tx, { action: 'autorisation_revoquee', mandat, contenu: {} })
          await tx.sql`update autorisation set revoked_at = ${at}, revoked_how = 'revoque', revoked_journal_id = ${line.id} where id = ${autorisation}`
        }
      }),
    ).toBe('mandat_coherent')
    expect(await etatOf(id)).toMatchObject({ etat: 'actif', enVigueur: ['logement', 'argent'] })
  })

  it('les dix thématiques sont les mêmes dans la base et dans le code', async () => {
    const [row] = await world.sql<{ thematiques: string[] }[]>`select thematiques()`
    expect(row!.thematiques).toEqual([...THEMATIQUES])
  })
})
