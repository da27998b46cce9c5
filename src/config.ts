import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { type Proxies, proxiesOf } from './http/address.ts'
import { originOf } from './journal/checkpoint.ts'
import { openSigner, type Signer } from './journal/note.ts'
import { NO_WITNESS, type Policy, parsePolicy } from './journal/policy.ts'
import { parseSealKeys } from './mandat/sceau.ts'

export type Config = {
  mode: 'production' | 'demo'
  port: number
  /** Address the server listens on. */
  host: string
  /** Origin of the service, without a trailing slash; also the `iss` of everything sealed. */
  publicUrl: string
  /** The one that the papers already printed carry, when the operator changes it knowing what that costs. */
  publicUrlAvant: string | undefined
  /** Proxies in front of us that add the caller's address to X-Forwarded-For. */
  proxies: Proxies
  /** Port of /metrics, on the loopback only; none by default. */
  metricsPort: number | undefined
  database: { url: string; operatorUrl?: string; adminUrl?: string; sequencerUrl?: string }
  /** Text of the JWK Set of private ES256 keys, for `parseSealKeys`. */
  sealKeys: string
  /** What signs the journal's checkpoints, in its name, and who is asked to witness them; absent, the journal has no tree. */
  journal?: { signer: Signer; policy: Policy }
  /** 32 bytes: encrypts what must be kept secret at rest. */
  secretsKey: Buffer
  franceconnect: Client
  /** Absent, aidants sign in by the service itself only. */
  proconnect?: Client
  /** May aidants sign in by the service itself: e-mail, authenticator, code received? */
  connexionLocale: boolean
  mail: { smtpUrl: string; from: string }
  smsUrl: string | undefined
  /** SMS that may leave in a day, all structures together. */
  smsParJour: number
  /** Who runs this installation, and the address that answers: said on the legal pages. */
  editeur: string | undefined
  contact: string | undefined
}

/** What a provider knows us by. */
type Client = { issuer: string; clientId: string; clientSecret: string; allowInsecure: boolean }

export type Environment = Readonly<Record<string, string | undefined>>

/**
 * Reads the configuration from the variables of the environment. Throws one Error that names in French, one a line, every variable
 * to mend; it never repeats their values.
 */
export function parseConfig(environment: Environment, readFile = (path: string) => readFileSync(path, 'utf8')): Config {
  const given = Object.fromEntries(
    Object.entries(environment).flatMap(([name, value]) => (value?.trim() ? [[name, value.trim()]] : [])),
  )
  const mode = given.MODE === 'demo' ? 'demo' : 'production'
  const proconnect = Object.keys(given).some((name) => name.startsWith('PROCONNECT_'))
  const parsed = schemaFor(mode, isLocal(given.PUBLIC_URL ?? ''), proconnect, readFile).safeParse(given)
  if (!parsed.success) {
    const problems = new Map<string, string>()
    for (const { path, message } of parsed.error.issues)
      if (!problems.has(String(path[0]))) problems.set(String(path[0]), message)
    throw new Error(
      `La configuration ne permet pas de démarrer :\n${[...problems].map(([name, problem]) => `- ${name} ${problem}`).join('\n')}`,
    )
  }
  const v = parsed.data
  const publicUrl = v.PUBLIC_URL ?? `http://localhost:${v.PORT}`
  return {
    mode,
    port: v.PORT,
    host: v.HOST ?? (mode === 'demo' ? 'localhost' : '0.0.0.0'),
    publicUrl,
    publicUrlAvant: v.PUBLIC_URL_AVANT,
    proxies: proxiesOf(v.PROXIES ?? (publicUrl.startsWith('https:') ? 1 : 0), v.PROXIES_FROM),
    metricsPort: v.METRICS_PORT,
    database: {
      url: v.DATABASE_URL,
      ...(v.DATABASE_OPERATOR_URL && { operatorUrl: v.DATABASE_OPERATOR_URL }),
      ...(v.DATABASE_ADMIN_URL && { adminUrl: v.DATABASE_ADMIN_URL }),
      ...(v.DATABASE_SEQUENCER_URL && { sequencerUrl: v.DATABASE_SEQUENCER_URL }),
    },
    sealKeys: v.SEAL_KEYS,
    ...(v.JOURNAL_KEY && {
      journal: {
        signer: openSigner(v.JOURNAL_KEY, v.JOURNAL_ORIGIN ?? originOf(publicUrl)),
        policy: v.JOURNAL_WITNESSES ?? NO_WITNESS,
      },
    }),
    secretsKey: Buffer.from(v.SECRETS_KEY, 'base64url'),
    franceconnect: clientOf(v.FRANCECONNECT_ISSUER, v.FRANCECONNECT_CLIENT_ID, v.FRANCECONNECT_CLIENT_SECRET),
    ...(v.PROCONNECT_ISSUER && {
      proconnect: clientOf(v.PROCONNECT_ISSUER, v.PROCONNECT_CLIENT_ID!, v.PROCONNECT_CLIENT_SECRET!),
    }),
    connexionLocale: v.CONNEXION_LOCALE !== 'non',
    mail: { smtpUrl: v.SMTP_URL, from: v.MAIL_FROM },
    smsUrl: v.SMS_URL,
    smsParJour: v.SMS_PAR_JOUR,
    editeur: v.EDITEUR,
    contact: v.CONTACT,
  }
}

