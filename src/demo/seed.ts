import { randomUUID } from 'node:crypto'
import postgres from 'postgres'
import { acceptCgu } from '../aidant/accept-cgu.ts'
import { addAidant } from '../aidant/add.ts'
import { openDossier } from '../audit/open.ts'
import { parseConfig } from '../config.ts'
import { type Db, openDb, type Who } from '../db.ts'
import { CATALOGUE, type CatalogueItem } from '../demarche/demarche.ts'
import { recordActeHorsMandat, recordDemarche } from '../demarche/record.ts'
import { giveAccord } from '../mandat/agree.ts'
import { writeExpired } from '../mandat/expire.ts'
import { keepIdentity, openIdentification } from '../mandat/identify.ts'
import { type Duree, dernierJour, expiresAt, type Thematique } from '../mandat/mandat.ts'
import { parseSealKeys } from '../mandat/sceau.ts'
import { type Signer, signMandat } from '../mandat/sign.ts'
import { startBrouillon } from '../mandat/start.ts'
import { stopMandat } from '../mandat/stop.ts'
import { archiveJwks } from '../oidc/connexion.ts'
import { addStructure } from '../structure/add.ts'
import { recordAcces } from '../usager/access.ts'
import { identiteDe } from '../usager/identite.ts'
import { publishKeys } from '../verification/publish-key.ts'
import { type Keys, openKeys } from './franceconnect/keys.ts'
import { findPersona } from './franceconnect/personas.ts'
import { signFor } from './franceconnect/tokens.ts'
import { AIDANTS, type AidantKey, codeOf, STRUCTURES, type StructureKey, totpSecretOf } from './people.ts'

const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE

type MandatStory = {
  persona: string
  aidant: AidantKey
  structure: StructureKey
  daysAgo: number
  perimetre: Thematique[]
  duree: Duree
  suivi: 'papier' | 'sms' | 'email'
  /** How many démarches, spread over the mandat's life. */
  demarches: number
  /** Days after signing at which the person stops it, whole or one thématique. */
  stop?: { after: number; thematique?: Thematique }
}

/** Six months of two structures: mandats in each state, renewals, stops. */
const MANDATS: MandatStory[] = [
  {
    persona: 'odette',
    aidant: 'thomas',
    structure: 'figeac',
    daysAgo: 176,
    perimetre: ['logement', 'social'],
    duree: 'trimestre',
    suivi: 'papier',
    demarches: 22,
  },
  {
    persona: 'odette',
    aidant: 'thomas',
    structure: 'figeac',
    daysAgo: 80,
    perimetre: ['logement', 'social', 'papiers'],
    duree: 'semestre',
    suivi: 'sms',
    demarches: 24,
  },
  {
    persona: 'josiane',
    aidant: 'ines',
    structure: 'figeac',
    daysAgo: 170,
    perimetre: ['famille', 'social', 'argent'],
    duree: 'semestre',
    suivi: 'email',
    demarches: 30,
  },
  {
    persona: 'jean-baptiste',
    aidant: 'thomas',
    structure: 'figeac',
    daysAgo: 150,
    perimetre: ['transports', 'papiers'],
    duree: 'trimestre',
    suivi: 'papier',
    demarches: 18,
  },
  {
    persona: 'marcel',
    aidant: 'ines',
    structure: 'figeac',
    daysAgo: 120,
    perimetre: ['social', 'logement', 'travail'],
    duree: 'semestre',
    suivi: 'papier',
    demarches: 26,
    stop: { after: 70 },
  },
  {
    persona: 'fatma',
    aidant: 'nadia',
    structure: 'figeac',
    daysAgo: 88,
    perimetre: ['travail', 'social', 'famille'],
    duree: 'trimestre',
    suivi: 'sms',
    demarches: 21,
  },
  {
    persona: 'abdelkader',
    aidant: 'samira',
    structure: 'figeac',
    daysAgo: 100,
    perimetre: ['travail', 'etranger', 'papiers'],
    duree: 'semestre',
    suivi: 'papier',
    demarches: 20,
    stop: { after: 60, thematique: 'etranger' },
  },
  {
    persona: 'conceicao',
    aidant: 'thomas',
    structure: 'figeac',
    daysAgo: 64,
    perimetre: ['etranger', 'famille'],
    duree: 'mois',
    suivi: 'sms',
    demarches: 10,
  },
  {
    persona: 'toussaint',
    aidant: 'ines',
    structure: 'figeac',
    daysAgo: 20,
    perimetre: ['argent', 'logement'],
    duree: 'mois',
    suivi: 'email',
    demarches: 9,
  },
  {
    persona: 'laetitia',
    aidant: 'samira',
    structure: 'figeac',
    daysAgo: 6,
    perimetre: ['famille', 'logement'],
    duree: 'mois',
    suivi: 'email',
    demarches: 5,
  },
  {
    persona: 'odette-homonyme',
    aidant: 'thomas',
    structure: 'figeac',
    daysAgo: 45,
    perimetre: ['papiers'],
    duree: 'jour',
    suivi: 'papier',
    demarches: 2,
  },
  {
    persona: 'marie-expedite',
    aidant: 'fabrice',
    structure: 'saintDenis',
    daysAgo: 160,
    perimetre: ['social', 'logement', 'argent'],
    duree: 'semestre',
    suivi: 'sms',
    demarches: 28,
  },
  {
    persona: 'jean-daniel',
    aidant: 'fabrice',
    structure: 'saintDenis',
    daysAgo: 140,
    perimetre: ['transports', 'travail'],
    duree: 'an',
    suivi: 'papier',
    demarches: 20,
  },
  {
    persona: 'nassimah',
    aidant: 'samira',
    structure: 'saintDenis',
    daysAgo: 95,
    perimetre: ['famille', 'social'],
    duree: 'trimestre',
    suivi: 'email',
    demarches: 16,
  },
  {
    persona: 'ibrahim',
    aidant: 'jocelyne',
    structure: 'saintDenis',
    daysAgo: 30,
    perimetre: ['etranger', 'travail', 'papiers'],
    duree: 'trimestre',
    suivi: 'sms',
    demarches: 14,
  },
  {
    persona: 'teiki',
    aidant: 'fabrice',
    structure: 'saintDenis',
    daysAgo: 75,
    perimetre: ['logement', 'transports'],
    duree: 'semestre',
    suivi: 'papier',
    demarches: 15,
    stop: { after: 50 },
  },
]

