import { existsSync, readFileSync } from 'node:fs'
import decodeQR from 'qr/decode.js'
import { THEMATIQUE } from '../views/kit/words.ts'
import { type ProvenLine, parseProvenLine } from './journal/proof.ts'
import type { Jwks } from './mandat/jws.ts'
import type { Statut } from './mandat/statut.ts'
import { readArgs, runCommand } from './read-args.ts'
import { isPng, readPng } from './verification/png.ts'
import { readPiece, type Verification, verifyPiece } from './verification/verify.ts'

const USAGE = `Vérifier un mandat, sans base de données et sans nous croire :

  npm run verify-mandat -- PIÈCE --emetteur https://mandats.exemple.fr [--jwks FICHIER] [--statuts FICHIER] [--hors-ligne]
                            [--fc-jwks FICHIER | --fc-empreinte EMPREINTE]

PIÈCE : le fichier preuve.json, le sceau (JWS), l’adresse ou les chiffres d’un QR, ou l’image PNG d’un QR (pas une photo JPEG) ; un fichier, ou le texte lui-même.
  --emetteur    l’adresse du service que vous connaissez ; sans elle, rien n’est demandé à l’adresse que la pièce donne, et rien n’est dit authentique
  --jwks        les clés publiques du service, au lieu de les lui demander
  --statuts     sa liste de statuts, au lieu de la lui demander
  --hors-ligne  ne rien demander à personne
  --fc-jwks, --fc-empreinte
                les clés de FranceConnect ce jour-là, ou l’empreinte (RFC 7638) de celle qui a signé, trouvées ailleurs que dans la pièce :
                l’archive de FranceConnect, ou la ligne « jwks_archive » du journal

Code de sortie : 0 authentique et en cours ; 1 une vérification échoue ; 2 pièce ou commande inutilisable, ou clés introuvables ;
3 authentique, mais fini ou en pause ; 4 rien n’est faux, mais l’émetteur, le statut ou la preuve
n’est pas vérifié, ou la clé a été volée et rien ne prouve que la pièce est d’avant ; 5 authentique et en cours, mais
l’accord repose sur une clé de FranceConnect que rien d’autre que la pièce ne garantit (--fc-jwks ou --fc-empreinte).`

type Reason =
  | Extract<Verification['sceau'], { ok: false }>['reason']
  | Extract<NonNullable<Verification['accord']>, { ok: false }>['reason']
  | NonNullable<NonNullable<Verification['statuts']>[number]['reason']>

const WHY = {
  illisible: 'la pièce est abîmée, ou n’est pas un jeton signé',
  algorithme_refuse: 'elle n’est pas signée en ES256, la seule sorte acceptée',
  cle_inconnue: 'la clé qui aurait signé n’est pas publiée',
  cle_compromise:
    'la clé qui l’a signé a été volée depuis, et un QR n’a pas la place de prouver qu’il est d’avant : sans la ligne de journal du mandat, on ne peut pas décider. Demandez preuve.json',
  ligne_absente:
    'la clé qui l’a scellé a été volée depuis, et rien ici ne prouve qu’il est d’avant : sans la preuve de sa ligne de journal, on ne peut pas décider. Demandez un preuve.json récent, ou laissez interroger le service',
  ligne_introuvable:
    'la clé qui l’a scellé a été volée, et le service n’a aucune ligne de journal pour ce sceau : il a été fabriqué avec la clé volée',
  autre_ligne: 'la clé qui l’a scellé a été volée, et la ligne de journal jointe n’est pas celle de ce sceau',
  apres_la_coupure:
    'la clé qui l’a scellé a été volée, et sa ligne de journal vient après le vol : quelle que soit sa date, il ne compte pas',
  preuve_illisible: 'la clé qui l’a scellé a été volée, et la preuve de sa ligne de journal ne se lit pas',
  faits_changes: 'la clé qui l’a scellé a été volée, et les faits joints ne sont pas ceux de sa ligne de journal',
  autre_journal:
    'la clé qui l’a scellé a été volée, et la preuve de sa ligne est celle d’un autre journal, ou d’avant une restauration',
  point_non_signe: 'la clé qui l’a scellé a été volée, et la preuve de sa ligne n’est pas signée par le journal de ce service',
  pas_dans_l_arbre: 'la clé qui l’a scellé a été volée, et sa ligne n’est pas dans le journal que la preuve signe',
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
  cle_franceconnect_differente: 'la clé de FranceConnect qui a signé n’est pas celle donnée par --fc-empreinte',
  dates_differentes: 'ses dates ne sont pas celles que donnent la durée acceptée et l’heure de l’identification',
  texte_different: 'le texte joint n’est pas, à la lettre, celui qui a été scellé',
} as const satisfies Record<Reason, string>

