import { existsSync, readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import decodeQR from 'qr/decode.js'
import { THEMATIQUE } from '../views/kit/words.ts'
import type { Jwks } from './mandat/jws.ts'
import type { Statut } from './mandat/statut.ts'
import { isPng, readPng } from './verification/png.ts'
import { readPiece, type Verification, verifyPiece } from './verification/verify.ts'

const USAGE = `Vérifier un mandat, sans base de données et sans nous croire :

  npm run verify-mandat -- PIÈCE [--emetteur https://mandats.exemple.fr] [--jwks FICHIER] [--statuts FICHIER] [--hors-ligne]

PIÈCE : le fichier preuve.json, le sceau (JWS), l’adresse ou les chiffres d’un QR, ou l’image PNG d’un QR ; un fichier, ou le texte lui-même.
  --emetteur    l’adresse du service que vous connaissez : sinon c’est la pièce qui dit d’où elle vient
  --jwks        les clés publiques du service, au lieu de les lui demander
  --statuts     sa liste de statuts, au lieu de la lui demander
  --hors-ligne  ne rien demander à personne

Code de sortie : 0 authentique et en cours ; 1 une vérification échoue ; 2 pièce ou commande inutilisable, ou clés introuvables ;
3 authentique, mais fini ou en pause ; 4 authentique, mais le statut ou la preuve n’est pas vérifié.`

type Reason =
  | Extract<Verification['sceau'], { ok: false }>['reason']
  | Extract<NonNullable<Verification['accord']>, { ok: false }>['reason']
  | NonNullable<NonNullable<Verification['statuts']>[number]['reason']>

const WHY = {
  illisible: 'la pièce est abîmée, ou n’est pas un jeton signé',
  algorithme_refuse: 'elle n’est pas signée en ES256, la seule sorte acceptée',
  cle_inconnue: 'la clé qui aurait signé n’est pas publiée',
  signature_fausse: 'la signature ne correspond pas au contenu : il a été changé, ou un autre l’a signé',
  type_inattendu: 'c’est un autre jeton du service, donné pour ce qu’il n’est pas',
  contenu_incomplet: 'il y manque ce qu’elle doit dire',
  emetteur_different: 'l’émetteur écrit dedans n’est pas celui attendu',
  emetteur_absent: 'rien ne dit quel service l’a faite : donnez --emetteur',
  cles_absentes: 'les clés publiques de ce service sont introuvables',
  liste_absente: 'la liste de statuts est introuvable',
  autre_liste: 'la liste donnée est celle d’une autre adresse',
  liste_perimee: 'la liste donnée a plus de 24 heures',
  hors_liste: 'sa place n’est pas dans la liste',
  preuve_absente: 'la pièce donnée n’a pas l’accord : demandez preuve.json à la personne ou à la structure',
  conditions_illisibles: 'les conditions ne sont pas écrites comme le service les écrit',
  texte_inconnu: 'le texte accepté n’est pas une version connue ici',
  perimetre_vide: 'aucune thématique n’est accordée',
  perimetre_elargi: 'le mandat accorde une thématique qui n’était pas dans ce qu’elle a lu',
  nonce_different: 'FranceConnect n’a pas signé l’empreinte de ces mots-là',
  destinataire_different: 'FranceConnect a répondu à un autre service',
  acr_insuffisant: 'le niveau d’identification n’est pas suffisant',
  dates_incoherentes: 'les heures de l’identification ne se suivent pas',
  autre_accord: 'ces conditions ou cette identification ne sont pas celles que le sceau nomme',
  autre_mandat: 'ces conditions sont celles d’un autre mandat',
  texte_different: 'le texte joint n’est pas, à la lettre, celui qui a été scellé',
} as const satisfies Record<Reason, string>

const STATUT = { VALID: 'en cours', INVALID: 'arrêtée', SUSPENDED: 'en pause' } as const satisfies Record<Statut, string>
const DATES = {
  en_cours: 'en cours à cette heure',
  a_venir: 'pas encore commencé',
  expire: 'arrivé à sa fin',
} as const satisfies Record<NonNullable<Verification['dates']>, string>

const NOT_CHECKED: readonly Reason[] = ['cles_absentes', 'emetteur_absent', 'liste_absente', 'preuve_absente', 'liste_perimee']
const failed = (reason: Reason) => (NOT_CHECKED.includes(reason) ? `non vérifié : ${WHY[reason]}.` : `FAUX : ${WHY[reason]}.`)
const when = (seconds: number) =>
  new Date(seconds * 1000).toLocaleString('fr-FR', { timeZone: 'Europe/Paris', dateStyle: 'long', timeStyle: 'medium' })

function linesOf({ kind, issuer, sceau, dit, dates, statuts, accord }: Verification, pinned: boolean): string[] {
  const lines = [
    `Émetteur   ${issuer ?? 'inconnu'}${issuer && !pinned ? ' (c’est la pièce qui le dit : est-ce bien le service que vous connaissez ?)' : ''}`,
  ]
  if (!sceau.ok) return [...lines, `Sceau      ${failed(sceau.reason)}`]
  lines.push('Sceau      vérifié : ce service a scellé ce qui suit, et rien n’y a changé depuis.')
  const { nom, birthdate, structure, siret, signedAt, expiresAt } = dit!
  lines.push(
    `           ${nom}, naissance ${birthdate}`,
    `           à ${structure}, SIRET ${siret}`,
    `           du ${when(signedAt)} au ${when(expiresAt)} (heure de Paris)`,
    `Dates      ${DATES[dates!]}.`,
  )
  for (const { thematique, statut, reason } of statuts!)
    lines.push(
      `Statut     ${THEMATIQUE[thematique].titre} : ${statut ? `${STATUT[statut]}, d’après la liste signée par ce service.` : failed(reason!)}`,
    )
  if (kind === 'attestation') lines.push('Accord     non vérifié : un QR n’a pas la place de le porter ; demandez preuve.json.')
  else if (!accord!.ok) lines.push(`Accord     ${failed(accord!.reason)}`)
  else
    lines.push(
      'Accord     vérifié : une personne s’est identifiée avec FranceConnect, pour ces mots exactement, à la minute dite. Les clés de FranceConnect',
      '           sont celles de la pièce : comparez-les à une autre source. Ce n’est pas une signature électronique.',
    )
  return lines
}

function exitOf({ sceau, dates, statuts = [], accord }: Verification): number {
  if (!sceau.ok) return NOT_CHECKED.includes(sceau.reason) ? 2 : 1
  const reasons = [...statuts.flatMap(({ reason }) => reason ?? []), ...(accord && !accord.ok ? [accord.reason] : [])]
  if (reasons.some((reason) => !NOT_CHECKED.includes(reason))) return 1
  if (dates !== 'en_cours' || statuts.every(({ statut }) => statut && statut !== 'VALID')) return 3
  return reasons.length > 0 ? 4 : 0
}

/** undefined when nobody answers well: what is not there is said « non vérifié ». */
async function fetchText(url: string): Promise<string | undefined> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(10_000), redirect: 'error' })
    return answer.ok ? await answer.text() : undefined
  } catch (error) {
    console.error(`${url} ne répond pas (${(error as Error).name}).`)
    return undefined
  }
}

