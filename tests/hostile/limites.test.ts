import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createApp } from '../../src/app.ts'
import { proxiesOf } from '../../src/http/address.ts'
import { expectValidHtml } from '../support/html.ts'
import { type Matrix, openMatrix } from '../support/matrix.ts'
import { PUBLIC_URL } from '../support/world.ts'

/*
 * Every route is asked when all that src/http/rates.ts counts is spent: it makes the caller wait, or stands below with the reason why it
 * need not. A new route is in neither: the test fails until it is decided.
 */

/** What is sent is refused without a limit of its own; `fields` where what counts is not the ordinary form. */
const WITHOUT: [reason: string, routes: string][] = [
  [
    'une page lue : ce qui est à tous, ou à qui la demande, en quelques requêtes bornées',
    `GET / · GET /accessibilite · GET /mentions-legales · GET /assets/:hash/:name · GET /v · GET /v-sw.js · GET /verifier · GET /connexion · GET /connexion/cle
     GET /connexion/code · GET /connexion/lien/:jeton · GET /mon-espace/connexion · GET /mon-espace/deconnexion · GET /mon-espace/code
     GET /mon-espace/reunir
     GET /conditions-d-utilisation · GET /structures · GET /mes-connexions · GET /mes-connexions/rester · GET /mes-moyens-de-connexion
     GET /mes-moyens-de-connexion/ajouts/:ajoutId · GET /personnes/:usagerId · GET /personnes/:usagerId/contact · GET /personnes/:usagerId/contact/code
     GET /demarches/:demarcheId · GET /demarches/:demarcheId/contestation · GET /demarches/:demarcheId/corriger · GET /structure/contestations
     GET /structure/contestations/:contestationId · GET /mon-espace/demarches/:demarcheId · GET /mandats/expliquer · GET /mandats/rendre · GET /mandats/nouveau · GET /mandats/:mandatId · GET /mandats/:mandatId/arreter
     GET /mandats/:mandatId/pause · GET /mandats/:mandatId/renoncer · GET /mandats/:mandatId/deces · GET /mandats/:mandatId/protection · GET /mandats/:mandatId/renouveler
     GET /a-remettre · GET /mandats/:mandatId/arret · GET /mandats/:mandatId/demarches/nouvelle · GET /mandats/:mandatId/demarches/hors-mandat
     GET /mandats/brouillons/:brouillonId/choix · GET /mandats/brouillons/:brouillonId/identification
     GET /mandats/brouillons/:brouillonId/accord · GET /mandats/brouillons/:brouillonId/acceptation
     GET /mandats/brouillons/:brouillonId/telephone · GET /mandats/brouillons/:brouillonId/contact · GET /t/:jeton · GET /telephone/code
     GET /structure/thematiques · GET /structure/aidants · GET /structure/aidants/:aidantId · GET /structure/aidants/:aidantId/facteur
     GET /structure/inviter · GET /structure/invitations/:invitationId · GET /invitation/:jeton · GET /structure/personnes/:usagerId/ouvrir
     GET /structure/personnes/:usagerId · GET /mon-espace · GET /mon-espace/acces · GET /mon-espace/tout-voir · GET /mon-espace/confirmer
     GET /mon-espace/confirmer/code · GET /mon-espace/connexions · GET /mon-espace/code-papier · GET /mon-espace/donnees · GET /mon-espace/contacts · GET /mon-espace/contacts/code
     GET /mon-espace/mandats/:mandatId · GET /mon-espace/mandats/:mandatId/pause · GET /mon-espace/mandats/:mandatId/reprise
     GET /mon-espace/mandats/:mandatId/arreter · GET /mon-espace/mandats/:mandatId/arret`,
  ],
  [
    'pour les machines qui surveillent ou vérifient : une ligne ou deux, gardées en cache',
    'GET /livez · GET /readyz · GET /.well-known/jwks.json',
  ],
  [
    'le retour d’un aller-retour commencé sous une limite, qui ne sert qu’une fois : un autre ne coûte aucun appel',
    `GET /connexion/franceconnect/retour · GET /connexion/franceconnect/deconnecte · GET /connexion/proconnect/retour
     GET /connexion/proconnect/deconnecte`,
  ],
  [
    'une écriture ordinaire de qui est connue : une ligne au journal ou un choix, chacune à son nom',
    `POST /mandats/:mandatId/demarches/nouvelle · POST /mandats/:mandatId/demarches/hors-mandat · POST /structure/personnes/:usagerId/ouvrir
     POST /demarches/:demarcheId/contestation · POST /demarches/:demarcheId/corriger · POST /structure/contestations/:contestationId
     POST /structure/thematiques · POST /mandats/nouveau · POST /mandats/brouillons/:brouillonId/choix
     POST /mandats/brouillons/:brouillonId/effacer · POST /mandats/:mandatId/renouveler · POST /a-remettre · POST /a-remettre/annuler
     POST /structure/aidants/:aidantId ·      POST /conditions-d-utilisation · POST /structures · POST /mes-connexions/autres/fermer · POST /mes-connexions/:sessionId/fermer`,
  ],
  [
    'arrêter, reprendre, contester, séparer, fermer, sortir : jamais retenu',
    `POST /mon-espace/demarches/:demarcheId · POST /mandats/:mandatId/arreter · POST /mandats/:mandatId/pause · POST /mandats/:mandatId/renoncer · POST /mandats/:mandatId/protection · POST /mandats/:mandatId/deces
     POST /mon-espace/mandats/:mandatId/arreter · POST /mon-espace/mandats/:mandatId/pause · POST /mon-espace/mandats/:mandatId/reprise
     POST /mon-espace/connexions/autres/fermer · POST /mon-espace/connexions/:sessionId/fermer · POST /mon-espace/code-papier
     POST /mon-espace/separer · POST /deconnexion · POST /mon-espace/deconnexion`,
  ],
  [
    'un code de trois essais, dont l’envoi est limité : code-prive.test.ts « une réponse pour tout ce qui ne va pas… »',
    'POST /mon-espace/confirmer/code',
  ],
  [
    'un code de trois essais, dont l’envoi est limité : contact.test.ts « une réponse pour tout ce qui ne va pas… »',
    'POST /mon-espace/contacts/code · POST /personnes/:usagerId/contact/code',
  ],
  [
    'l’envoi d’un code est limité, et la page qui le dit n’est pas un 429 : mandat-contact.test.ts « un quatrième en un quart d’heure… », code-prive.test.ts « trois codes par heure… »',
    `POST /mandats/brouillons/:brouillonId/contact · POST /mandats/brouillons/:brouillonId/accord · POST /mon-espace/confirmer`,
  ],
  [
    'un second facteur frais, dont les essais sont comptés, puis ce que lui seul ouvre : moyens.test.ts « trois refus, et même la bonne attend »',
    `POST /mes-moyens-de-connexion/ajouter · POST /mes-moyens-de-connexion/codes · POST /mes-moyens-de-connexion/:facteurId/retirer
     POST /mes-moyens-de-connexion/ajouts/:ajoutId`,
  ],
  [
    'un code de trois essais, montré à l’autre bout d’un aller-retour limité : mandat-telephone.test.ts',
    'POST /mandats/brouillons/:brouillonId/telephone',
  ],
]
const reasons = new Map(WITHOUT.flatMap(([reason, routes]) => routes.split(/ · |\n/).map((key) => [key.trim(), reason])))

