import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Spend, spendFactor } from '../aidant/spend-factor.ts'
import { constraintOf, type Db, type Tx, type Who } from '../db.ts'
import { append } from '../journal/append.ts'
import { mine } from '../structure/mine.ts'
import type { Identite } from '../usager/identite.ts'
import { siennes } from '../usager/queries.ts'
import { recognizeUsager } from '../usager/recognize.ts'
import { announceContact, announceMandat } from './announce.ts'
import {
  type ActingRow,
  actingOf,
  type Brouillon,
  deleteBrouillon,
  findActing,
  findFinsNotees,
  listConnues,
  lockBrouillon,
} from './brouillon-queries.ts'
import { codeVerification, empreinteDuCode } from './code.ts'
import { type Accord, type EvidenceReason, readConditions, verifyEvidence } from './conditions.ts'
import { confirmee, vueDe } from './confirmation.ts'
import { contactPret } from './contact.ts'
import { endAutorisations } from './end.ts'
import type { Jwks } from './jws.ts'
import {
  aLaSeconde,
  dernierJour,
  expiresAt,
  type FinsNotees,
  type NoteesRefusal,
  refusalOfNotees,
  refusalOfSigning,
  type SigningRefusal,
  type Thematique,
} from './mandat.ts'
import { lockMandat } from './queries.ts'
import { type SealKeys, sealMandat } from './sceau.ts'
import { placeDe } from './statut.ts'
import { texteScelle } from './texte.ts'

/** What signing needs of the configuration. */
export type Signer = {
  seal: SealKeys
  publicUrl: string
  secretsKey: Buffer
  franceconnect: { issuer: string; clientId: string }
}
export type SignRefusal =
  | SigningRefusal
  | 'introuvable'
  | 'identite_absente'
  | 'accord_absent'
  | 'contact_non_prouve'
  | 'phrase_a_relire'
  | 'second_facteur_refuse'
  | NoteesRefusal
  | 'confirmation_perimee'
  | 'preuve_invalide'
/** `mesureFinie`: the protection measure that this structure had recorded is over, says who signs. `vue`: the fingerprint of what she saw. */
type Signing = { brouillonId: string } & (
  | { code: string; mesureFinie?: boolean }
  | { spend: Spend; vue: string; mesureFinie?: boolean }
  | { confirmation: string }
)
type Signed = { ok: true; id: string } | { ok: false; refusal: SignRefusal; reason?: EvidenceReason }

/**
 * Accepts the mandat for the structure: one transaction writes the mandat, its autorisations, its lines, its seal and its messages, or
 * nothing. `code` is the aidant's fresh second factor, counted once, as `spend` counts any; `confirmation`, for one who signed in by ProConnect, the nonce of the round
 * trip by which she has just authenticated there again. Signing a draft twice gives the same single mandat.
 */
export const signMandat = async (db: Db, by: Who & { kind: 'aidant' }, request: Signing, signer: Signer): Promise<Signed> => {
  const attempt = () => db.tx(by, (tx) => sign(tx, by, request, signer))
  try {
    return await attempt()
  } catch (error) {
    const constraint = constraintOf(error) ?? ''
    // Closed, suspended or changed since it was read: read again, it says which refusal.
    if (CHANGED.includes(constraint)) return attempt()
    if (!TAKEN.includes(constraint)) throw error
    // A mandat begins at a whole second: what was stopped or used within this one must come before it, so it begins at the next.
    await sleep(1000)
    return attempt()
  }
}

/** Stopped, or used, in this very second; or another mandat drew the same status block at the same time. */
const TAKEN = ['autorisation_une_en_vigueur', 'fin_apres_actes', 'mandat_bloc_unique']

/** The structure closed, the aidant was suspended, her death was recorded, or a thématique is no longer offered. */
const CHANGED = [
  'mandat_aidant_actif',
  'mandat_apres_deces',
  'autorisation_structure_ouverte',
  'autorisation_thematique_proposee',
]

