import type { RegistrationResponseJSON } from '@simplewebauthn/server'
import { constraintOf, type Db, type Tx, type Who } from '../db.ts'
import { append } from '../journal/append.ts'
import { queueMail } from '../notification/queue.ts'
import { newUuid } from '../uuid.ts'
import { verifyCreation } from './cle-acces.ts'
import type { Equipe } from './equipe.ts'
import { listFactors, matchCode, readFactors } from './factor.ts'
import { secretDe } from './join.ts'
import { messageDeMoyens } from './messages.ts'
import { AJOUT_MINUTES, type Genre } from './moyens.ts'
import { countSecours, drawSecours } from './secours.ts'
import { encryptSecret } from './secret.ts'
import type { Door } from './sign-in.ts'
import type { Spend } from './spend-factor.ts'

type Aidant = Who & { kind: 'aidant' }
type Refused<R extends string> = { ok: false; refusal: R }
type Ajout = { id: string; genre: Genre; nom: string; defi: Buffer; email: string; prenom: string; connues: Buffer[] }

/** Lets the calling aidant pair one more way in, in this session, for fifteen minutes. */
export const askAjout = (
  db: Db,
  by: Aidant,
  { sessionId, genre, nom }: { sessionId: string; genre: Genre; nom: string },
  spend: Spend,
): Promise<{ ok: true; id: string } | Refused<'second_facteur_refuse'>> =>
  db.tx(by, async (tx) => {
    if (!(await spend(tx))) return { ok: false, refusal: 'second_facteur_refuse' }
    const id = newUuid(tx)
    await tx.sql`
      insert into ajout (id, aidant_id, session_id, genre, nom, defi)
      values (${id}, ${by.aidantId}, ${sessionId}, ${genre}, ${nom}, ${tx.random(32)})`
    return { ok: true, id }
  })

/** What she asked to add in this session and has not paired yet. */
export async function findAjout(
  tx: Tx,
  by: Aidant,
  { id, sessionId }: { id: string; sessionId: string },
): Promise<Ajout | undefined> {
  const [ajout] = await tx.sql<Omit<Ajout, 'connues'>[]>`
    select j.id, j.genre, j.nom, j.defi, a.email, a.prenom
    from ajout j
    join aidant a on a.id = j.aidant_id
    where j.id = ${id} and j.aidant_id = ${by.aidantId} and j.session_id = ${sessionId}
      and j.created_at > ${tx.now}::timestamptz - make_interval(mins => ${AJOUT_MINUTES})`
  if (!ajout) return undefined
  return { ...ajout, connues: (await readFactors(tx, by.aidantId)).flatMap(({ cleId }) => cleId ?? []) }
}

/** The secret of the application that this addition pairs: kept nowhere until then. */
export const secretDAjout = ({ secretsKey }: Pick<Door, 'secretsKey'>, id: string) => secretDe(secretsKey, id, 'ajout')

export type AjoutRefusal = 'ajout_ferme' | 'code_faux' | 'cle_refusee'
/** `codes`: her first recovery codes, told once; she had some already when there is none. */
type Added = { ok: true; codes: string[] } | Refused<AjoutRefusal>