let matrix: Matrix
beforeAll(async () => {
  matrix = await openMatrix()
  await matrix.world.sql.unsafe(`
    create function epuise() returns trigger language plpgsql as 'begin new.compte := 1000000; return new; end';
    create trigger epuise before insert or update on limite for each row execute function epuise()`)
})
afterAll(() => matrix.close())

describe('quand tout ce qui est compté est épuisé', () => {
  it('chaque route fait attendre, ou dit pourquoi elle n’a pas à le faire', { timeout: 120_000 }, async () => {
    const wrong: string[] = []
    for (const key of reasons.keys()) if (!matrix.routes.some((route) => route.key === key)) wrong.push(`${key} : n’existe plus`)
    for (const { key, method } of matrix.routes) {
      // Of hers, the first that is open to it: what may not be asked at all is not what is looked at here.
      const waits: boolean[] = []
      for (const { caller, address } of matrix.owners(key)) {
        const answer = await matrix.ask({ caller, method, address, fields: await matrix.fieldsOf(key, caller), alone: true })
        const waiting = answer.status === 429
        waits.push(waiting)
        if (waiting && !(Number(answer.headers.get('retry-after')) > 0 && answer.body.includes('<html lang="fr"')))
          wrong.push(`${key} : un refus sans l’attente, ou sans page`)
        if (waiting || reasons.has(key)) break
      }
      if (waits.includes(true) === reasons.has(key))
        wrong.push(`${key} : ${reasons.has(key) ? 'a une limite, et se dit sans' : 'sans limite ni raison'}`)
    }
    expect(wrong).toEqual([])
  })

  it.each([
    [
      '/connexion?suite=/mandats/nouveau',
      { email: 'ines@figeac.demo', code: '918273' },
      ['value="ines@figeac.demo"', 'action="/connexion?suite=%2Fmandats%2Fnouveau"'],
      '918273',
    ],
    ['/connexion/code', { code: '918273' }, ['action="/connexion/code"'], '918273'],
    ['/connexion/lien/inconnu', {}, ['Ouvrir ma session'], undefined],
    ['/verifier', { code: '7k3m-rqxb-9f8t', annee: '1950' }, ['value="7k3m-rqxb-9f8t"', 'value="1950"'], undefined],
    ['/mon-espace/code', { code: '9F8T-RQXB-7K3M', annee: '1950' }, ['action="/mon-espace/code"', 'value="1950"'], '9F8T-RQXB'],
    ['/invitation/inconnue', { geste: 'accepter', sel: 'cle-lue', code: '918273' }, ['name="sel" value="cle-lue"'], '918273'],
  ] as const)('%s : la page revient avec ce qui était tapé et l’heure, jamais un code secret', async (address, fields, kept, secret) => {
    const answer = await matrix.ask({ caller: 'anonyme', method: 'POST', address, fields })
    expect([answer.status, Number(answer.headers.get('retry-after')) > 0]).toEqual([429, true])
    expect(answer.body.replaceAll('\u00a0', ' ')).toMatch(
      /Attendez [^,]+, et essayez de nouveau à partir de <time datetime="[^"]+">\d+ h \d\d<\/time> \(heure de Paris\)/,
    )
    for (const word of kept) expect(answer.body).toContain(word)
    if (secret) expect(answer.body).not.toContain(secret)
    await expectValidHtml(answer.body)
  })

  it('rien de ce qui est tapé n’est perdu : la page le garde, à renvoyer', async () => {
    const answer = await matrix.ask({
      caller: 'nadia',
      method: 'POST',
      address: '/structure/inviter',
      fields: { prenom: 'Églantine', nom: 'Vidal', email: 'eglantine@exemple.fr' },
    })
    expect(answer.status).toBe(429)
    for (const word of [
      'Rien de ce que vous avez écrit n’est perdu',
      'value="Églantine"',
      'value="eglantine@exemple.fr"',
      'Envoyer à nouveau',
    ])
      expect(answer.body).toContain(word)
  })
})

it('une adresse inventée dans X-Forwarded-For ne fait pas oublier la limite ; celle que dit un relais, si', async () => {
  const { world } = matrix
  await world.sql`drop trigger epuise on limite`
  await world.sql`delete from limite`
  await world.database.freeze(new Date('2030-01-01T10:00:00Z'))
  const app = createApp({ db: world.db, config: { ...world.config, proxies: proxiesOf(1) }, oidc: world.oidc, log: () => {} })
  const headers = { origin: PUBLIC_URL, 'content-type': 'application/x-www-form-urlencoded' }
  const from = async (remoteAddress: string, forwarded: string) =>
    (
      await app.request(
        '/verifier',
        { method: 'POST', headers: { ...headers, 'x-forwarded-for': forwarded }, body: '' },
        { incoming: { socket: { remoteAddress } } },
      )
    ).status
  const tries = async (remoteAddress: string) => {
    const statuses: number[] = []
    for (let n = 0; n < 31; n++) statuses.push(await from(remoteAddress, `198.51.100.${n}`))
    return statuses
  }
  expect((await tries('203.0.113.50')).at(-1)).toBe(429)
  expect(new Set(await tries('10.0.0.2'))).toEqual(new Set([422]))
})