async function sign(tx: Tx, by: Who & { kind: 'aidant' }, request: Signing, signer: Signer): Promise<Signed> {
  const brouillon = await lockBrouillon(tx, request.brouillonId)
  if (!brouillon) {
    const already = await lockMandat(tx, request.brouillonId)
    return already ? { ok: true, id: already.id } : { ok: false, refusal: 'introuvable' }
  }
  const acting = await findActing(tx)
  const conditions = brouillon.conditions && readConditions(brouillon.conditions)
  const { identite, idToken, jwksId, authTime, granted, accordAt, suivi } = brouillon
  if (!acting) return { ok: false, refusal: 'introuvable' }
  if (!conditions || !identite || !idToken || !jwksId || !authTime) return { ok: false, refusal: 'identite_absente' }
  if (!granted || !accordAt || !suivi) return { ok: false, refusal: 'accord_absent' }
  if (!contactPret(brouillon)) return { ok: false, refusal: 'contact_non_prouve' }

  const { structure, aidant } = actingOf(acting)
  const refusal = refusalOfSigning({
    structure: { ...structure, desactivees: acting.desactivees },
    aidant: { ...acting, ...aidant },
    conditions,
    accordees: granted,
    identite,
    protegee: false,
    authTime,
    now: tx.now,
    fuseau: acting.fuseau,
  })
  if (refusal) return { ok: false, refusal }

  const [archive] = await tx.sql<{ jwks: string }[]>`select jwks from jwks_archive where id = ${jwksId}`
  const evidence = await verifyEvidence({
    conditions: brouillon.conditions!,
    idToken,
    jwks: JSON.parse(archive!.jwks) as Jwks,
    ...signer.franceconnect,
    perimetre: granted,
  })
  if (!evidence.ok) return { ok: false, refusal: 'preuve_invalide', reason: evidence.reason }
  const { sub, auth_time } = evidence.accord
  const ofThisDraft = conditions.id === brouillon.id && conditions.structure.siret === acting.siret
  const ofThisPerson = sub === identite.sub && auth_time === Math.floor(authTime.getTime() / 1000)
  if (!ofThisDraft || !ofThisPerson) return { ok: false, refusal: 'preuve_invalide' }
  // Her yes was to a last day too: signed after midnight, the same duration would end later than what she read.
  if (dernierJour(expiresAt(tx.now, conditions.duree, acting.fuseau), acting.fuseau) !== brouillon.dernierJour)
    return { ok: false, refusal: 'phrase_a_relire' }

  const said =
    'confirmation' in request ? confirmee(brouillon, request.confirmation) : { mesureFinie: request.mesureFinie === true }
  if (!said || ('vue' in request && request.vue !== vueDe(brouillon))) return { ok: false, refusal: 'confirmation_perimee' }
  const notees = await holdNotees(tx, identite.sub)
  const noted = refusalOfNotees(notees, { authTime, ...said })
  if (noted) return { ok: false, refusal: noted }
  const spent =
    'code' in request
      ? spendFactor(tx, by.aidantId, request, signer)
      : 'spend' in request
        ? request.spend(tx)
        : Promise.resolve(true)
  if (!(await spent)) return { ok: false, refusal: 'second_facteur_refuse' }

  const { id: usagerId, remplace } = await recognizeUsager(tx, identite, {
    suivi,
    contact: brouillon.contact,
    prouveAt: brouillon.contactProuveAt,
    lecteur: brouillon.contactLecteur,
  })
  await endReplaced(tx, usagerId, granted)
  const mandat = await insertMandat(
    tx,
    { brouillon, acting, identite, usagerId, granted, suivi, evidence: evidence.accord, mesureFinie: notees.protegeeLe !== null },
    signer,
  )
  await announceMandat(tx, mandat)
  if (remplace) await announceContact(tx, usagerId, mandat.line, [remplace])
  await deleteBrouillon(tx, brouillon.id)
  return { ok: true, id: mandat.id }
}

/**
 * What this structure recorded of her. Her dossier is held from here on, as by who records a death or a protection measure (`terminateMandat`):
 * either its line comes first and is read here, or it finds this mandat and ends it.
 */
async function holdNotees(tx: Tx, sub: string): Promise<FinsNotees> {
  // The person before her dossier, as when she is recognised.
  await tx.sql`select 1 from usager where sub = ${sub} for no key update`
  const [known] = await listConnues(tx, sub)
  if (!known) return { decedee: false, protegeeLe: null }
  await tx.sql`select tient_le_dossier(${known})`
  return findFinsNotees(tx, sub)
}

/** Granting again a thématique in force ends the earlier one of this structure, whichever aidant holds it (case 23) and under whichever identity of hers. */
async function endReplaced(tx: Tx, usagerId: string, granted: readonly Thematique[]) {
  const replaced = await tx.sql<{ mandatId: string }[]>`
    select distinct a.mandat_id
    from autorisation a
    where ${siennes(tx, 'a.usager_id', usagerId)} and ${mine(tx, 'a')} and a.thematique = any (${[...granted]}) and a.revoked_at is null
      and a.expires_at > ${aLaSeconde(tx.now)}
    order by a.mandat_id`
  for (const { mandatId } of replaced) {
    const mandat = await lockMandat(tx, mandatId)
    await endAutorisations(tx, mandat!, granted, 'remplace', latest(aLaSeconde(tx.now), mandat!.signedAt))
  }
}

