import { readFileSync } from 'node:fs'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { conditionsOf, nonceOf } from '../../src/mandat/conditions.ts'
import { type MandatClaims, openSeal } from '../../src/mandat/sceau.ts'
import { encodeList, STATUTS, type Statut, signStatusList, statusAt } from '../../src/mandat/statut.ts'
import { TEXTE_COURANT } from '../../src/mandat/texte.ts'
import { openAttestation } from '../../src/verification/attestation.ts'
import { type Preuve, type PreuveReason, verifyPreuve } from '../../src/verification/preuve.ts'
import { unAccord } from '../support/accord.ts'
import { openBrowser, type TestBrowser } from '../support/browser.ts'
import { ATTESTATIONS, attestation, CLAIMS, ISSUER, MANDATS, mandat, ours, stranger } from '../support/forgeries.ts'

let browser: TestBrowser
let page: Page
/** What the client's script answers, run where it will be. */
const inPage = (call: string, ...args: unknown[]) =>
  page.evaluate<unknown>(
    `import('/v.js').then((v) => v.${call}(...${JSON.stringify(args)})).then((value) => ({ ok: true, value }), ({ reason }) => ({ ok: false, reason }))`,
  )

beforeAll(async () => {
  browser = await openBrowser()
  page = await (await browser.context()).newPage()
  const script = readFileSync(new URL('../../public/v.js', import.meta.url), 'utf8')
  await page.route('**/*', (route) =>
    route.request().url().endsWith('/v.js')
      ? route.fulfill({ contentType: 'text/javascript', body: script })
      : route.fulfill({ contentType: 'text/html', body: '<!DOCTYPE html><title>v</title>' }),
  )
  await page.goto(`${ISSUER}/vide`)
})
afterAll(() => browser.close())

describe('une attestation', () => {
  test('la vraie s’ouvre, et dit la même chose au serveur et au navigateur', async () => {
    const opened = await openAttestation(attestation, ours.jwks)
    expect(opened).toMatchObject({
      ok: true,
      attestation: { nom: CLAIMS.mandant.family_name, perimetre: CLAIMS.perimetre, liste: 12 },
    })
    expect(await inPage('readAttestation', attestation, ours.jwks)).toEqual({
      ok: true,
      value: (opened as { attestation: object }).attestation,
    })
  })

  test('il y a de quoi en douter : quarante contrefaçons au moins', () => {
    expect(ATTESTATIONS.length).toBeGreaterThan(40)
    expect(new Set(ATTESTATIONS.map(({ jws }) => jws)).size).toBe(ATTESTATIONS.length)
    expect(new Set(ATTESTATIONS.map(({ reason }) => reason)).size).toBe(6)
  })

  test.each(ATTESTATIONS)('$reason : $name', async ({ reason, jws }) => {
    expect(await openAttestation(jws, ours.jwks)).toEqual({ ok: false, reason })
    expect(await inPage('readAttestation', jws, ours.jwks)).toEqual({ ok: false, reason })
  })

  test('d’une clé volée, elle ne suffit plus ; une fausse sous le nom de cette clé reste fausse', async () => {
    const jwks = { keys: stranger.jwks.keys, compromises: ours.jwks.keys.map((key) => ({ ...key, coupure: 1_000_000 })) }
    expect(await openAttestation(attestation, jwks)).toEqual({ ok: false, reason: 'cle_compromise' })
    expect(await inPage('readAttestation', attestation, jwks)).toEqual({ ok: false, reason: 'cle_compromise' })
    // Said to be good as well: the theft wins.
    const both = { ...jwks, keys: [...ours.jwks.keys, ...jwks.keys] }
    expect(await openAttestation(attestation, both)).toEqual({ ok: false, reason: 'cle_compromise' })
    expect(await inPage('readAttestation', attestation, both)).toEqual({ ok: false, reason: 'cle_compromise' })
    const forged = ATTESTATIONS.find(({ reason }) => reason === 'signature_fausse')!.jws
    expect(await openAttestation(forged, jwks)).toEqual({ ok: false, reason: 'signature_fausse' })
    expect(await inPage('readAttestation', forged, jwks)).toEqual({ ok: false, reason: 'signature_fausse' })
  })

  test('celle d’un service n’est rien pour un autre', async () => {
    expect(await openAttestation(attestation, stranger.jwks)).toEqual({ ok: false, reason: 'cle_inconnue' })
    expect(await inPage('readAttestation', attestation, stranger.jwks)).toEqual({ ok: false, reason: 'cle_inconnue' })
  })
})

describe('un mandat scellé', () => {
  test('le vrai s’ouvre', async () => {
    expect((await openSeal(mandat, ours.jwks, { issuer: ISSUER })).ok).toBe(true)
  })

  test.each(MANDATS)('$reason : $name', async ({ reason, jws }) => {
    expect(await openSeal(jws, ours.jwks, { issuer: ISSUER })).toEqual({ ok: false, reason })
  })
})

