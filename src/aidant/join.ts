import { createHmac } from 'node:crypto'
import type { Config } from '../config.ts'
import { constraintOf, type Db, type Tx } from '../db.ts'
import { hashToken, leaveSession, openSession } from '../http/session.ts'
import { append } from '../journal/append.ts'
import { queueMail } from '../notification/queue.ts'
import { newUuid } from '../uuid.ts'
import { SECRET_BYTES } from './add.ts'
import { matchCode } from './factor.ts'
import { messageDApplicationAssociee } from './messages.ts'
import { drawSecours } from './secours.ts'
import { encryptSecret } from './secret.ts'

export type Invitation = {
  structureId: string
  structureNom: string
  invitePar: string
  genre: 'arrivee' | 'facteur'
  email: string
  prenom: string
  nom: string
  /** An authenticator is to be paired: she has no account yet, or no longer a factor. */
  aAssocier: boolean
}

/** What an open link leads to; undefined for any other. `sel`: draws the secret shown, anew each time. Writes nothing. */
export const readInvitation = (db: Db, jeton: string): Promise<(Invitation & { sel: string }) | undefined> =>
  db.tx({ kind: 'portier' }, async (tx) => {
    const invitation = await findOpen(tx, jeton)
    return invitation && { ...invitation, sel: tx.random(16).toString('base64url') }
  })

async function findOpen(tx: Tx, jeton: string): Promise<Invitation | undefined> {
  const [invitation] = await tx.sql<Invitation[]>`
    select i.structure_id, s.nom as structure_nom, i.invite_par, i.genre, i.email, i.prenom, i.nom,
      i.genre = 'facteur' or not exists (select 1 from aidant a where a.email = i.email) as a_associer
    from invitation i
    join structure s on s.id = i.structure_id
    where i.jeton = ${hashToken(jeton)} and invitation_ouverte(i)`
  return invitation
}

/** The secret of her new authenticator: kept nowhere until it is paired, and drawn only by who holds the link and our key. */
export const secretDe = (secretsKey: Buffer, jeton: string, sel: string): Buffer =>
  createHmac('sha256', secretsKey).update(`facteur:${jeton}:${sel}`).digest().subarray(0, SECRET_BYTES)

type JoinRefusal = 'invitation_fermee' | 'code_faux'
/** The session opened and her recovery codes, told once; none for who keeps her account, and signs in with it, nor where ProConnect alone lets in. */
type Joined = { ok: true; opened: { token: string; codes: string[] } | undefined } | { ok: false; refusal: JoinRefusal }

/**
 * Takes up an invitation, once: with the code of the authenticator just paired, which shows as much as a sign-in (her mailbox and her factor)
 * and opens her session; or, known already, with nothing more: her own factor stays hers, whoever invites her.
 */
export async function acceptInvitation(
  db: Db,
  given: { jeton: string; paired: { sel: string; code: string } | undefined; previousSession: string | undefined },
  config: Pick<Config, 'secretsKey' | 'connexionLocale'>,
): Promise<Joined> {
  try {
    return await db.tx({ kind: 'portier' }, (tx) => accept(tx, given, config))
  } catch (error) {
    // Served, cancelled, or an account made elsewhere, between the page and here: the link says again where it leads.
    if (!['invitation_fermee', 'invitation_facteur'].includes(constraintOf(error) ?? '')) throw error
    return { ok: false, refusal: 'invitation_fermee' }
  }
}

async function accept(
  tx: Tx,
  given: Parameters<typeof acceptInvitation>[1],
  { secretsKey, connexionLocale }: Parameters<typeof acceptInvitation>[2],
): Promise<Joined> {
  const { jeton, paired } = given
  const invitation = await findOpen(tx, jeton)
  if (!invitation || invitation.aAssocier !== Boolean(paired)) return { ok: false, refusal: 'invitation_fermee' }
  const secret = paired && encryptSecret(secretsKey, tx.random(12), secretDe(secretsKey, jeton, paired.sel))
  const match = secret && matchCode([{ id: '', secret, dernierPas: 0 }], paired.code, tx.now, secretsKey)
  if (paired && !match) return { ok: false, refusal: 'code_faux' }

  const { structureId, genre, invitePar } = invitation
  const [accepted] = await tx.sql<{ id: string }[]>`
    select accepter_invitation(${hashToken(jeton)}, ${secret ?? null}, ${match?.step ?? null}) as id`
  const { id } = accepted!
  if (genre === 'arrivee')
    await append(tx, {
      action: 'aidant_ajoute',
      structureId,
      cibleAidantId: id,
      referentId: invitePar,
      contenu: { referent: false },
    })
  else await tellPaired(tx, id)
  if (!paired || !connexionLocale) return { ok: true, opened: undefined }
  if (given.previousSession) await leaveSession(tx, given.previousSession, id)
  await tx.sql`insert into acces (genre, aidant_id, structure_id) values ('connexion', ${id}, ${structureId})`
  const codes = await drawSecours(tx, id, secretsKey)
  return { ok: true, opened: { token: await openSession(tx, { aidantId: id, structureId }), codes } }
}

/** A new authenticator opens every structure of hers: she, and those who direct each of them, are told. */
async function tellPaired(tx: Tx, aidantId: string): Promise<void> {
  const told = await tx.sql<{ email: string; prenom: string; nom: string }[]>`
    select distinct r.email, a.prenom, a.nom
    from aidant a
    join habilitation h on h.aidant_id = a.id and h.ended_at is null
    join habilitation d on d.structure_id = h.structure_id and d.ended_at is null and (d.referent or d.aidant_id = a.id)
    join aidant r on r.id = d.aidant_id and r.suspended_at is null
    where a.id = ${aidantId}
    order by r.email`
  for (const { email, prenom, nom } of told)
    await queueMail(tx, `facteur:${newUuid(tx)}`, email, messageDApplicationAssociee({ qui: `${prenom} ${nom}` }))
}