type Event = { at: Date; run: () => Promise<unknown> }

/** Fills a new database with a service that has been used for six months: by the service's own use cases, its clock moved back. */
export async function seed(environment: Record<string, string>, keysFile: string, now = new Date()): Promise<void> {
  const config = parseConfig(environment)
  const keys = await openKeys(keysFile)
  const admin = postgres(config.database.adminUrl!, { max: 1, onnotice: () => {} })
  const db = openDb({ url: config.database.url, connections: 2 })
  const operator = openDb({ url: config.database.operatorUrl!, connections: 1 })
  const setClock = (at: Date | null) => admin`update horloge_reglage set fige = ${at}`
  const signer: Signer = {
    seal: parseSealKeys(config.sealKeys),
    publicUrl: config.publicUrl,
    secretsKey: config.secretsKey,
    franceconnect: config.franceconnect,
  }
  try {
    await setClock(new Date(now.getTime() - 190 * DAY))
    const ids = await addProfessionals(operator, config.secretsKey)
    for (const id of Object.values(ids.aidants)) await acceptCgu(db, id)
    await publishKeys(db, signer.seal)

    const random = repeatable(20_261_121)
    const events: Event[] = MANDATS.flatMap((story) => eventsOf({ story, db, keys, signer, ids, now, random, setClock }))
    for (const { at, run } of events.sort((a, b) => a.at.getTime() - b.at.getTime())) {
      await setClock(at)
      await run()
    }
    await setClock(null)
    // What was sent in those six months has been sent.
    await admin`update message set sent_at = created_at`
  } finally {
    await Promise.all([admin.end(), db.close(), operator.close()])
  }
}

type Ids = { structures: Record<StructureKey, string>; aidants: Record<AidantKey, string> }

async function addProfessionals(operator: Db, secretsKey: Buffer): Promise<Ids> {
  return operator.tx({ kind: 'operator' }, async (tx) => {
    const structures = {} as Ids['structures']
    const aidants = {} as Ids['aidants']
    for (const [key, structure] of Object.entries(STRUCTURES)) structures[key as StructureKey] = await addStructure(tx, structure)
    for (const [key, aidant] of Object.entries(AIDANTS) as [AidantKey, (typeof AIDANTS)[AidantKey]][])
      for (const structure of aidant.structures) {
        const factor = { totpSecret: totpSecretOf(key), secretsKey }
        aidants[key] = (await addAidant(tx, aidant, { structureId: structures[structure], referent: aidant.referent }, factor)).id
      }
    return { structures, aidants }
  })
}