const clientOf = (issuer: string, clientId: string, clientSecret: string): Client => ({
  issuer,
  clientId,
  clientSecret,
  allowInsecure: issuer.startsWith('http:'),
})

/** `local`: the service itself is on this machine, so what it talks to may be too, without TLS. `proconnect`: some of its variables are there, so all must be. */
function schemaFor(mode: Config['mode'], local: boolean, proconnect: boolean, readFile: (path: string) => string) {
  const production = mode === 'production'
  const required = (what: string) => `manque : indiquez ${what}.`
  const text = (what: string) => z.string({ error: required(what) })
  const url = (what: string, schemes: readonly string[]) =>
    text(what).refine((value) => schemes.includes(schemeOf(value)), `n’a pas la bonne forme : indiquez ${what}.`)
  const port = (least: number) =>
    z
      .string()
      .regex(/^\d{1,5}$/, 'doit être un numéro de port, de 1 à 65535.')
      .transform(Number)
      .refine((value) => value >= least && value <= 65_535, 'doit être un numéro de port, de 1 à 65535.')
  const unlessDemo = <T extends z.ZodType>(schema: T) => (production ? schema : schema.optional())
  const database = (role: string) =>
    url(`l’adresse de la base de données pour ${role} (postgres://rôle:mot-de-passe@hôte/base)`, [
      'postgres',
      'postgresql',
    ]).refine(
      (value) => !production || !isDefault(passwordOf(value)),
      'contient un mot de passe vide, trop court ou de démonstration : choisissez-en un vrai, de 12 caractères au moins.',
    )

  const issuer = (name: string) =>
    text(`l’adresse (issuer) de ${name}`).refine(
      (value) => schemeOf(value) === 'https' || ((local || !production) && isLocal(value)),
      `doit être l’adresse (issuer) de ${name}, en https.`,
    )
  const clientId = (name: string) =>
    text(`l’identifiant du service chez ${name} (client_id)`).refine(
      (value) => !production || !DEMO.test(value),
      `est celui de la démonstration : indiquez celui que ${name} vous a donné.`,
    )
  const clientSecret = (name: string) =>
    text(`le secret du service chez ${name} (client_secret)`).refine(
      (value) => !production || (value.length >= 32 && !isDefault(value)),
      `est trop court ou n’est pas un vrai secret : indiquez celui que ${name} vous a donné (32 caractères au moins).`,
    )
  const absent = z.undefined().optional()

  return z.object({
    MODE: z.enum(['production', 'demo'], { error: 'doit valoir « production » ou « demo ».' }).optional(),
    PORT: port(0).default(3000),
    HOST: z.string().optional(),
    METRICS_PORT: port(1).optional(),
    PROXIES: z.string().regex(/^\d$/, 'doit être un nombre de relais, de 0 à 9.').transform(Number).optional(),
    PROXIES_FROM: z
      .string()
      .transform(
        readBy(
          (value) => {
            const networks = value.split(',').map((network) => network.trim())
            proxiesOf(0, networks)
            return networks
          },
          () => 'ne se lit pas : indiquez des adresses ou des réseaux, séparés par des virgules (exemple : 10.0.0.0/8).',
        ),
      )
      .optional(),
    PUBLIC_URL: publicUrl(production),
    PUBLIC_URL_AVANT: z.string().optional(),
    DATABASE_URL: database('le service'),
    DATABASE_OPERATOR_URL: database('l’exploitant').optional(),
    DATABASE_ADMIN_URL: database('l’installation').optional(),
    DATABASE_SEQUENCER_URL: database('le séquenceur du journal').optional(),
    DATABASE_AUDITOR_URL: database('l’audit du journal').optional(),
    SEAL_KEYS: text('les clés de sceau : un JWK Set (JSON, ou chemin du fichier) de clés privées ES256').transform(
      readBy(
        (value) => {
          const keys = value.startsWith('{') ? value : readFile(value)
          parseSealKeys(keys)
          return keys
        },
        (error) => `ne peut pas servir : ${'code' in error ? 'le fichier ne se lit pas' : error.message}.`,
      ),
    ),
    JOURNAL_KEY: unlessDemo(
      text('la clé privée Ed25519 qui signe le journal (PEM, ou chemin du fichier)').transform(
        readBy(
          (value) => {
            const pem = value.startsWith('-----') ? value : readFile(value)
            openSigner(pem, 'journal')
            return pem
          },
          (error, value) =>
            `ne peut pas servir : ${'code' in error && !value.startsWith('-----') ? 'le fichier ne se lit pas, ou n’est pas une' : 'ce n’est pas une'} clé privée Ed25519 (openssl genpkey -algorithm ed25519).`,
        ),
      ),
    ),
    JOURNAL_ORIGIN: z
      .string()
      .regex(/^[^\s+]+$/, 'doit être le nom du journal, sans espace ni « + » : celui de son premier point de contrôle.')
      .optional(),
    JOURNAL_WITNESSES: z
      .string()
      .transform(
        readBy(
          (value) => parsePolicy(/(?:^|\s)quorum\s/.test(value) ? value : readFile(value)),
          () => 'ne se lit pas : indiquez un fichier de témoins (witness, group, quorum), comme le dit docs/exploitation.md.',
        ),
      )
      .optional(),
    SECRETS_KEY: text('32 octets tirés au hasard, en base64url (43 caractères)').refine(
      (value) =>
        /^[\w-]{43}$/.test(value) && Buffer.from(value, 'base64url').length === 32 && (!production || new Set(value).size >= 12),
      'doit être fait de 32 octets tirés au hasard, en base64url (43 caractères).',
    ),
    FRANCECONNECT_ISSUER: issuer('FranceConnect'),
    FRANCECONNECT_CLIENT_ID: clientId('FranceConnect'),
    FRANCECONNECT_CLIENT_SECRET: clientSecret('FranceConnect'),
    PROCONNECT_ISSUER: proconnect ? issuer('ProConnect') : absent,
    PROCONNECT_CLIENT_ID: proconnect ? clientId('ProConnect') : absent,
    PROCONNECT_CLIENT_SECRET: proconnect ? clientSecret('ProConnect') : absent,
    CONNEXION_LOCALE: z
      .enum(['oui', 'non'], { error: 'doit valoir « oui » ou « non ».' })
      .refine((value) => value === 'oui' || proconnect, 'ne peut valoir « non » qu’avec ProConnect : personne n’entrerait plus.')
      .optional(),
    SMTP_URL: url('l’adresse du serveur d’envoi des e-mails (smtp:// ou smtps://)', ['smtp', 'smtps']).refine(
      (value) => !production || !isDefault(passwordOf(value)),
      'contient un mot de passe trop court ou de démonstration.',
    ),
    MAIL_FROM: text('l’adresse qui envoie les e-mails').regex(
      /^(?:[^<>\p{Cc}]+ <[^\s<>@]+@[^\s<>@]+>|[^\s<>@]+@[^\s<>@]+)$/u,
      'doit être une adresse e-mail, ou « Nom <adresse> ».',
    ),
    EDITEUR: unlessDemo(text('qui tient ce service : nom et adresse de l’organisme')),
    CONTACT: unlessDemo(
      z.email({
        error: ({ input }) => (input === undefined ? required('l’adresse e-mail à qui écrire') : 'doit être une adresse e-mail.'),
      }),
    ),
    SMS_PAR_JOUR: z
      .string()
      .regex(/^\d{1,6}$/, 'doit être un nombre de SMS par jour, de 0 à 999999.')
      .transform(Number)
      .default(2000),
    SMS_URL: url('l’adresse du service d’envoi de SMS, en https', production ? ['https'] : ['https', 'http']).optional(),
  })
}