const jwksIn = (text: string | undefined): Jwks | undefined => {
  if (text === undefined) return undefined
  try {
    const set = JSON.parse(text) as Jwks
    return Array.isArray(set.keys) ? set : undefined
  } catch {
    return undefined
  }
}

/** What the argument is: a file's text, the text of a picture's QR, or itself. */
function textOf(argument: string): string | undefined {
  if (!existsSync(argument)) return argument
  const bytes = readFileSync(argument)
  if (!isPng(bytes)) return bytes.toString('utf8')
  const picture = readPng(bytes)
  try {
    return picture && decodeQR(picture, { timeLimit: 5_000 })
  } catch {
    return undefined
  }
}

async function verify(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      emetteur: { type: 'string' },
      jwks: { type: 'string' },
      statuts: { type: 'string' },
      'hors-ligne': { type: 'boolean', default: false },
    },
  })
  const [argument, more] = positionals
  if (!argument || more) throw new Error(USAGE)
  const text = textOf(argument)
  const piece = text === undefined ? undefined : readPiece(text)
  if (!piece)
    throw new Error('Rien de vérifiable ici : il faut preuve.json, un sceau, l’adresse d’un QR, ou l’image PNG nette d’un QR.')
  const file = (name: string) => readFileSync(name, 'utf8').trim()
  const ask = async (url: string) => (values['hors-ligne'] ? undefined : fetchText(url))
  const verification = await verifyPiece(piece, {
    issuer: values.emetteur,
    now: new Date(),
    jwks: async (issuer) => jwksIn(values.jwks ? file(values.jwks) : await ask(`${issuer}/.well-known/jwks.json`)),
    liste: async (url) => (values.statuts ? file(values.statuts) : ask(url)),
  })
  for (const line of linesOf(verification, values.emetteur !== undefined)) console.log(line)
  return exitOf(verification)
}

try {
  process.exitCode = await verify(process.argv.slice(2))
} catch (error) {
  console.error((error as Error).message)
  process.exitCode = 2
}
