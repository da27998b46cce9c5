import { randomUUID } from 'node:crypto'
import postgres from 'postgres'
import { acceptCgu } from '../aidant/accept-cgu.ts'
import { addAidant } from '../aidant/add.ts'
import { inviteAidant } from '../aidant/invite.ts'
import { openDossier } from '../audit/open.ts'
import { parseConfig } from '../config.ts'
import { type Db, openDb, type Who } from '../db.ts'
import { answerContestation } from '../demarche/answer.ts'
import { contestDemarche } from '../demarche/contest.ts'
import type { MotifContestation } from '../demarche/contestation.ts'
import { listContestations } from '../demarche/contestation-queries.ts'
import { correctDemarche } from '../demarche/correct.ts'
import { faitsDe } from '../demarche/demarche.ts'
import { listDemarches } from '../demarche/queries.ts'
import { recordActeHorsMandat, recordDemarche } from '../demarche/record.ts'
import type { Log } from '../http/log.ts'
import { giveAccord } from '../mandat/agree.ts'
import { writeExpired } from '../mandat/expire.ts'
import { keepIdentity, openIdentification } from '../mandat/identify.ts'
import { type Duree, dernierJour, expiresAt } from '../mandat/mandat.ts'
import { pauseMandat } from '../mandat/pause.ts'
import { recordStop } from '../mandat/record-stop.ts'
import { remindEnds } from '../mandat/remind.ts'
import { parseSealKeys } from '../mandat/sceau.ts'
import { type Signer, signMandat } from '../mandat/sign.ts'
import { startBrouillon } from '../mandat/start.ts'
import { stopMandat } from '../mandat/stop.ts'
import { terminateMandat } from '../mandat/terminate.ts'
import { archiveJwks } from '../oidc/connexion.ts'
import { addStructure } from '../structure/add.ts'
import { recordAcces } from '../usager/access.ts'
import { identiteDe } from '../usager/identite.ts'
import { publishKeys } from '../verification/publish-key.ts'
import { type Keys, openKeys } from './franceconnect/keys.ts'
import { findPersona } from './franceconnect/personas.ts'
import { signFor } from './franceconnect/tokens.ts'
import { AIDANTS, type AidantKey, codeOf, STRUCTURES, type StructureKey, totpSecretOf } from './people.ts'
import { ATTENTE, acteDe, BLOCAGE, MANDATS, type MandatStory, NATURE, PIECE } from './vies.ts'

const MINUTE = 60_000
/** A job that fails here is a fault of the story. */
const seedFails: Log = (_, { error }) => {
  throw new Error(`seed: ${error}`)
}
const DAY = 24 * 60 * MINUTE

type Event = { at: Date; run: () => Promise<unknown> }