type Telling = {
  story: MandatStory
  db: Db
  keys: Keys
  signer: Signer
  ids: Ids
  now: Date
  random: () => number
  setClock: (at: Date) => unknown
}

/** The life of one mandat: signed, used, perhaps stopped. */
function eventsOf(telling: Telling): Event[] {
  const { story, db, ids, now, random } = telling
  const by = { kind: 'aidant', aidantId: ids.aidants[story.aidant], structureId: ids.structures[story.structure] } as const
  const signedAt = office(new Date(now.getTime() - story.daysAgo * DAY), 0, random)
  const life = Math.min(story.daysAgo - 1, story.stop && !story.stop.thematique ? story.stop.after - 3 : DAYS[story.duree]) * DAY
  let mandat: { id: string; usagerId: string }
  const events: Event[] = [{ at: signedAt, run: async () => (mandat = await sign(telling, by, signedAt)) }]

  for (let i = 0; i < story.demarches; i++) {
    const doneAt = office(new Date(signedAt.getTime() + (life * (i + random())) / story.demarches), 1, random)
    const inside = doneAt.getTime() > signedAt.getTime() + 10 * MINUTE && doneAt.getTime() < signedAt.getTime() + life
    if (!inside || doneAt.getTime() > now.getTime() - 30 * MINUTE) continue
    const stopped = story.stop?.thematique
    const standing = story.perimetre.filter(
      (thematique) => thematique !== stopped || doneAt.getTime() < signedAt.getTime() + (story.stop!.after - 3) * DAY,
    )
    const item = pick(itemsOf(standing), random)
    // Some are noted the day after, as they are everywhere.
    const late = random() < 0.1
    const recordedAt = late ? new Date(Math.min(doneAt.getTime() + 26 * 60 * MINUTE, now.getTime() - MINUTE)) : doneAt
    events.push({
      at: recordedAt,
      run: async () => {
        await db.tx(by, (tx) => recordAcces(tx, { genre: 'dossier_consulte', usagerId: mandat.usagerId }))
        const told = { mandatId: mandat.id, ...demarcheOf(item, random), doneAt: recordedAt > doneAt ? doneAt : null }
        ok(await recordDemarche(db, by, told))
      },
    })
  }
  const over = new Date(expiresAt(signedAt, story.duree, STRUCTURES[story.structure].fuseau).getTime() + MINUTE)
  if (over < now) events.push({ at: over, run: () => writeExpired(db) })
  const { stop } = story
  if (stop) {
    const at = office(new Date(signedAt.getTime() + stop.after * DAY), 1, random)
    events.push({
      at,
      run: () =>
        stopMandat(db, { kind: 'usager', usagerIds: [mandat.usagerId] }, { mandatId: mandat.id, thematique: stop.thematique }),
    })
    if (stop.thematique) {
      const outside = itemsOf([stop.thematique])[0]!
      events.push({
        at: new Date(at.getTime() + 3 * DAY),
        run: () =>
          recordActeHorsMandat(
            db,
            by,
            { mandatId: mandat.id, ...demarcheOf(outside, random), doneAt: null },
            'Le rendez-vous était pris avant l’arrêt et la préfecture n’en donnait pas d’autre avant trois mois.',
          ),
      })
    }
  }
  if (story.persona === 'marcel')
    events.push({
      at: new Date(signedAt.getTime() + 72 * DAY),
      run: async () => {
        const referent: Who & { kind: 'referent' } = {
          kind: 'referent',
          aidantId: ids.aidants.nadia,
          structureId: by.structureId,
        }
        await openDossier(db, referent, {
          usagerId: mandat.usagerId,
          motif: 'reclamation',
          precision: 'La personne a appelé après l’arrêt.',
          envoi: randomUUID(),
        })
      },
    })
  return events
}

