import type { Tx } from '../db.ts'
import { queueMail, queueTo } from '../notification/queue.ts'
import { type Contact, contactDe, type Mail, type Words } from '../notification/words.ts'
import { held, type mine } from '../structure/mine.ts'
import { findContactProuve } from '../usager/code-queries.ts'
import { messageDeCodeBloque } from '../usager/messages.ts'
import { newUuid } from '../uuid.ts'
import {
  type End,
  motsDeLaContestation,
  motsDeLaContestationALaDirection,
  motsDeLaFermeture,
  motsDeLaFermetureAuxAidants,
  motsDeLaFin,
  motsDeLaFinAuxAidants,
  motsDeLaPause,
  motsDeLaPauseAuxAidants,
  motsDeLaReponse,
  motsDeLaRepriseAuxAidants,
  motsDuCode,
  motsDuCodeBloqueAuxAidants,
  motsDuContactRemplace,
  motsDuMandat,
  motsDuRappel,
  motsDuRappelAuxAidants,
  type Pause,
  type PourQui,
  type Signe,
} from './messages.ts'

/*
 * Who is told of what happens to a mandat: the person by the way she chose, and those of the structure who must know. A key says which fact a
 * message tells, by the number of its line: whoever reads the keys learns nothing of her.
 */

type Told = { id: string; structureId: string; usagerId: string }

type SentCode = Contact & { cle: string; code: string; pour: PourQui }
/** The code that proves a contact: she types it, or reads it out to the aidant who is with her, so it leaves at once, at any hour. */
export async function sendContactCode(tx: Tx, { cle, code, pour, ...contact }: SentCode): Promise<void> {
  await queueTo(tx, cle, contact, motsDuCode(code, pour), { atOnce: true })
}

/** Tells each contact that a person had, by the line that says so, that her news come there no more: perhaps it is not she who changed it. */
export async function announceContact(tx: Tx, usagerId: string, line: number, before: readonly Contact[]): Promise<void> {
  const last = await findLast(
    tx,
    tx.sql`${held(tx, 'm')} ${tx.who.kind === 'usager' ? tx.sql`` : tx.sql`and m.usager_id = ${usagerId}`}`,
  )
  for (const [rank, contact] of before.entries())
    await queueTo(tx, `contact:${last!.id}:${line}:${rank}`, contact, motsDuContactRemplace(contact.canal), last!)
}

/** Tells the person that a mandat exists in her name: if it is not she who agreed, she knows at once. */
export async function announceMandat(tx: Tx, mandat: Told): Promise<void> {
  const { structure, contact } = await findSides(tx, mandat)
  if (contact) await queueTo(tx, `mandat-signe:${mandat.id}`, contact, motsDuMandat(structure), structure)
}

/** Tells the person, and the aidants who act for the structure, that a mandat or a part of it is over. */
export async function announceEnd(tx: Tx, mandat: Told, end: End & { line: number }): Promise<void> {
  const { structure, contact } = await findSides(tx, mandat)
  const cle = `arret:${mandat.id}:${end.line}`
  if (contact) await queueTo(tx, cle, contact, motsDeLaFin(structure, end), structure)
  // What replaced it goes on: nothing to give back.
  const chemin = `/mandats/${mandat.id}${end.how === 'remplace' ? '' : '/arret'}`
  await tellAidants(tx, mandat, cle, chemin, (quel) => motsDeLaFinAuxAidants(structure, quel, end))
}

/** Tells the person, after the operator closed her structure, that her mandat ended with it. */
export async function announceClosed(tx: Tx, mandat: Told, at: Date): Promise<void> {
  const { structure, contact } = await findSides(tx, mandat)
  if (contact) await queueTo(tx, `fermeture:${mandat.id}`, contact, motsDeLaFermeture(structure, at), structure, { once: true })
}

