import { expect, it } from 'vitest'
import {
  motsDeLaContestation,
  motsDeLaFermeture,
  motsDeLaFin,
  motsDeLaPause,
  motsDeLaReponse,
  motsDuContactRemplace,
  motsDuMandat,
  motsDuRappel,
} from '../../src/mandat/messages.ts'
import { oneSms, plain } from '../../src/notification/sms.ts'
import { aLaStructure, deLaStructure, laStructure } from '../../src/structure/nom.ts'

const at = new Date('2026-09-30T12:05:00Z')
const structure = (nom: string) => ({ nom, telephone: '05 65 50 05 40', fuseau: 'Europe/Paris' })
/** Every SMS that names a structure. */
const smsDe = (nom: string) => [
  motsDuMandat(structure(nom)).sms,
  motsDeLaFin(structure(nom), { how: 'revoque', at, mandatEnded: true }).sms,
  motsDeLaFin(structure(nom), { how: 'revoque', at, mandatEnded: false, receipt: { maniere: 'courrier', recuLe: at } }).sms,
  motsDeLaFin(structure(nom), { how: 'remplace', at, mandatEnded: true }).sms,
  motsDeLaPause(structure(nom), { quoi: 'pause', at, whole: false }).sms,
  motsDeLaPause(structure(nom), { quoi: 'reprise', at, whole: false }).sms,
  motsDeLaFermeture(structure(nom), at).sms,
  motsDuRappel(structure(nom), at).sms,
  motsDeLaContestation(structure(nom)).sms,
  motsDeLaReponse(structure(nom), true).sms,
  motsDuContactRemplace('sms').sms,
]

const words = (text: string) => text.split(/[^\w'-]+/).filter(Boolean)

it.each([
  'CCAS de Figeac',
  'Centre communal d’action sociale de Saint-Symphorien-des-Monts-en-Quercy et de ses environs',
  'Association pour l’accompagnement des personnes éloignées du numérique dans les hautes vallées du Lot et du Célé',
])('un SMS tient en 160 caractères, et un nom trop long n’y est pas coupé au milieu d’un mot : %s', (nom) => {
  const known = new Set(
    words(`${smsDe('X').join(' ')} ${plain(laStructure(nom))} ${plain(aLaStructure(nom))} ${plain(deLaStructure(nom))} CCAS`),
  )
  for (const sms of smsDe(nom)) {
    expect(sms.length).toBeLessThanOrEqual(160)
    expect(sms).toMatch(/^[ -~]+$/)
    expect(words(sms).filter((word) => !known.has(word))).toEqual([])
    expect(sms).not.toMatch(/\b(?:de|du|des|la|le|et|d'|l')(?:[.,]|$)/)
  }
})

it('un mot plus long que la place n’en prend pas plus', () => {
  for (const sms of smsDe('Anticonstitutionnellement'.repeat(5))) expect(sms.length).toBeLessThanOrEqual(160)
})

it('un nom se dit avec son article ; trop long, par son sigle, puis par ses premiers mots', () => {
  expect(
    smsDe('CCAS de Figeac')
      .join('\n')
      .match(/(?:le|au) CCAS de Figeac/g),
  ).toHaveLength(8)
  const write = (room: number) => (name: string) => `${name}${'.'.repeat(160 - room)}`
  const said = (name: string, room: number) => oneSms(name, write(room)).replace(/\.+$/, '')
  expect(said('le Centre communal d’action sociale de Figeac', 45)).toBe("le Centre communal d'action sociale de Figeac")
  expect(said('le Centre communal d’action sociale de Figeac', 44)).toBe('le CCAS de Figeac')
  expect(said('le Centre communal d’action sociale de Figeac', 16)).toBe('le CCAS')
  expect(said('l’association des amis de la Terre', 30)).toBe("l'association des amis")
})