async function sign({ story, db, keys, signer, setClock }: Telling, by: Who & { kind: 'aidant' }, signedAt: Date) {
  const draft = ok(await startBrouillon(db, by, { thematiques: story.perimetre, duree: story.duree }))
  const opened = ok(await openIdentification(db, by, { brouillonId: draft.id, navigateur: undefined }))
  const { issuer, clientId } = signer.franceconnect
  const at = new Date(signedAt.getTime() + 2 * MINUTE)
  const { idToken } = signFor(keys, issuer, { persona: findPersona(story.persona)!, clientId, nonce: opened.nonce, at })
  const persona = findPersona(story.persona)!
  const claims = JSON.parse(Buffer.from(idToken.split('.')[1]!, 'base64url').toString()) as { sub: string }
  const { identite } = ok(identiteDe({ sub: claims.sub, ...persona.identity }))
  const jwksId = await archiveJwks(db, JSON.stringify({ keys: keys.jwks().map(({ d: _, ...publicKey }) => publicKey) }))
  await setClock(at)
  ok(await keepIdentity(db, by, draft.id, { idToken, jwksId, authTime: at, identite, nonce: opened.nonce }))
  const contact = { papier: undefined, sms: '+33612345678', email: identite.email ?? `${story.persona}@exemple.fr` }[story.suivi]
  const { fuseau } = STRUCTURES[story.structure]
  ok(
    await giveAccord(db, by, draft.id, {
      redit: true,
      thematiques: story.perimetre,
      lues: story.perimetre,
      dernierJour: dernierJour(expiresAt(at, story.duree, fuseau), fuseau),
      suivi: story.suivi,
      contact,
    }),
  )
  const { id } = ok(await signMandat(db, by, { brouillonId: draft.id, code: codeOf(story.aidant, at) }, signer))
  const [row] = await db.tx(by, (tx) => tx.sql<{ usagerId: string }[]>`select usager_id from mandat where id = ${id}`)
  return { id, usagerId: row!.usagerId }
}

/** The seed tells a true story: a refusal is a mistake in it. */
function ok<T extends { ok: boolean }>(result: T): Extract<T, { ok: true }> {
  if (!result.ok) throw new Error(`the demo's story is refused: ${JSON.stringify(result)}`)
  return result as Extract<T, { ok: true }>
}

const DAYS: Record<Duree, number> = { jour: 1, mois: 31, trimestre: 92, semestre: 182, an: 365 }

const itemsOf = (perimetre: readonly Thematique[]) => CATALOGUE.filter(({ thematique }) => perimetre.includes(thematique))

function demarcheOf(item: CatalogueItem, random: () => number) {
  const resultat = pick(['deposee', 'terminee', 'terminee', 'en_attente', 'bloquee', 'a_faire_par_la_personne'] as const, random)
  const paiement = item.alertes.some((alerte) => alerte === 'paiement')
  const reclamation = item.alertes.some((alerte) => alerte === 'reclamation')
  return {
    envoi: randomUUID(),
    thematique: item.thematique,
    code: item.code,
    titre: item.libelle,
    administration: item.administration,
    nature: reclamation ? ('reclamation' as const) : pick(['demande', 'declaration', 'suivi', 'renouvellement'] as const, random),
    mode: pick(['avec_la_personne', 'avec_la_personne', 'a_sa_place'] as const, random),
    presence: paiement ? ('presente' as const) : pick(['presente', 'presente', 'absente_prevenue'] as const, random),
    canal: pick(['en_ligne_autre', 'en_ligne_autre', 'telephone', 'guichet', 'courrier'] as const, random),
    dureeMinutes: pick([15, 15, 30, 30, 45, 60] as const, random),
    resultat,
    motifBlocage:
      resultat === 'bloquee' ? pick(['piece_manquante', 'site_indisponible', 'delai_anormal'] as const, random) : null,
    ...(resultat === 'a_faire_par_la_personne' && {
      etapeQuoi: 'Apporter le dernier avis d’imposition',
      etapeQui: 'personne' as const,
    }),
    ...(resultat === 'en_attente' && { etapeQuoi: 'Attendre la réponse', etapeQui: 'administration' as const }),
  }
}

/** Office hours of that day, or of the Friday before: between 6 and 13 h UTC, open in both structures. */
const office = (near: Date, least: number, random: () => number) => {
  const day = new Date(near)
  day.setUTCDate(day.getUTCDate() - ({ 0: 2, 6: 1 }[day.getUTCDay()] ?? 0))
  day.setUTCHours(6 + least + Math.floor(random() * (7 - least)), Math.floor(random() * 60), Math.floor(random() * 60), 0)
  return day
}

/** mulberry32: the same story at each reset. */
const repeatable = (start: number) => {
  let state = start
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}
const pick = <T>(list: readonly T[], random: () => number): T => list[Math.floor(random() * list.length)]!