/** Tells those who directed a structure that closed, and those who signed what ended with it, in one message each. */
export async function announceClosedToAidants(tx: Tx, structureId: string, at: Date): Promise<void> {
  const [structure] = await tx.sql<{ nom: string; telephone: string; fuseau: string }[]>`
    select nom, telephone, fuseau from structure where id = ${structureId}`
  const mots = motsDeLaFermetureAuxAidants(structure!, at)
  const signed = tx.sql`select m.aidant_id from mandat m where m.structure_id = ${structureId} and m.ended_how = 'structure_fermee'`
  for (const { id, email } of await listConcerned(tx, structureId, signed))
    await queueMail(tx, `fermeture:${structureId}:aidant:${id}`, email, mots, { once: true })
}

/**
 * Tells both sides that she paused a mandat or a part of it, or lifted her pause. `deja`: what waited for an answer was paused already; to an aidant
 * nothing changes, and which pause it is, is not hers to learn.
 */
export async function announcePause(tx: Tx, mandat: Told, pause: Pause & { line: number; deja?: boolean }): Promise<void> {
  const { structure, contact } = await findSides(tx, mandat)
  const cle = `${pause.quoi}:${mandat.id}:${pause.line}`
  if (contact) await queueTo(tx, cle, contact, motsDeLaPause(structure, pause), structure)
  if (!pause.deja)
    await tellAidants(tx, mandat, cle, `/mandats/${mandat.id}`, (quel) =>
      pause.quoi === 'pause'
        ? motsDeLaPauseAuxAidants(structure, quel, pause)
        : motsDeLaRepriseAuxAidants(structure, quel, pause.at),
    )
}

/** Tells the person that what she contests is written, and those of the direction who answer it: never the author of the act while another may. */
export async function announceContestation(
  tx: Tx,
  mandat: Told,
  { contestationId, line }: { contestationId: string; line: number },
): Promise<void> {
  const { structure, contact } = await findSides(tx, mandat)
  const cle = `contestation:${mandat.id}:${line}`
  if (contact) await queueTo(tx, cle, contact, motsDeLaContestation(structure), structure)
  const nobody = tx.sql`select null::uuid where false`
  const letter = { ...motsDeLaContestationALaDirection(), chemin: '/structure/contestations' }
  for (const { id, email } of await listConcerned(tx, mandat.structureId, nobody, tx.sql`and repond(${contestationId}, a.id)`))
    await queueMail(tx, `${cle}:aidant:${id}`, email, letter)
}

/** Tells the person that she is answered; the aidants, that what was paused for it is not any more, and no more than that. */
export async function announceReponse(
  tx: Tx,
  mandat: Told,
  { line, at, reprise }: { line: number; at: Date; reprise: Told | undefined },
): Promise<void> {
  const { structure, contact } = await findSides(tx, mandat)
  const cle = `reponse:${mandat.id}:${line}`
  if (contact) await queueTo(tx, cle, contact, motsDeLaReponse(structure, reprise !== undefined), structure)
  if (reprise)
    await tellAidants(tx, reprise, cle, `/mandats/${reprise.id}`, (quel) => motsDeLaRepriseAuxAidants(structure, quel, at))
}

/** `mandatId`: the one it was printed with; of a code that she drew herself (no structure), her last: what is told is erased with her. */
export type BlockedCode = { id: string; usagerId: string; mandatId: string; structureId: string | null; fuseau: string }

/** Tells the person, where she proved she is reached, and the structure that printed it, that a code of hers serves no more. */
export async function announceBlockedCode(tx: Tx, { id, usagerId, mandatId, structureId, fuseau }: BlockedCode): Promise<void> {
  const cle = `code-bloque:${mandatId}:${id}`
  const proven = await findContactProuve(tx, usagerId)
  if (proven) await queueTo(tx, cle, proven, messageDeCodeBloque, { fuseau })
  // One that she drew herself is her own affair.
  if (structureId)
    await tellAidants(tx, { id: mandatId, structureId, usagerId }, cle, `/mandats/${mandatId}`, (quel) =>
      motsDuCodeBloqueAuxAidants(quel, fuseau),
    )
}

