import fc from 'fast-check'
import { expect, test } from 'vitest'
import { identiteDe, majorite, mots, naissanceCertaine } from '../../src/usager/identite.ts'

test('n’importe quelle réponse est lue ou refusée, jamais une panne', () => {
  const value = fc.anything()
  const claims = fc.record(
    {
      sub: value,
      given_name: value,
      given_name_array: value,
      family_name: value,
      preferred_username: value,
      birthdate: value,
      birthplace: value,
      birthcountry: value,
      email: value,
    },
    { requiredKeys: [] },
  )
  fc.assert(
    fc.property(fc.oneof(value, claims), (claims) => {
      expect(typeof identiteDe(claims).ok).toBe('boolean')
    }),
  )
})

test('un nom accepté n’a ni caractère invisible, ni plus de cent lettres', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 120 }), (family_name) => {
      const read = identiteDe({ sub: 's', given_name: 'A', family_name, birthdate: '1962-08-24', birthcountry: '99352' })
      if (!read.ok) return
      expect(read.identite.nomNaissance).toMatch(/^[^\p{C}]{1,100}$/u)
    }),
  )
})

test('chercher les mots trouvés redonne les mêmes mots', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(mots(mots(text).join('-'))).toEqual(mots(text))
    }),
  )
})

test('une personne dite majeure l’est quel que soit le jour ou le mois inconnu', () => {
  const day = fc.date({ min: new Date('1990-01-01'), max: new Date('2030-12-31'), noInvalidDate: true })
  fc.assert(
    fc.property(day, day, (born, today) => {
      const [birthdate, now] = [born, today].map((date) => date.toISOString().slice(0, 10)) as [string, string]
      const eighteen = `${Number(birthdate.slice(0, 4)) + 18}${birthdate.slice(4)}`
      const truth = eighteen <= now ? 'majeure' : 'mineure'
      expect(majorite(birthdate, now)).toBe(truth)
      // What FranceConnect says when the day, or the day and the month, are unknown.
      for (const sent of [`${birthdate.slice(0, 7)}-01`, `${birthdate.slice(0, 4)}-01-01`])
        expect([truth, 'incertaine']).toContain(majorite(naissanceCertaine(sent), now))
    }),
  )
})