/** Fills a new database with a service that has been used for six months: by the service's own use cases, its clock moved back. */
export async function seed(environment: Record<string, string>, keysFile: string, now = new Date()): Promise<void> {
  const config = parseConfig(environment)
  const keys = await openKeys(keysFile)
  const admin = postgres(config.database.adminUrl!, { max: 1, onnotice: () => {} })
  const db = openDb({ url: config.database.url, connections: 2 })
  const operator = openDb({ url: config.database.operatorUrl!, connections: 1 })
  const setClock = (at: Date | null) => admin`update horloge_reglage set fige = ${at}`
  const prove = (brouillonId: string) => admin`
    update brouillon
    set contact_prouve_at = horloge(), contact_lecteur = case when contact_partage then 'famille' end
    where id = ${brouillonId} and contact is not null`
  const signer: Signer = {
    seal: parseSealKeys(config.sealKeys),
    publicUrl: config.publicUrl,
    secretsKey: config.secretsKey,
    franceconnect: config.franceconnect,
  }
  try {
    const random = repeatable(20_261_121)
    await setClock(office(new Date(now.getTime() - 190 * DAY), 1, random))
    const ids = await addProfessionals(operator, config.secretsKey)
    for (const id of Object.values(ids.aidants)) await acceptCgu(db, id)
    await publishKeys(db, signer.seal)

    const events: Event[] = MANDATS.flatMap((story) => eventsOf({ story, db, keys, signer, ids, now, random, setClock, prove }))
    let last = now.getTime() - 2 * DAY
    for (const { at, run } of events.sort((a, b) => a.at.getTime() - b.at.getTime())) {
      await setClock(at)
      await run()
      last = Math.max(last, at.getTime())
    }
    // After all of that: the journal is in the order of its times.
    await setClock(new Date(last + MINUTE))
    await lastDays(db, ids, config.publicUrl)
    for (const told of DESACCORDS) await disagree(db, ids, told)
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

/** Each has been there lately, in each structure; at Figeac someone is invited, and has not come yet. */
async function lastDays(db: Db, { structures, aidants }: Ids, publicUrl: string) {
  await db.tx({ kind: 'portier' }, async (tx) => {
    for (const [key, aidant] of Object.entries(AIDANTS) as [AidantKey, (typeof AIDANTS)[AidantKey]][])
      for (const structure of aidant.structures)
        await tx.sql`
          insert into acces (genre, aidant_id, structure_id) values ('connexion', ${aidants[key]}, ${structures[structure]})`
  })
  const by = { kind: 'referent', aidantId: aidants.nadia, structureId: structures.figeac } as const
  ok(await inviteAidant(db, by, { email: 'claire@figeac.demo', prenom: 'Claire', nom: 'Vidal' }, publicUrl))
}

/** Of the last act of each: one answered, and corrected; one that waits. */
const DESACCORDS: readonly { usager: string; motif: MotifContestation; note: string; reponse?: string }[] = [
  {
    usager: 'odette',
    motif: 'inexact',
    note: 'Je n’étais pas là ce jour-là.',
    reponse: 'Vous avez raison, nous avons confondu avec la semaine d’avant.',
  },
  { usager: 'josiane', motif: 'pas_demande', note: 'Je voulais en parler d’abord avec ma fille.' },
]

async function disagree(db: Db, { structures, aidants }: Ids, { usager, motif, note, reponse }: (typeof DESACCORDS)[number]) {
  const here = { structureId: structures.figeac }
  const thomas = { ...here, kind: 'aidant', aidantId: aidants.thomas } as const
  const { nomNaissance: nom } = ok(identiteDe({ sub: usager, ...findPersona(usager)!.identity })).identite
  const usagerIds = await db.tx(thomas, async (tx) =>
    (await tx.sql<{ id: string }[]>`select id from usager where nom_naissance = ${nom}`).map(({ id }) => id),
  )
  const by = { kind: 'usager', usagerIds, niveau: 'identite' } as const
  const { demarches } = await db.tx(by, (tx) => listDemarches(tx, { usagerIds }))
  const acte = demarches.find((one) => one.structureId === here.structureId && !one.reclamation)!
  ok(await contestDemarche(db, by, { demarcheId: acte.id, motif, note, pause: false }))
  if (!reponse) return
  const faits = { ...faitsDe(acte), mode: 'a_sa_place', presence: 'absente_prevenue', montantCentimes: null } as const
  ok(
    await correctDemarche(
      db,
      { ...thomas, aidantId: acte.aidantId },
      { demarcheId: acte.id, faits, raison: 'La personne n’était pas là.' },
    ),
  )
  const [asked] = await db.tx(by, (tx) => listContestations(tx, acte.id))
  const nadia = { ...here, kind: 'referent', aidantId: aidants.nadia } as const
  const opening = { usagerId: acte.usagerId, motif: 'reclamation', precision: null, envoi: randomUUID() } as const
  ok(await openDossier(db, nadia, opening))
  ok(await answerContestation(db, nadia, { contestationId: asked!.id, reponse: 'corrigee', note: reponse }))
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
  /** The codes of those months were typed back. */
  prove: (brouillonId: string) => unknown
}

/** The life of one mandat: signed, used, perhaps stopped. */
function eventsOf(telling: Telling): Event[] {
  const { story, db, ids, now, random } = telling
  const by = { kind: 'aidant', aidantId: ids.aidants[story.aidant], structureId: ids.structures[story.structure] } as const
  const signedAt = office(new Date(now.getTime() - story.daysAgo * DAY), 0, random)
  const fin = FINS[story.persona]
  const last = story.stop && !story.stop.thematique ? story.stop.after : fin?.after
  const life = Math.min(story.daysAgo - 1, last === undefined ? DAYS[story.duree] : last - 3) * DAY
  let mandat: { id: string; usagerId: string }
  const events: Event[] = [{ at: signedAt, run: async () => (mandat = await sign(telling, by, signedAt)) }]

  const known = new Set<string>()
  for (const [i, text] of story.vie.entries()) {
    const acte = acteDe(text)
    const doneAt = office(new Date(signedAt.getTime() + (life * (i + random())) / story.vie.length), 1, random)
    const inside = doneAt.getTime() > signedAt.getTime() + 10 * MINUTE && doneAt.getTime() < signedAt.getTime() + life
    if (!inside || doneAt.getTime() > now.getTime() - 30 * MINUTE) continue
    const stopped = story.stop?.thematique
    if (acte.item.thematique === stopped && doneAt.getTime() > signedAt.getTime() + (story.stop!.after - 3) * DAY) continue
    const again = known.has(acte.item.code)
    known.add(acte.item.code)
    // Some are noted the day after, as they are everywhere.
    const late = random() < 0.1
    const recordedAt = late ? new Date(Math.min(doneAt.getTime() + 26 * 60 * MINUTE, now.getTime() - MINUTE)) : doneAt
    events.push({
      at: recordedAt,
      run: async () => {
        await db.tx(by, (tx) => recordAcces(tx, { genre: 'dossier_consulte', usagerId: mandat.usagerId }))
        const told = {
          mandatId: mandat.id,
          ...demarcheOf(acte, again, doneAt, random),
          doneAt: recordedAt > doneAt ? doneAt : null,
        }
        ok(await recordDemarche(db, by, told))
      },
    })
  }
  const over = new Date(expiresAt(signedAt, story.duree, STRUCTURES[story.structure].fuseau).getTime() + MINUTE)
  if (over < now) events.push({ at: over, run: () => writeExpired(db, seedFails) })
  const soon = office(new Date(over.getTime() - 29 * DAY), 1, random)
  if (soon > signedAt && soon < now) events.push({ at: soon, run: () => remindEnds(db, seedFails) })
  const { stop } = story
  const person = () => ({ kind: 'usager', usagerIds: [mandat.usagerId], niveau: 'identite' }) as const
  if (fin) {
    const at = office(new Date(signedAt.getTime() + fin.after * DAY), 1, random)
    const mandatId = () => mandat.id
    const recuLe = new Date(at.getTime() - 4 * DAY)
    const ends = {
      pause: () => pauseMandat(db, person(), { mandatId: mandatId() }),
      courrier: () => recordStop(db, by, { mandatId: mandatId(), maniere: 'courrier', recuLe }),
      renonce: () => terminateMandat(db, by, { mandatId: mandatId(), how: 'renonce' }),
    }
    events.push({ at, run: async () => ok(await ends[fin.how]()) })
  }
  if (stop) {
    const at = office(new Date(signedAt.getTime() + stop.after * DAY), 1, random)
    events.push({
      at,
      run: () => stopMandat(db, person(), { mandatId: mandat.id, thematique: stop.thematique }),
    })
    if (stop.thematique) {
      const outside = acteDe(story.vie.find((text) => acteDe(text).item.thematique === stop.thematique)!)
      const then = new Date(at.getTime() + 3 * DAY)
      events.push({
        at: then,
        run: () =>
          recordActeHorsMandat(
            db,
            by,
            { mandatId: mandat.id, ...demarcheOf(outside, true, then, random), doneAt: null },
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

async function sign({ story, db, keys, signer, setClock, prove }: Telling, by: Who & { kind: 'aidant' }, signedAt: Date) {
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
  await prove(draft.id)
  const { id } = ok(await signMandat(db, by, { brouillonId: draft.id, code: codeOf(story.aidant, at) }, signer))
  const [row] = await db.tx(by, (tx) => tx.sql<{ usagerId: string }[]>`select usager_id from mandat where id = ${id}`)
  return { id, usagerId: row!.usagerId }
}

/** The seed tells a true story: a refusal is a mistake in it. */
function ok<T extends { ok: boolean }>(result: T): Extract<T, { ok: true }> {
  if (!result.ok) throw new Error(`the demo's story is refused: ${JSON.stringify(result)}`)
  return result as Extract<T, { ok: true }>
}

/** Other ends than her own stop, days after signing: a pause, a letter found four days later, a renunciation. */
const FINS: Readonly<Record<string, { after: number; how: 'pause' | 'courrier' | 'renonce' }>> = {
  'jean-daniel': { after: 130, how: 'pause' },
  'jean-baptiste': { after: 80, how: 'courrier' },
  ibrahim: { after: 24, how: 'renonce' },
}

const DAYS: Record<Duree, number> = { jour: 1, mois: 31, trimestre: 92, semestre: 182, an: 365 }

/** How it was done: with the person, who was there, three times out of five. */
const WAYS = [
  { mode: 'avec_la_personne', presence: 'presente' },
  { mode: 'avec_la_personne', presence: 'presente' },
  { mode: 'avec_la_personne', presence: 'presente' },
  { mode: 'a_sa_place', presence: 'absente_prevenue' },
  { mode: 'seule_avec_appui', presence: 'presente' },
] as const

function demarcheOf({ item, resultat }: ReturnType<typeof acteDe>, again: boolean, doneAt: Date, random: () => number) {
  const { code, alertes } = item
  const way = pick(WAYS, random)
  const canal = pick(['en_ligne_autre', 'en_ligne_franceconnect', 'telephone', 'guichet', 'courrier'] as const, random)
  const paid = alertes.includes('paiement')
  const hers = resultat === 'bloquee' || resultat === 'a_faire_par_la_personne'
  const pending = resultat === 'deposee' || resultat === 'en_attente'
  const inTwoWeeks = new Date(doneAt.getTime() + 14 * DAY).toISOString().slice(0, 10)
  return {
    envoi: randomUUID(),
    thematique: item.thematique,
    code,
    titre: item.libelle,
    administration: item.administration,
    nature: NATURE[code] ?? (again ? ('suivi' as const) : ('demande' as const)),
    ...(paid ? WAYS[0] : way),
    canal: paid ? ('en_ligne_autre' as const) : canal,
    dureeMinutes: pick([15, 15, 30, 30, 45, 60] as const, random),
    resultat,
    motifBlocage: resultat === 'bloquee' ? (BLOCAGE[code] ?? ('piece_manquante' as const)) : null,
    ...(hers && { etapeQuoi: PIECE[code]!, etapeQui: 'personne' as const, etapeQuand: inTwoWeeks }),
    ...(pending && { etapeQuoi: ATTENTE[code] ?? 'Répondre à la demande', etapeQui: 'administration' as const }),
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