const STATUT = { VALID: 'en cours', INVALID: 'arrêtée', SUSPENDED: 'en pause' } as const satisfies Record<Statut, string>
const DATES = {
  en_cours: 'le jour de la fin n’est pas passé',
  a_venir: 'pas encore commencé',
  expire: 'arrivé à sa fin',
} as const satisfies Record<NonNullable<Verification['dates']>, string>

/** Nobody can say, whatever else is right. */
const UNDECIDED: readonly Reason[] = ['cle_compromise', 'ligne_absente']
const NOT_CHECKED: readonly Reason[] = [
  ...UNDECIDED,
  'cles_absentes',
  'emetteur_absent',
  'liste_absente',
  'preuve_absente',
  'liste_perimee',
]
const failed = (reason: Reason) => (NOT_CHECKED.includes(reason) ? `non vérifié : ${WHY[reason]}.` : `FAUX : ${WHY[reason]}.`)
const when = (seconds: number) =>
  new Date(seconds * 1000).toLocaleString('fr-FR', { timeZone: 'Europe/Paris', dateStyle: 'long', timeStyle: 'medium' })

function linesOf({ kind, issuer, sceau, dit, dates, statuts, accord }: Verification, pinned: boolean): string[] {
  const lines = [
    `Émetteur   ${issuer ?? 'inconnu'}${issuer && !pinned ? ` (c’est la pièce qui le dit, et n’importe qui peut l’écrire : rien ne lui a été demandé ; si c’est le service que vous connaissez, ajoutez --emetteur ${issuer})` : ''}`,
  ]
  if (!sceau.ok) return [...lines, `Sceau      ${failed(sceau.reason)}`]
  lines.push(
    pinned
      ? `Sceau      vérifié : ce service a scellé ce qui suit, et rien n’y a changé depuis.${sceau.rang === undefined ? '' : `\n           Sa clé a été volée ensuite : sa ligne de journal (rang ${sceau.rang}) prouve qu’il est d’avant.`}`
      : 'Sceau      se tient : qui a ces clés a scellé ce qui suit, et rien n’y a changé depuis ; que ce soit ce service n’est pas vérifié.',
  )
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
      `Accord     ${accord!.connue ? 'vérifié' : 'se tient'} : une personne s’est identifiée avec FranceConnect, pour ces mots exactement, à la minute dite.`,
      accord!.connue
        ? `           La clé de FranceConnect est celle que vous connaissez, d’empreinte ${accord!.cle}.`
        : `           La clé de FranceConnect est celle de la pièce, d’empreinte ${accord!.cle} : comparez-la à une autre source (--fc-empreinte).`,
      '           Ce n’est pas une signature électronique.',
    )
  return lines
}

function exitOf({ sceau, dates, statuts = [], accord }: Verification, pinned: boolean): number {
  if (!sceau.ok && UNDECIDED.includes(sceau.reason)) return 4
  if (!sceau.ok) return NOT_CHECKED.includes(sceau.reason) ? 2 : 1
  const reasons = [...statuts.flatMap(({ reason }) => reason ?? []), ...(accord && !accord.ok ? [accord.reason] : [])]
  if (reasons.some((reason) => !NOT_CHECKED.includes(reason))) return 1
  // Whoever forges a piece also names its issuer, keys and list.
  if (!pinned) return 4
  if (dates !== 'en_cours' || statuts.every(({ statut }) => statut && statut !== 'VALID')) return 3
  if (reasons.length > 0) return 4
  // The piece brings the key that would vouch for it.
  return accord?.ok && !accord.connue ? 5 : 0
}