describe('le statut, dans le navigateur', () => {
  const { idx } = CLAIMS.status.status_list
  const paper = { perimetre: ['papiers', 'famille'], idx, signedAt: CLAIMS.iat, expiresAt: CLAIMS.exp }
  const sub = `${ISSUER}/statuts/12`
  const day = 86_400
  const known = CLAIMS.iat + day
  const listOf = (statuts: Statut[], { at = known, key = ours.current, of = sub } = {}) =>
    signStatusList(
      { sub: of, lst: encodeList(statuts.map((statut, rank) => ({ slot: idx + rank, statut }))), now: new Date(at * 1000) },
      key,
    )
  const verdict = async (list: string | undefined, now: number) => {
    const read = list && ((await inPage('readStatuts', list, paper, ours.jwks, sub)) as { ok: boolean; value?: unknown })
    return ((await inPage('verdictOf', paper, read ? read.value : null, now)) as { value: string }).value
  }

  test('dit chaque thématique comme le serveur', async () => {
    const list = await listOf(['SUSPENDED', 'INVALID'])
    expect(await inPage('readStatuts', list, paper, ours.jwks, sub)).toEqual({
      ok: true,
      value: { iat: known, exp: known + day, statuts: { papiers: 'suspendu', famille: 'termine' } },
    })
    for (const [rank, statut] of (['SUSPENDED', 'INVALID'] as const).entries())
      expect(await statusAt(list, idx + rank, ours.jwks, { sub, now: new Date(known * 1000) })).toEqual({ ok: true, statut })
    expect(Object.keys(STATUTS)).toHaveLength(3)
  })

  test.each<[string, Statut[], number, string]>([
    ['en cours', ['VALID', 'INVALID'], known + 60, 'en_cours'],
    ['en cours, à la dernière seconde des vingt-quatre heures', ['VALID', 'VALID'], known + day - 1, 'en_cours'],
    ['jamais « en cours » sur un statut de vingt-quatre heures', ['VALID', 'VALID'], known + day, 'statut_ancien'],
    ['ni en pause', ['SUSPENDED', 'VALID'], known + day, 'statut_ancien'],
    ['arrêté reste arrêté, même d’hier', ['INVALID', 'INVALID'], known + 3 * day, 'arrete'],
    ['en pause', ['SUSPENDED', 'INVALID'], known + 60, 'en_pause'],
    ['une liste qui vient de l’avenir : l’heure du téléphone est fausse', ['VALID', 'VALID'], known - 301, 'horloge'],
    ['avant d’être signé', ['VALID', 'VALID'], CLAIMS.iat - 301, 'horloge'],
    ['fini à sa dernière seconde', ['VALID', 'VALID'], CLAIMS.exp, 'expire'],
  ])('%s', async (_, statuts, now, expected) => {
    const at = now === CLAIMS.exp ? CLAIMS.exp - 60 : known
    expect(await verdict(await listOf(statuts, { at }), now)).toBe(expected)
  })

  test('inconnu sans liste', async () => {
    expect(await verdict(undefined, known)).toBe('statut_inconnu')
  })

  test.each<[string, string, () => Promise<string>]>([
    ['autre_liste', 'la liste d’à côté', () => listOf(['VALID', 'VALID'], { of: `${ISSUER}/statuts/1` })],
    ['autre_liste', 'la liste d’un autre service', () => listOf(['VALID', 'VALID'], { of: 'https://autre.test/statuts/12' })],
    ['cle_inconnue', 'signée par un autre', () => listOf(['VALID', 'VALID'], { key: stranger.current })],
    [
      'signature_fausse',
      'signée par un autre sous notre kid',
      () => listOf(['VALID', 'VALID'], { key: { ...stranger.current, kid: ours.current.kid } }),
    ],
    ['type_inattendu', 'un mandat', async () => mandat],
    ['illisible', 'rien', async () => ''],
  ])('%s : %s n’est pas cru, et rien n’est dit en cours', async (reason, _, list) => {
    const token = await list()
    expect(await inPage('readStatuts', token, paper, ours.jwks, sub)).toEqual({ ok: false, reason })
    expect(await statusAt(token, idx, ours.jwks, { sub, now: new Date(known * 1000) })).toEqual({ ok: false, reason })
    expect(await verdict(token, known)).toBe('statut_inconnu')
  })
})

