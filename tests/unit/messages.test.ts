import { expect, it } from 'vitest'
import { motsDeLaFin, motsDeLaPause } from '../../src/mandat/messages.ts'
import { messageDePreuve } from '../../src/usager/messages.ts'

const at = new Date('2026-09-30T12:05:00Z')
const structure = { nom: 'CCAS de Figeac', telephone: '05 65 50 05 40', fuseau: 'Europe/Paris' }
const receipt = { maniere: 'courrier', recuLe: at } as const

it.each([
  ['arrêtée', motsDeLaFin(structure, { how: 'revoque', at, mandatEnded: false })],
  ['arrêtée par courrier', motsDeLaFin(structure, { how: 'revoque', at, mandatEnded: false, receipt })],
  ['en pause', motsDeLaPause(structure, { quoi: 'pause', at, whole: false })],
  ['en pause, par un aidant', motsDeLaPause(structure, { quoi: 'pause', at, whole: false, recorded: true })],
  ['repartie', motsDeLaPause(structure, { quoi: 'reprise', at, whole: false })],
])('une partie seulement est %s : l’objet, l’e-mail et le SMS ne parlent que d’une partie', (_, { sujet, corps, sms }) => {
  expect(sujet).toMatch(/^Une partie /)
  expect(corps).toMatch(/\n\nUne partie de votre mandat .* ces démarches.* Le reste ne change pas\./)
  expect(corps).not.toMatch(/vos démarches|C’est (?:arrêté|en pause|reparti)/)
  expect(sms).toMatch(/^Trait d'union : une partie|\(une partie\)/)
})

it('tout est arrêté ou en pause : aucun message ne parle d’une partie', () => {
  for (const { sujet, corps, sms } of [
    motsDeLaFin(structure, { how: 'revoque', at, mandatEnded: true }),
    motsDeLaPause(structure, { quoi: 'pause', at, whole: true }),
    motsDeLaPause(structure, { quoi: 'reprise', at, whole: true }),
  ])
    expect(`${sujet} ${corps} ${sms}`).not.toMatch(/partie|Le reste/)
})

it('le SMS d’un code tient en 160 lettres simples, et dit quoi faire sans l’avoir demandé', () => {
  const { sms } = messageDePreuve('123456')
  expect(sms).toMatch(/^[ -~]{1,160}$/)
  expect(sms).toContain("votre code est 123 456. Il sert 10 minutes. Ne le donnez a personne. Ce n'etait pas vous ?")
})