/** One sentence, as the exit code says it. */
function conclusionOf({ sceau, dates, statuts = [] }: Verification, code: number): string {
  if (code === 0) {
    const partial = statuts.some(({ statut }) => statut !== 'VALID')
    return `authentique, et en cours${partial ? ', seulement pour les thématiques dites en cours' : ''}.`
  }
  if (code === 1) return 'à refuser : une vérification échoue, dite FAUX ci-dessus.'
  if (code === 2) return 'rien n’a pu être vérifié.'
  if (!sceau.ok && code === 4) return 'impossible de décider : ne vous y fiez pas.'
  if (code === 4)
    return 'rien n’est faux, mais tout n’est pas vérifié : voyez ci-dessus « non vérifié », et ne vous y fiez pas encore.'
  if (code === 5)
    return 'scellé par ce service, et en cours ; mais la clé de FranceConnect n’est garantie que par la pièce : comparez son empreinte, puis donnez --fc-jwks ou --fc-empreinte.'
  if (dates === 'a_venir') return 'authentique, mais pas encore commencé.'
  if (dates === 'expire') return 'authentique, mais arrivé à sa fin : il ne permet plus rien.'
  return statuts.every(({ statut }) => statut === 'INVALID')
    ? 'authentique, mais arrêté : il ne permet plus rien.'
    : 'authentique, mais en pause : il ne permet rien pour le moment.'
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

/** The line of a seal; null when the service answers that it has none. */
async function fetchLine(url: string): Promise<ProvenLine | null | undefined> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(10_000), redirect: 'error' })
    if (answer.status === 404) return null
    return answer.ok ? parseProvenLine(await answer.json()) : undefined
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

/** What telephones make of a photograph, by its first bytes. */
const PHOTOS = [
  { nom: 'JPEG', starts: /^\xff\xd8\xff/ },
  { nom: 'HEIC', starts: /^.{4}ftyp/s },
  { nom: 'WebP', starts: /^RIFF.{4}WEBP/s },
  { nom: 'GIF', starts: /^GIF8/ },
] as const

/** What the argument is: a file's text, the text of a picture's QR, or itself. */
function textOf(argument: string): string | undefined {
  if (!existsSync(argument)) return argument
  const bytes = readFileSync(argument)
  const sorte = PHOTOS.find(({ starts }) => starts.test(bytes.toString('latin1', 0, 12)))?.nom
  if (sorte)
    throw new Error(
      `C’est une image ${sorte} : seules les images PNG sont lues. Enregistrez-la en PNG, faites une capture d’écran, ou donnez le texte que votre téléphone lit dans le QR.`,
    )
  if (!isPng(bytes)) return bytes.toString('utf8')
  const picture = readPng(bytes)
  try {
    return picture && decodeQR(picture, { timeLimit: 5_000 })
  } catch {
    return undefined
  }
}

async function verify(args: string[]): Promise<number> {
  const { values, positionals } = readArgs({
    args,
    allowPositionals: true,
    options: {
      emetteur: { type: 'string' },
      jwks: { type: 'string' },
      statuts: { type: 'string' },
      'hors-ligne': { type: 'boolean', default: false },
      'fc-jwks': { type: 'string' },
      'fc-empreinte': { type: 'string' },
    },
  })
  const [argument, more] = positionals
  if (!argument || more) throw new Error(USAGE)
  const text = textOf(argument)
  const piece = text === undefined ? undefined : readPiece(text)
  if (!piece)
    throw new Error('Rien de vérifiable ici : il faut preuve.json, un sceau, l’adresse d’un QR, ou l’image PNG nette d’un QR.')
  const file = (name: string) => readFileSync(name, 'utf8').trim()
  const pinned = values.emetteur !== undefined
  // Only of whom the caller named: a piece would otherwise choose whom this machine calls.
  const ask = async (url: string) => (values['hors-ligne'] || !pinned ? undefined : fetchText(url))
  const fcJwks = values['fc-jwks'] === undefined ? undefined : jwksIn(file(values['fc-jwks']))
  if (values['fc-jwks'] !== undefined && !fcJwks) throw new Error(`${values['fc-jwks']} ne contient pas de clés (JWKS).`)
  const verification = await verifyPiece(piece, {
    issuer: values.emetteur,
    now: new Date(),
    jwks: async (issuer) => jwksIn(values.jwks ? file(values.jwks) : await ask(`${issuer}/.well-known/jwks.json`)),
    ligne: (url) => (values['hors-ligne'] || !pinned ? Promise.resolve(undefined) : fetchLine(url)),
    liste: async (url) => (values.statuts ? file(values.statuts) : ask(url)),
    franceconnect: { jwks: fcJwks, empreinte: values['fc-empreinte'] },
  })
  // A piece says its own names: none of their letters may move about the terminal, and hide what is said of it.
  for (const line of linesOf(verification, pinned)) console.log(line.replaceAll(/\p{C}/gu, '?'))
  const code = exitOf(verification, pinned)
  console.log(`\nConclusion : ${conclusionOf(verification, code)}`)
  return code
}

await runCommand(USAGE, verify)