const seconds = (date: Date) => date.getTime() / 1000
const latest = (a: Date, b: Date) => (a > b ? a : b)

type Accepted = {
  brouillon: Brouillon
  acting: ActingRow
  identite: Identite
  usagerId: string
  granted: Thematique[]
  suivi: 'email' | 'sms' | 'papier'
  evidence: Accord
  mesureFinie: boolean
}

async function insertMandat(tx: Tx, accepted: Accepted, signer: Signer) {
  const { brouillon, acting, identite, usagerId, granted, suivi, evidence, mesureFinie } = accepted
  const { id, structureId, aidantId } = brouillon
  // What she agreed to is what her identification was bound to, whatever the draft's other columns say.
  const { duree, texte: words } = readConditions(brouillon.conditions!)!
  const signedAt = aLaSeconde(await tx.clock())
  const end = expiresAt(signedAt, duree, acting.fuseau)
  if (dernierJour(end, acting.fuseau) !== brouillon.dernierJour) throw new Error('midnight passed while signing')
  const [place] = await tx.sql<{ bloc: number }[]>`select bloc_libre() as bloc`
  const { liste, idx } = placeDe(place!.bloc)
  // FranceConnect's `sub` stays out of the paper.
  const { sub: _, ...quoted } = evidence

  const sceau = await sealMandat(
    {
      iss: signer.publicUrl,
      jti: id,
      iat: seconds(signedAt),
      nbf: seconds(signedAt),
      exp: seconds(end),
      sub: pairwise(structureId, usagerId),
      mandant: { given_name: identite.prenoms.join(' '), family_name: identite.nomNaissance, birthdate: identite.birthdate },
      mandataire: { siret: acting.siret, nom: acting.structureNom },
      act: { sub: aidantId, nom: `${acting.prenom} ${acting.nom}` },
      perimetre: granted,
      texte: words,
      accord: quoted,
      status: { status_list: { idx, uri: `${signer.publicUrl}/statuts/${liste}` } },
    },
    signer.seal.current,
  )
  const mandat = { id, structureId, usagerId }
  const line = await append(tx, {
    action: 'mandat_signe',
    mandat,
    contenu: {
      perimetre: granted,
      duree,
      signed_at: signedAt.toISOString(),
      expires_at: end.toISOString(),
      texte: words,
      suivi,
      ...(mesureFinie && { mesure_finie: true }),
      sceau_sha256: sha256(sceau),
      conditions_sha256: sha256(brouillon.conditions!),
      id_token_sha256: sha256(brouillon.idToken!),
      jwks_id: brouillon.jwksId,
    },
  })
  await tx.sql`
    insert into mandat (id, structure_id, usager_id, aidant_id, duree, signed_at, expires_at, statut_bloc, journal_id)
    values (${id}, ${structureId}, ${usagerId}, ${aidantId}, ${duree}, ${signedAt}, ${end}, ${place!.bloc}, ${line.id})`
  await tx.sql`
    insert into autorisation (mandat_id, structure_id, usager_id, thematique, signed_at, expires_at, journal_id)
    select ${id}, ${structureId}, ${usagerId}, thematique, ${signedAt}, ${end}, ${line.id}
    from unnest(${granted}::text[]) as thematique`
  await tx.sql`
    insert into mandat_contenu (mandat_id, structure_id, usager_id, sceau, conditions, id_token, jwks_id, texte, identite, structure, aidant, accord)
    values (${id}, ${structureId}, ${usagerId}, ${sceau}, ${brouillon.conditions}, ${brouillon.idToken}, ${brouillon.jwksId},
      ${texteScelle(words.version, { ...acting, thematiques: granted, end, publicUrl: signer.publicUrl })},
      ${tx.sql.json(identite)},
      ${tx.sql.json({ nom: acting.structureNom, siret: acting.siret, adresse: acting.adresse, telephone: acting.telephone, fuseau: acting.fuseau })},
      ${tx.sql.json({ prenom: acting.prenom, nom: acting.nom })},
      ${tx.sql.json({ at: brouillon.accordAt!.toISOString(), suivi })})`
  await tx.sql`
    insert into code_verification (mandat_id, empreinte) values (${id}, ${empreinteDuCode(codeVerification(signer.secretsKey, id))})`
  return { ...mandat, aidantId, signedAt, expiresAt: end, granted, line: line.id }
}

/** One person, one pseudonym for each structure: two papers of two structures cannot be joined by it. */
const pairwise = (structureId: string, usagerId: string) => sha256(`${structureId}:${usagerId}`)

const sha256 = (text: string) => createHash('sha256').update(text).digest('base64url')
