import { expect, it } from 'vitest'
import { seed } from '../../src/demo/seed.ts'
import { openTree } from '../support/arbre.ts'
import { freshDatabase, scratch } from '../support/database.ts'
import { environmentOf } from '../support/environment.ts'

it.each([
  ['un dimanche', new Date('2026-11-22T08:00:00Z')],
  ['un mercredi', new Date('2026-11-18T08:00:00Z')],
])('une démonstration neuve, commencée %s, a déjà vécu six mois, et son journal se vérifie', async (_, now) => {
  const database = await freshDatabase()
  const environment = {
    ...(await environmentOf(database, 'http://localhost:3000')),
    FRANCECONNECT_ISSUER: 'http://127.0.0.1:3001',
    FRANCECONNECT_CLIENT_ID: 'essais',
    FRANCECONNECT_CLIENT_SECRET: 'essais-secret-de-la-graine',
  }
  await seed(environment, `${scratch('graine')}/cles.json`, now)
  const tree = openTree(database)
  await tree.settle()
  expect((await tree.verify()).fault).toBeUndefined()
  await tree.close()
  const [lived] = await database.adminSql`
    select (select count(*)::int from structure) as structures, (select count(*)::int from aidant) as aidants,
      (select count(*)::int from habilitation where referent) as referents, (select count(*)::int from usager) as personnes,
      (select count(*)::int from demarche) as demarches, (select extract(day from max(done_at) - min(done_at))::int from demarche) as jours,
      (select array_agg(distinct etat order by etat) from mandat_etat) as etats`
  expect(lived).toMatchObject({ structures: 2, aidants: 6, referents: 2 })
  expect([lived!.personnes >= 12, lived!.demarches > 200, lived!.jours > 150]).toEqual([true, true, true])
  expect(lived!.etats).toEqual(['actif', 'expire', 'suspendu', 'termine'])
  await database.drop()
})
