import { decodeJwt } from 'jose'
import type { Db, Tx, Who } from '../db.ts'
import { type DemarcheRow, listDemarches, TOUTES } from '../demarche/queries.ts'
import { append } from '../journal/append.ts'
import { findPoint, type Point } from '../journal/tree-queries.ts'
import { codeVerification } from '../mandat/code.ts'
import { readConditions } from '../mandat/conditions.ts'
import { type ArretRecu, listArretsRecus, listSignalees } from '../mandat/fin-queries.ts'
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
import { queueTo } from '../notification/queue.ts'
import { dossierOuvert, litCommeAidant, recordAcces } from '../usager/access.ts'
import { drawCodePrive, empreinteDuCodePrive } from '../usager/code-prive.ts'
import { findContactProuve, replaceOwnCode, replacePrintedCode } from '../usager/code-queries.ts'
import { messageDeFeuille } from '../usager/messages.ts'
import { attestationUrl } from '../verification/attestation.ts'
import { qrSvg } from '../verification/qr.ts'
import { isCoupe, listKeys } from '../verification/queries.ts'
import { arretees, enCours, type Ligne, lignesDuTexte, type NomPapier, type PapierRefusal, refusalOfPapier } from './papier.ts'

/** What printing needs of the configuration. */
export type Printer = { seal: SealKeys; publicUrl: string; secretsKey: Buffer }
export type Demande = { mandatId: string; papier: Exclude<NomPapier, 'apercu'>; thematique?: Thematique | undefined }

/** What a paper says; the mandat's own words are those of its day. */
export type Imprime = {
  mandat: MandatEtat
  contenu: MandatContenu
  autorisations: readonly Autorisation[]
  /** The journal as it stands when this is printed, for whoever keeps the paper; undefined where none is signed. */
  point: Point | undefined
  now: Date
} & (
  | { papier: 'mandat'; thematiques: readonly Ligne[]; code: string; qr: string }
  | { papier: 'guichet'; thematiques: readonly Ligne[]; qr: string }
  /** `elleMeme`: she printed it, and its code is hers. `prouve`: a code may be sent to her, without which the paper's stops nothing. */
  | { papier: 'pour-vous'; codePrive: string; elleMeme: boolean; prouve: boolean }
  | { papier: 'arret'; recus: readonly ArretRecu[]; code: string | undefined; qr: string }
  /** `coupe`: there are older démarches than those. */
  | { papier: 'releve'; demarches: readonly DemarcheRow[]; coupe: boolean; signalees: ReadonlySet<string> }
)
type Printed =
  | { ok: true; imprime: Imprime }
  | { ok: false; refusal: PapierRefusal | 'introuvable' }
  /** A référent who does not accompany the person, and has not the dossier open, or asks for what an aidant alone hands over. */
  | { ok: false; refusal: 'direction'; usagerId: string }

/**
 * Gives what is to be printed of a mandat. By an aidant, a paper that leaves the room is a line of the journal, in the same transaction; a
 * relevé, read together, is an opening of the dossier; of a sheet with a code, the person is told. What she prints of her own is written nowhere,
 * but for the code that she draws so.
 */
export async function printPapier(
  db: Db,
  by: Who & { kind: 'aidant' | 'referent' | 'usager' },
  demande: Demande,
  printer: Printer,
): Promise<Printed> {
  const found = await db.tx(by, (tx) => find(tx, demande, printer))
  if (!found.ok) return found
  const { mandat, contenu, autorisations, demarches, suivant, signalees, recus, codePrive, prouve, keys, point, now } = found
  const { papier, thematique } = demande
  const common = { mandat, contenu, autorisations, point, now }
  if (papier === 'pour-vous')
    return { ok: true, imprime: { ...common, papier, codePrive: codePrive!, elleMeme: by.kind === 'usager', prouve } }
  if (papier === 'releve') return { ok: true, imprime: { ...common, papier, demarches, coupe: suivant !== undefined, signalees } }

  // No sheet proves more than it says.
  const dites = [...arretees(autorisations), ...enCours(autorisations, now)].map((one) => one.thematique)
  const perimetre =
    papier === 'guichet'
      ? [thematique!]
      : papier === 'arret'
        ? mandat.perimetre.filter((one) => dites.includes(one))
        : mandat.perimetre
  // Sealed under the address the service had that day.
  const sealed = await openSeal(contenu.sceau, { keys }, { issuer: String(decodeJwt(contenu.sceau).iss) })
  if (!sealed.ok) throw new Error(`papier: the seal of a mandat does not open (${sealed.reason})`)
  const url = await attestationUrl(
    { ...sealed.claims, perimetre },
    { fuseau: contenu.structure.fuseau, publicUrl: printer.publicUrl, key: printer.seal.current },
  )
  const qr = qrSvg(url)
  const code = codeVerification(printer.secretsKey, mandat.id)
  if (papier === 'arret') {
    const whole = perimetre.length === mandat.perimetre.length
    return { ok: true, imprime: { ...common, papier, recus, code: whole ? code : undefined, qr } }
  }
  const thematiques = lignesDuTexte(readConditions(contenu.conditions)!.texte.version, perimetre)
  // At a counter the code, with the year of birth that stands beside it, would show every thématique: the QR shows this one.
  if (papier === 'guichet') return { ok: true, imprime: { ...common, papier, thematiques, qr } }
  return { ok: true, imprime: { ...common, papier, thematiques, code, qr } }
}

