import { decodeJwt } from 'jose'
import type { Db, Tx, Who } from '../db.ts'
import { type DemarcheRow, listDemarches } from '../demarche/queries.ts'
import { append } from '../journal/append.ts'
import { codeVerification } from '../mandat/code.ts'
import { readConditions } from '../mandat/conditions.ts'
import type { Autorisation, Thematique } from '../mandat/mandat.ts'
import {
  findMandat,
  findMandatContenu,
  listAutorisations,
  lockMandat,
  type MandatContenu,
  type MandatEtat,
} from '../mandat/queries.ts'
import { openSeal, type SealKeys } from '../mandat/sceau.ts'
import { litCommeAidant, recordAcces } from '../usager/access.ts'
import { empreinteDuCodePrive } from '../usager/code-prive.ts'
import { attestationUrl } from '../verification/attestation.ts'
import { qrSvg } from '../verification/qr.ts'
import { listKeys } from '../verification/queries.ts'
import { codeDe, type Ligne, lignesDuTexte, type NomPapier, type PapierRefusal, refusalOfPapier } from './papier.ts'
import { replaceCodePrive } from './queries.ts'

/** What printing needs of the configuration. */
export type Printer = { seal: SealKeys; publicUrl: string; secretsKey: Buffer }
export type Demande = { mandatId: string; papier: Exclude<NomPapier, 'apercu'>; thematique?: Thematique | undefined }

/** What a paper says; the mandat's own words are those of its day. */
export type Imprime = {
  mandat: MandatEtat
  contenu: MandatContenu
  autorisations: readonly Autorisation[]
  now: Date
} & (
  | { papier: 'mandat' | 'guichet'; thematiques: readonly Ligne[]; code: string; qr: string }
  | { papier: 'pour-vous'; codePrive: string }
  | { papier: 'arret' }
  | { papier: 'releve'; demarches: readonly DemarcheRow[] }
)
export type Printed =
  | { ok: true; imprime: Imprime }
  | { ok: false; refusal: PapierRefusal | 'introuvable' }
  /** A référent who does not accompany the person: she reads as the direction does. */
  | { ok: false; refusal: 'direction'; usagerId: string }

/** More démarches than a relevé has ever had. */
const ALL = 1000
/** Twelve letters at least in all but one draw of 2^90. */
const DRAWN = 64

/**
 * Gives what is to be printed of a mandat. By an aidant, a paper that leaves the room is a line of the journal, in the same transaction; a
 * relevé, read together, is an opening of the dossier. What the person prints of her own is written nowhere.
 */
export async function printPapier(
  db: Db,
  by: Who & { kind: 'aidant' | 'usager' },
  demande: Demande,
  printer: Printer,
): Promise<Printed> {
  const found = await db.tx(by, (tx) => find(tx, demande, printer))
  if (!found.ok) return found
  const { mandat, contenu, autorisations, demarches, codePrive, keys, now } = found
  const { papier, thematique } = demande
  const common = { mandat, contenu, autorisations, now }
  if (papier === 'pour-vous') return { ok: true, imprime: { ...common, papier, codePrive: codePrive! } }
  if (papier === 'arret') return { ok: true, imprime: { ...common, papier } }
  if (papier === 'releve') return { ok: true, imprime: { ...common, papier, demarches } }

  const perimetre = papier === 'guichet' ? [thematique!] : mandat.perimetre
  // Sealed under the address the service had that day.
  const sealed = await openSeal(contenu.sceau, { keys }, { issuer: String(decodeJwt(contenu.sceau).iss) })
  if (!sealed.ok) throw new Error(`papier: the seal of a mandat does not open (${sealed.reason})`)
  const url = await attestationUrl(
    { ...sealed.claims, perimetre },
    { fuseau: contenu.structure.fuseau, publicUrl: printer.publicUrl, key: printer.seal.current },
  )
  return {
    ok: true,
    imprime: {
      ...common,
      papier,
      thematiques: lignesDuTexte(readConditions(contenu.conditions)!.texte.version, perimetre),
      code: codeVerification(printer.secretsKey, mandat.id),
      qr: qrSvg(url),
    },
  }
}

async function find(tx: Tx, { mandatId, papier, thematique }: Demande, { secretsKey }: Printer) {
  const written = tx.who.kind === 'aidant' && papier !== 'releve'
  if (written) await lockMandat(tx, mandatId)
  const mandat = await findMandat(tx, mandatId)
  if (!mandat) return { ok: false, refusal: 'introuvable' } as const
  const { usagerId } = mandat
  if (tx.who.kind === 'aidant' && !(await litCommeAidant(tx, usagerId)))
    return { ok: false, refusal: 'direction', usagerId } as const
  const contenu = await findMandatContenu(tx, mandatId)
  // Nothing is in force any more, and another aidant signed: she does not read it.
  if (!contenu) return { ok: false, refusal: 'introuvable' } as const
  const autorisations = await listAutorisations(tx, mandatId)
  const refusal = refusalOfPapier(papier, { autorisations, thematique, now: tx.now })
  if (refusal) return { ok: false, refusal } as const

  if (papier === 'releve' && tx.who.kind === 'aidant') await recordAcces(tx, { genre: 'dossier_consulte', usagerId })
  const line = written
    ? await append(tx, {
        action: 'attestation_imprimee',
        mandat,
        contenu: { papier: papier.replace('-', '_'), ...(papier === 'guichet' && { thematique }) },
      })
    : undefined
  const codePrive = papier === 'pour-vous' ? codeDe(tx.random(DRAWN)) : undefined
  if (codePrive) await replaceCodePrive(tx, usagerId, empreinteDuCodePrive(secretsKey, codePrive), line!.id)
  return {
    ok: true,
    mandat,
    contenu,
    autorisations,
    codePrive,
    demarches: papier === 'releve' ? (await listDemarches(tx, { mandatId }, undefined, ALL)).demarches : [],
    keys: await listKeys(tx),
    now: tx.now,
  } as const
}