/** What `read` makes of a value, or, when it throws, what to say of it. */
const readBy =
  <T>(read: (value: string) => T, wrong: (error: Error, value: string) => string) =>
  (value: string, context: z.core.$RefinementCtx): T => {
    try {
      return read(value)
    } catch (error) {
      context.addIssue({ code: 'custom', message: wrong(error as Error, value) })
      return z.NEVER
    }
  }

const publicUrl = (production: boolean) => {
  const address = z
    .string({ error: 'manque : indiquez l’adresse publique du service, en https (exemple : https://mandats.exemple.fr).' })
    .refine(
      (value) => URL.canParse(value) && new URL(value).origin === value,
      'doit être une adresse sans chemin ni barre à la fin, en minuscules (exemple : https://mandats.exemple.fr).',
    )
    .refine((value) => schemeOf(value) === 'https' || isLocal(value), 'doit commencer par https://.')
  return production ? address : address.optional()
}

/** What the demo and the documentation put in place of secrets: everything the demo makes bears « demo ». */
const DEMO = /d[eé]mo|exemple|example|change|placeholder|simulat|insecure|password|mot.?de.?passe/i

const isDefault = (secret: string | undefined) =>
  secret !== undefined && (secret.length < 12 || DEMO.test(secret) || new Set(secret).size < 6)

const schemeOf = (value: string) => (URL.canParse(value) ? new URL(value).protocol.slice(0, -1) : '')

/** undefined when the address names nobody: the socket's owner or a certificate then says who is there. */
const passwordOf = (value: string) => {
  if (!URL.canParse(value)) return undefined
  const { username, password } = new URL(value)
  return username || password ? password : undefined
}

const isLocal = (value: string) =>
  schemeOf(value) === 'http' && ['localhost', '127.0.0.1', '[::1]'].includes(new URL(value).hostname)
