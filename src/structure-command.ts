import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import { pluriel } from '../views/kit/words.ts'
import { addAidant, SECRET_BYTES } from './aidant/add.ts'
import { pairingOf } from './aidant/factor.ts'
import { parseConfig } from './config.ts'
import { constraintOf, openDb } from './db.ts'
import { closeStructure, findClosing } from './mandat/close-structure.ts'
import { readArgs, refus, runCommand } from './read-args.ts'
import { luhn } from './sans-secret.ts'
import { addStructure } from './structure/add.ts'
import { surroundings } from './surroundings.ts'

const USAGE = `Ajouter une structure et son premier référent :

  npm run structure -- add --nom "CCAS de Figeac" --siret 26460102500018 \\
    --adresse "5 rue de Colomb, 46100 Figeac" --telephone "05 65 50 05 40" [--fuseau Europe/Paris] \\
    --email referente@exemple.fr --prenom Nadia --nom-referent Belkacem

Fermer une structure : chaque mandat en cours s’arrête, les personnes sont prévenues, ses aidants n’y ont plus accès. Sans retour :

  npm run structure -- close --siret 26460102500018             dit ce qui s’arrêterait, et n’arrête rien
  npm run structure -- close --siret 26460102500018 --confirmer

Les variables du service et DATABASE_OPERATOR_URL doivent être présentes ; sans elles, close prend la démonstration de ce dossier (ou de DATA_DIR), pendant
qu’elle tourne.
Code de sortie : 0 fait ; 1 refusé, dit pourquoi ; 2 commande inutilisable ; 3 rien fait, il manque --confirmer.`

const wanted = (what: string) =>
  z
    .string({ error: `manque : ${what}.` })
    .trim()
    .min(1, `manque : ${what}.`)
const long = (min: number, max: number) =>
  z.string().min(min, `est trop court : ${min} caractères au moins.`).max(max, `est trop long : ${max} caractères au plus.`)
const options = z.object({
  nom: wanted('le nom de la structure').pipe(long(2, 120)),
  siret: wanted('les 14 chiffres du SIRET')
    .transform((text) => text.replaceAll(' ', ''))
    .pipe(
      z
        .string()
        .regex(/^\d{14}$/, 'doit être fait de 14 chiffres.')
        .refine(isSiret, 'contient une erreur : sa clé de contrôle est fausse.'),
    ),
  adresse: wanted('l’adresse de la structure').pipe(long(5, 200)),
  telephone: wanted('le téléphone de la structure').pipe(long(6, 20)),
  fuseau: z
    .string()
    .default('Europe/Paris')
    .refine(
      (zone) => Intl.supportedValuesOf('timeZone').includes(zone),
      'n’est pas un fuseau horaire connu, comme Europe/Paris ou Indian/Reunion.',
    ),
  email: wanted('l’adresse e-mail du référent').pipe(z.email('n’est pas une adresse e-mail.')),
  prenom: wanted('le prénom du référent').pipe(long(1, 60)),
  'nom-referent': wanted('le nom du référent').pipe(long(1, 60)),
})

/** Luhn, as for every SIRET but those of La Poste, which the sum of digits checks. */
function isSiret(siret: string): boolean {
  const laPoste = siret.startsWith('356000000') && [...siret].reduce((total, digit) => total + Number(digit), 0) % 5 === 0
  return luhn(siret) || laPoste
}

function configOf() {
  if (!process.env.DATABASE_URL)
    throw new Error(
      'Les variables du service manquent (docs/exploitation.md). La démonstration a déjà ses structures : close s’y essaie pendant que npm start tourne, avec le même DATA_DIR s’il en a un.',
    )
  return parseConfig({ ...process.env, MODE: 'production' })
}

async function add(args: string[]) {
  const { values } = readArgs({
    args,
    options: Object.fromEntries(Object.keys(options.shape).map((name) => [name, { type: 'string' as const }])),
  })
  const parsed = options.safeParse(values)
  if (!parsed.success)
    throw new Error(`${parsed.error.issues.map(({ path, message }) => `--${String(path[0])} ${message}`).join('\n')}\n\n${USAGE}`)
  const { email, prenom, 'nom-referent': nom, ...structure } = parsed.data

  const config = configOf()
  if (!config.database.operatorUrl)
    throw new Error('DATABASE_OPERATOR_URL manque : c’est elle qui donne le droit d’ajouter une structure.')
  const db = openDb({ url: config.database.operatorUrl, connections: 1 })
  try {
    const totpSecret = randomBytes(SECRET_BYTES)
    const { isNew } = await db.tx({ kind: 'operator' }, async (tx) => {
      const structureId = await addStructure(tx, structure)
      return addAidant(tx, { email, prenom, nom }, { structureId, referent: true }, { totpSecret, secretsKey: config.secretsKey })
    })
    console.log(`« ${structure.nom} » est ouverte, et ${prenom} ${nom} en est référent.`)
    if (!isNew) return console.log('Cette personne avait déjà un compte : elle garde son application d’authentification.')
    const { cle, adresse } = pairingOf(totpSecret, email)
    console.log(`\nÀ remettre en main propre, une seule fois (ce secret ne sera plus affiché) :
  clé à taper dans l’application d’authentification : ${cle}
  ou adresse à transformer en QR : ${adresse}
Connexion : ${config.publicUrl}/connexion`)
  } catch (error) {
    if (constraintOf(error) === 'structure_siret_unique')
      throw refus(`Une structure a déjà le SIRET ${structure.siret}. Rien n’a été ajouté.`)
    throw error
  } finally {
    await db.close()
  }
}

async function close(args: string[]) {
  const { values } = readArgs({ args, options: { siret: { type: 'string' }, confirmer: { type: 'boolean' } } })
  const siret = values.siret?.replaceAll(' ', '')
  if (!siret) throw new Error(`--siret manque.\n\n${USAGE}`)
  const around = surroundings(process.env)
  // The running demonstration's, or those of the service.
  const url = around.demo ? around.DATABASE_OPERATOR_URL : configOf().database.operatorUrl
  if (!url) throw new Error('DATABASE_OPERATOR_URL manque : c’est elle qui donne le droit de fermer une structure.')
  const db = openDb({ url, connections: 1 })
  try {
    const closing = await findClosing(db, siret)
    if (!closing) throw refus(`Aucune structure n’a le SIRET ${siret}. Rien n’a été fermé.`)
    if (!values.confirmer) {
      console.log(
        `Fermer « ${closing.nom} » arrêterait ${pluriel(closing.enCours, 'mandat')} en cours, sans retour. Rien n’est fermé : ajoutez --confirmer.`,
      )
      return 3
    }
    const closed = await closeStructure(db, siret)
    if (closed.ok) console.log(`« ${closing.nom} » est fermée : ${pluriel(closed.ended, 'mandat arrêté', 'mandats arrêtés')}.`)
    return 0
  } finally {
    await db.close()
  }
}

await runCommand(USAGE, { add, close })