describe.each(['fr-1', 'fr-2', TEXTE_COURANT])('la preuve d’un accord, texte %s', async (version) => {
  const { choice, claims, preuve, tokenFor, textOf } = await unAccord(version)
  const { conditions, fuseau } = preuve
  const otherConditions = (over: Partial<typeof choice>) => conditionsOf({ ...choice, ...over } as never)
  const shaOf = (over: Partial<MandatClaims['accord']>): MandatClaims => ({ ...claims, accord: { ...claims.accord, ...over } })

  test('les vraies pièces vont ensemble', async () => {
    expect(await verifyPreuve(claims, preuve)).toMatchObject({ ok: true, connue: false })
  })

  /** Sealed anew with our own key, its text written to match. */
  const moved = (over: Partial<MandatClaims>, zone = fuseau): [MandatClaims, Partial<Preuve>] => {
    const other = { ...claims, ...over }
    return [other, { fuseau: zone, texte: textOf(other.exp, zone) }]
  }

  type Broken = [PreuveReason, string, () => Promise<[MandatClaims, Partial<Preuve>]> | [MandatClaims, Partial<Preuve>]]
  test.each<Broken>([
    [
      'nonce_different',
      'une thématique changée',
      () => [claims, { conditions: otherConditions({ perimetre: ['logement', 'argent'] as never }) }],
    ],
    [
      'nonce_different',
      'une date changée',
      () => [claims, { conditions: otherConditions({ demandeLe: new Date((CLAIMS.iat - 399) * 1000) }) }],
    ],
    ['nonce_different', 'un nom changé', () => [claims, { conditions: otherConditions({ aidant: { nom: 'Fatima Benalo' } }) }]],
    ['nonce_different', 'une durée changée', () => [claims, { conditions: otherConditions({ duree: 'an' as never }) }]],
    ['nonce_different', 'un autre sel', () => [claims, { conditions: otherConditions({ sel: Buffer.alloc(16, 8) }) }]],
    ['conditions_illisibles', 'une lettre ajoutée aux conditions', () => [claims, { conditions: `${conditions} ` }]],
    ['texte_different', 'une lettre du texte changée', () => [claims, { texte: preuve.texte.replace('e', 'é') }]],
    ['texte_different', 'un blanc ajouté au texte', () => [claims, { texte: `${preuve.texte} ` }]],
    ['dates_differentes', 'une autre fin dans le sceau et le texte', () => moved({ exp: claims.exp + 86_400 })],
    [
      'dates_differentes',
      'un sceau d’un an plus tôt',
      () => moved({ iat: claims.iat - 31_536_000, nbf: claims.iat - 31_536_000 }),
    ],
    ['dates_differentes', 'un autre fuseau, qui change le dernier jour', () => moved({}, 'Pacific/Kiritimati')],
    ['texte_different', 'un fuseau inventé', () => [claims, { fuseau: 'Lune/Mer' }]],
    [
      'perimetre_elargi',
      'une thématique accordée qu’elle n’a pas lue',
      () => [{ ...claims, perimetre: ['logement', 'justice'] }, {}],
    ],
    ['texte_different', 'une thématique lue, mais pas accordée', () => [{ ...claims, perimetre: ['social', 'logement'] }, {}]],
    ['autre_mandat', 'les pièces d’un autre mandat', () => [{ ...claims, jti: OTHER_ID }, {}]],
    [
      'autre_mandat',
      'une autre structure',
      () => [{ ...claims, mandataire: { ...claims.mandataire, nom: 'CCAS de Cahors' } }, {}],
    ],
    ['autre_mandat', 'un autre aidant', () => [{ ...claims, act: { ...claims.act, nom: 'Paul' } }, {}]],
    ['autre_accord', 'un sceau qui nomme d’autres conditions', () => [shaOf({ conditions_sha256: 'a'.repeat(64) }), {}]],
    ['autre_accord', 'un sceau qui nomme une autre identification', () => [shaOf({ id_token_sha256: 'a'.repeat(64) }), {}]],
    ['autre_accord', 'une autre minute', () => [shaOf({ auth_time: claims.accord.auth_time + 1 }), {}]],
    ['emetteur_different', 'un autre fournisseur', () => [shaOf({ iss: 'https://autre.test' }), {}]],
    ['destinataire_different', 'une réponse à un autre service', () => [claims, { client_id: 'eux' }]],
    ['cle_inconnue', 'des clés d’un autre jour', () => [claims, { jwks: { keys: [] } }]],
    ['illisible', 'sans identification', () => [claims, { id_token: '' }]],
    [
      'nonce_different',
      'l’identification d’une autre demande',
      async () => [claims, { id_token: await tokenFor('a'.repeat(64)) }],
    ],
    [
      'acr_insuffisant',
      'un niveau plus bas',
      async () => [claims, { id_token: await tokenFor(nonceOf(conditions), { acr: 'eidas0' }) }],
    ],
  ])('%s : %s', async (reason, _, broken) => {
    const [changed, over] = await broken()
    expect(await verifyPreuve(changed, { ...preuve, ...over })).toEqual({ ok: false, reason })
  })
})

const OTHER_ID = 'c0ffee00-1234-4abc-8def-0123456789ff'