/** What the direction may print of a dossier open with a reason: what says a fact. A code, a sheet for a counter are for whoever accompanies. */
const DE_DIRECTION: readonly NomPapier[] = ['mandat', 'arret', 'releve']

async function find(tx: Tx, { mandatId, papier, thematique }: Demande, { secretsKey }: Printer) {
  const agent = tx.who.kind !== 'usager'
  const written = agent && papier !== 'releve'
  if (written) await lockMandat(tx, mandatId)
  const mandat = await findMandat(tx, mandatId)
  if (!mandat) return { ok: false, refusal: 'introuvable' } as const
  const { usagerId } = mandat
  const lit =
    tx.who.kind === 'usager' ||
    (tx.who.kind === 'aidant'
      ? await litCommeAidant(tx, usagerId)
      : DE_DIRECTION.includes(papier) && (await dossierOuvert(tx, usagerId)))
  if (!lit) return { ok: false, refusal: 'direction', usagerId } as const
  const contenu = await findMandatContenu(tx, mandatId)
  // Nothing is in force any more, and another aidant signed: she does not read it.
  if (!contenu) return { ok: false, refusal: 'introuvable' } as const
  const autorisations = await listAutorisations(tx, mandatId)
  const refusal = refusalOfPapier(papier, { autorisations, thematique, now: tx.now })
  if (refusal) return { ok: false, refusal } as const
  // The account of what was done in her name is due whatever became of the seal (Code civil, art. 1993).
  if (papier !== 'releve' && (await isCoupe(tx, mandatId))) return { ok: false, refusal: 'sceau_coupe' } as const

  if (papier === 'releve' && agent) await recordAcces(tx, { genre: 'dossier_consulte', usagerId })
  const line = written
    ? await append(tx, {
        action: 'attestation_imprimee',
        mandat,
        contenu: { papier: papier.replace('-', '_'), ...(papier === 'guichet' && { thematique }) },
      })
    : undefined
  const codePrive = papier === 'pour-vous' ? drawCodePrive(tx.random) : undefined
  if (codePrive) {
    const empreinte = empreinteDuCodePrive(secretsKey, codePrive)
    if (line) {
      await replacePrintedCode(tx, usagerId, empreinte, line.id)
      await tellOfSheet(tx, mandat, line.id)
    } else await replaceOwnCode(tx, usagerId, empreinte)
  }
  return {
    ok: true,
    mandat,
    contenu,
    autorisations,
    codePrive,
    prouve: papier === 'pour-vous' && (await findContactProuve(tx, usagerId)) !== undefined,
    ...(papier === 'releve' ? await listDemarches(tx, { mandatId }, undefined, TOUTES) : { demarches: [], suivant: undefined }),
    signalees: papier === 'releve' ? await listSignalees(tx, { mandatId }) : new Set<string>(),
    recus: papier === 'arret' ? await listArretsRecus(tx, mandatId) : [],
    keys: (await listKeys(tx)).map(({ jwk }) => jwk),
    point: await findPoint(tx),
    now: tx.now,
  } as const
}

/** Tells her that a sheet which opens her space was printed: an aidant may have done so without her. */
async function tellOfSheet(tx: Tx, { usagerId, structureNom, fuseau }: MandatEtat, line: number): Promise<void> {
  const proven = await findContactProuve(tx, usagerId)
  if (proven) await queueTo(tx, `feuille:${line}`, proven, messageDeFeuille(structureNom), { fuseau })
}