/** Pairs what she asked for, once its first code or its signature is right: its line, her message, and recovery codes if she has none. */
export const addFactor = (
  db: Db,
  by: Aidant,
  given: { id: string; sessionId: string; paired: { code: string } | { creation: RegistrationResponseJSON } },
  door: Door,
): Promise<Added> =>
  db
    .tx<Added>(by, async (tx) => {
      const ajout = await findAjout(tx, by, given)
      if (!ajout || (ajout.genre === 'totp') !== 'code' in given.paired) return { ok: false, refusal: 'ajout_ferme' }
      const factor =
        'code' in given.paired
          ? pairedTotp(tx, ajout, given.paired.code, door)
          : await pairedCle(ajout, given.paired.creation, door)
      if (!factor) return { ok: false, refusal: ajout.genre === 'totp' ? 'code_faux' : 'cle_refusee' }
      await say(tx, by, 'facteur_ajoute')
      const { secret = null, cle = undefined, pas } = factor
      await tx.sql`
        select ajouter_facteur(${ajout.id}, ${given.sessionId}, ${secret}, ${cle?.id ?? null}, ${cle?.publique ?? null}, ${pas})`
      await tell(tx, by, `Un moyen de connexion vient d’être ajouté à votre compte : ${ajout.nom}.`)
      const codes = (await countSecours(tx, by.aidantId)) === 0 ? await drawSecours(tx, by.aidantId, door.secretsKey) : []
      return { ok: true, codes }
    })
    .catch((error) => {
      // Taken up at the same instant, its time over, a passkey that is somebody's already, or an id that no device makes (WebAuthn §4).
      if (!['ajout_ferme', 'facteur_cle_unique', 'facteur_cle_id_check'].includes(constraintOf(error) ?? '')) throw error
      return { ok: false, refusal: 'ajout_ferme' }
    })

const pairedTotp = (tx: Tx, { id }: Ajout, code: string, door: Door) => {
  const secret = encryptSecret(door.secretsKey, tx.random(12), secretDAjout(door, id))
  const match = matchCode([{ id, secret, dernierPas: 0 }], code, tx.now, door.secretsKey)
  return match && { secret, cle: undefined, pas: match.step }
}

const pairedCle = async ({ defi }: Ajout, creation: RegistrationResponseJSON, door: Door) => {
  const cle = await verifyCreation(door.publicUrl, defi, creation)
  return cle && { secret: null, cle, pas: cle.compteur }
}

export type RemoveRefusal = 'facteur_dernier' | 'facteur_inconnu' | 'second_facteur_refuse'

/** The calling aidant takes away a way in of hers, but the last; recovery codes are not one. */
export const removeFactor = (db: Db, by: Aidant, id: string, spend: Spend): Promise<{ ok: true } | Refused<RemoveRefusal>> =>
  db.tx(by, async (tx) => {
    const factors = await listFactors(tx, by.aidantId)
    const factor = factors.find((one) => one.id === id)
    if (!factor) return { ok: false, refusal: 'facteur_inconnu' }
    if (factors.length === 1) return { ok: false, refusal: 'facteur_dernier' }
    if (!(await spend(tx))) return { ok: false, refusal: 'second_facteur_refuse' }
    await say(tx, by, 'facteur_retire')
    await tx.sql`select retirer_mon_facteur(${id})`
    await tell(tx, by, `Un moyen de connexion vient d’être retiré de votre compte${factor.nom ? ` : ${factor.nom}` : ''}.`)
    return { ok: true }
  })

/** Ten new recovery codes in the place of the former ones, told once. */
export const renewSecours = (
  db: Db,
  by: Aidant,
  { secretsKey }: Pick<Door, 'secretsKey'>,
  spend: Spend,
): Promise<{ ok: true; codes: string[] } | Refused<'second_facteur_refuse'>> =>
  db.tx(by, async (tx) => {
    if (!(await spend(tx))) return { ok: false, refusal: 'second_facteur_refuse' }
    await tell(tx, by, 'De nouveaux codes de secours viennent d’être créés pour votre compte ; les anciens ne servent plus.')
    return { ok: true, codes: await drawSecours(tx, by.aidantId, secretsKey) }
  })

const say = (tx: Tx, { aidantId, structureId }: Aidant, equipe: Equipe) =>
  append(tx, { action: 'structure_modifiee', structureId, cibleAidantId: aidantId, contenu: { equipe } })

async function tell(tx: Tx, { aidantId }: Aidant, quoi: string): Promise<void> {
  const [hers] = await tx.sql<{ email: string; prenom: string }[]>`select email, prenom from aidant where id = ${aidantId}`
  await queueMail(tx, `facteur:${newUuid(tx)}`, hers!.email, messageDeMoyens({ prenom: hers!.prenom, quoi }))
}
