import { describe, expect, it } from 'vitest'
import {
  aRenouveler,
  refusalOfEnd,
  refusalOfPause,
  refusalOfReceipt,
  refusalOfRenewal,
  refusalOfResume,
} from '../../src/mandat/fin.ts'
import type { Autorisation, Thematique } from '../../src/mandat/mandat.ts'

const DAY = 24 * 3600 * 1000
const signedAt = new Date('2026-03-02T10:00:00Z')
const expiresAt = new Date('2026-04-02T21:59:59Z')
const at = (base: Date, ms: number) => new Date(base.getTime() + ms)
const mandat = { signedAt, expiresAt, endedAt: null as Date | null }
const one = (thematique: Thematique, more: Partial<Autorisation> = {}): Autorisation => ({
  thematique,
  signedAt,
  expiresAt,
  revokedAt: null,
  revokedHow: null,
  suspensions: [],
  ...more,
})
const stopped = (thematique: Thematique) => one(thematique, { revokedAt: at(signedAt, DAY), revokedHow: 'revoque' })
const paused = (thematique: Thematique, ...attend: boolean[]) =>
  one(thematique, {
    suspensions: (attend.length > 0 ? attend : [false]).map((attend) => ({ from: at(signedAt, DAY), until: null, attend })),
  })
const now = at(signedAt, 2 * DAY)

describe('finir', () => {
  it.each([
    ['un mandat inconnu', undefined, [one('logement')], now, 'introuvable'],
    ['rien de choisi', mandat, [], now, 'thematique_absente'],
    ['tout déjà arrêté', mandat, [stopped('logement')], now, 'deja_termine'],
    ['déjà arrêté, et la date passée', mandat, [stopped('logement')], at(expiresAt, DAY), 'deja_termine'],
    ['à l’heure de la fin', mandat, [one('logement')], expiresAt, 'deja_expire'],
    ['une seconde avant', mandat, [one('logement')], at(expiresAt, -1000), undefined],
    ['une partie déjà arrêtée', mandat, [stopped('social'), one('logement')], now, undefined],
    ['en pause', mandat, [paused('logement')], now, undefined],
  ] as const)('%s', (_, one, chosen, when, refusal) => {
    expect(refusalOfEnd(one, chosen, when)).toBe(refusal)
  })

  it('sur une demande reçue : ni à venir, ni avant la signature, aussi vieille que le mandat', () => {
    const received = (recuLe: Date) => refusalOfReceipt(mandat, [one('logement')], [], recuLe, now)
    expect(received(at(now, 1))).toBe('recu_futur')
    expect(received(now)).toBeUndefined()
    expect(received(signedAt)).toBeUndefined()
    expect(received(at(signedAt, -1))).toBe('recu_avant_signature')
  })
})

it('une demande trouvée après la fin se note si elle était arrivée avant, une fois', () => {
  const found = (recuLe: Date, recues: readonly Thematique[] = [], what = one('logement')) =>
    refusalOfReceipt(mandat, [what], recues, recuLe, at(expiresAt, DAY))
  expect(found(at(expiresAt, -1))).toBeUndefined()
  expect(found(expiresAt)).toBe('deja_expire')
  expect(found(at(expiresAt, -1), ['logement'])).toBe('deja_expire')
  expect(found(at(signedAt, DAY - 1), [], stopped('logement'))).toBeUndefined()
  expect(found(at(signedAt, DAY), [], stopped('logement'))).toBe('deja_termine')
  expect(found(at(signedAt, -1))).toBe('recu_avant_signature')
})

it('mettre en pause et remettre en route : chacun sur ce qui s’y prête', () => {
  expect(refusalOfPause(mandat, [one('logement'), paused('social')], now)).toBeUndefined()
  expect(refusalOfPause(mandat, [paused('social'), stopped('famille')], now)).toBe('deja_en_pause')
  expect(refusalOfPause(mandat, [stopped('famille')], now)).toBe('deja_termine')
  // Until she is answered, then also of her own.
  expect(refusalOfPause(mandat, [paused('social', true)], now)).toBeUndefined()
  expect(refusalOfPause(mandat, [paused('social', true, false)], now)).toBe('deja_en_pause')
  expect(refusalOfResume(mandat, [one('logement'), paused('social')], now)).toBeUndefined()
  expect(refusalOfResume(mandat, [one('logement')], now)).toBe('pas_en_pause')
  expect(refusalOfResume(mandat, [paused('social')], expiresAt)).toBe('deja_expire')
})

describe('renouveler', () => {
  const year = 365 * DAY
  it.each([
    ['en cours', mandat, [one('logement')], now, undefined],
    ['fini à sa date', mandat, [one('logement')], at(expiresAt, DAY), undefined],
    ['une seconde avant un an', mandat, [one('logement')], at(expiresAt, year - 1000), undefined],
    ['un an après', mandat, [one('logement')], at(expiresAt, year), 'expire_depuis_un_an'],
    ['arrêté avant', { ...mandat, endedAt: now }, [stopped('logement')], at(now, 1), 'termine_avant'],
    ['arrêté avant, sa date passée', { ...mandat, endedAt: now }, [stopped('logement')], at(expiresAt, DAY), 'termine_avant'],
    ['inconnu', undefined, [], now, 'introuvable'],
    ['en pause', mandat, [paused('logement')], now, 'en_pause'],
    ['en pause, puis fini à sa date', mandat, [paused('logement')], at(expiresAt, DAY), undefined],
    ['en partie en pause', mandat, [paused('logement'), one('social')], now, undefined],
    ['plus rien de proposé', mandat, [one('justice')], now, 'aucune_thematique_proposee'],
  ] as const)('%s', (_, mandat, autorisations, when, refusal) => {
    expect(refusalOfRenewal(mandat, autorisations, ['justice'], undefined, when)).toBe(refusal)
  })

  it('jamais plus que ce qui tient encore et que la structure propose', () => {
    const held = [one('social'), stopped('logement'), one('justice')]
    expect(aRenouveler(held, ['justice'])).toEqual(['social'])
    const wider = (thematiques: string[]) => refusalOfRenewal(mandat, held, ['justice'], thematiques, now)
    expect(wider(['social'])).toBeUndefined()
    for (const more of [['social', 'argent'], ['logement'], ['justice'], ['n’importe quoi']])
      expect(wider(more)).toBe('renouvellement_elargi')
  })
})