/** Tells the person, wherever each identity proved that it is reached, that they are one, or no longer. Once for each contact; with none, nobody. */
export async function announceIdentites(
  tx: Tx,
  usagerIds: readonly string[],
  quoi: 'reunion' | 'separation',
  message: Words,
): Promise<void> {
  const told = new Set<string>()
  for (const id of usagerIds) {
    const contact = await findContactProuve(tx, id)
    const last = await findLast(tx, tx.sql`m.usager_id = ${id}`)
    if (!contact || !last || told.has(contact.contact)) continue
    told.add(contact.contact)
    await queueTo(tx, `${quoi}:${last.id}:${newUuid(tx)}`, contact, message, { fuseau: last.fuseau })
  }
}

type Ending = Told & { aidantId: string; expiresAt: Date }

/** Tells the person that her mandat ends soon, and that nothing goes on without her. */
export async function remindEnd(tx: Tx, mandat: Ending): Promise<void> {
  const { structure, contact } = await findSides(tx, mandat)
  if (contact) await queueTo(tx, `rappel:${mandat.id}`, contact, motsDuRappel(structure, mandat.expiresAt), structure)
}

/** Tells the active aidants concerned, in one message each, how many mandats end soon: those they signed, all of them for a référent. */
export async function remindAidants(tx: Tx, structureId: string, mandats: readonly Ending[]): Promise<void> {
  const signed = tx.sql`select unnest(${mandats.map(({ aidantId }) => aidantId)}::uuid[])`
  for (const { id, email, referent } of await listConcerned(tx, structureId, signed)) {
    const concerned = mandats.filter(({ aidantId }) => referent || aidantId === id)
    await queueMail(tx, `rappel:${concerned[0]!.id}:aidant:${id}`, email, motsDuRappelAuxAidants(concerned.length))
  }
}

/** Her last mandat: a message named after it is erased with her. */
async function findLast(tx: Tx, whose: ReturnType<typeof held>): Promise<{ id: string; fuseau: string } | undefined> {
  const [last] = await tx.sql<{ id: string; fuseau: string }[]>`
    select m.id, s.fuseau
    from mandat m
    join structure s on s.id = m.structure_id
    where ${whose}
    order by m.signed_at desc
    limit 1`
  return last
}

/** Of a death, nobody writes to her. */
async function findSides(tx: Tx, mandat: Told) {
  const [sides] = await tx.sql<
    { nom: string; telephone: string; fuseau: string; suivi: string | null; email: string | null; mobile: string | null }[]
  >`
    select s.nom, s.telephone, s.fuseau, case when not decedee(${mandat.id}) then u.suivi end as suivi, u.email, u.telephone as mobile
    from structure s, usager u
    where s.id = ${mandat.structureId} and u.id = ${mandat.usagerId}`
  const { suivi, email, mobile, ...structure } = sides!
  return { structure, contact: contactDe({ suivi, email, telephone: mobile }) }
}

/** Those of the structure who must know: who signed the mandat, and its direction. Which one it is, they are told without a word of whose. */
async function tellAidants(tx: Tx, mandat: Told, cle: string, chemin: string, write: (quel: Signe) => Mail): Promise<void> {
  const [quel] = await tx.sql<Signe[]>`
    select m.signed_at, a.prenom, a.nom
    from mandat m
    join aidant a on a.id = m.aidant_id
    where m.id = ${mandat.id}`
  const letter = { ...write(quel!), chemin }
  const signed = tx.sql`select m.aidant_id from mandat m where m.id = ${mandat.id}`
  for (const { id, email } of await listConcerned(tx, mandat.structureId, signed))
    await queueMail(tx, `${cle}:aidant:${id}`, email, letter)
}

/** The active direction of a structure, and the active aidants that `signed` selects. */
const listConcerned = (tx: Tx, structureId: string, signed: ReturnType<typeof mine>, only = tx.sql``) =>
  tx.sql<{ id: string; email: string; referent: boolean }[]>`
    select a.id, a.email, h.referent
    from habilitation h
    join aidant a on a.id = h.aidant_id
    where h.structure_id = ${structureId} and h.ended_at is null and a.suspended_at is null and (h.referent or a.id in (${signed})) ${only}`
