import type { Tx } from '../db.ts'
import { append } from '../journal/append.ts'
import { type Contact, contactDe } from '../notification/words.ts'
import type { Identite } from './identite.ts'

/** How she has just asked to be told; the other ways she gave before are kept, unused. */
type Suivi = {
  suivi: 'email' | 'sms' | 'papier'
  contact: string | null
  /** When she typed back the code sent there. */
  prouveAt?: Date | null
  /** Who else reads it, when it is known to be shared: she is then told on paper as well. */
  lecteur?: string | null
}

/**
 * The person behind this identity, known to any structure or not, and her dossier in the calling one; locks the dossier. What
 * FranceConnect now says of her replaces what it said before, with one journal line when something really changed (case 18). `remplace`: where she
 * was told until now, and is not any more.
 */
export async function recognizeUsager(
  tx: Tx,
  identite: Identite,
  suivi: Suivi,
): Promise<{ id: string; remplace: Contact | undefined }> {
  const [row] = await tx.sql<{ id: string }[]>`
    select reconnaitre_usager(${identite.sub}, ${identite.prenoms}, ${identite.nomNaissance}, ${identite.nomUsage ?? null}, ${identite.birthdate},
      ${identite.birthplace ?? null}, ${identite.birthcountry}) as id`
  return { id: row!.id, remplace: await refreshUsager(tx, row!.id, identite, suivi) }
}

/** Writes what changed in her identity and contacts, each change with its line; the same data write nothing. Where she is told no more, if anywhere. */
export async function refreshUsager(tx: Tx, id: string, identite: Identite, asked?: Suivi): Promise<Contact | undefined> {
  const [before] = await tx.sql<Stored[]>`
    select prenoms, nom_naissance, nom_usage, birthdate, birthplace, birthcountry, email, telephone, suivi,
      email_prouve_at, telephone_prouve_at, contact_lecteur
    from usager
    where id = ${id}
    for no key update`
  const civil = {
    prenoms: identite.prenoms,
    nomNaissance: identite.nomNaissance,
    nomUsage: identite.nomUsage ?? null,
    birthdate: identite.birthdate,
    birthplace: identite.birthplace ?? null,
    birthcountry: identite.birthcountry,
  }
  const contacts = {
    email: asked?.suivi === 'email' ? asked.contact : before!.email,
    telephone: asked?.suivi === 'sms' ? asked.contact : before!.telephone,
    suivi: asked?.suivi ?? before!.suivi,
  }
  // Proven once is proven for as long as the contact is the same.
  const same = { email: contacts.email === before!.email, telephone: contacts.telephone === before!.telephone }
  const preuves = {
    emailProuveAt: (same.email && before!.emailProuveAt) || (asked?.suivi === 'email' && asked.prouveAt) || null,
    telephoneProuveAt: (same.telephone && before!.telephoneProuveAt) || (asked?.suivi === 'sms' && asked.prouveAt) || null,
    contactLecteur: asked && asked.suivi !== 'papier' ? (asked.lecteur ?? null) : before!.contactLecteur,
  }
  const changed = (after: Record<string, unknown>) =>
    Object.keys(after).filter((key) => JSON.stringify(after[key]) !== JSON.stringify(before![key as keyof Stored]))
  const civilChanges = changed(civil)
  const contactChanges = changed(contacts)
  if (civilChanges.length + contactChanges.length + changed(preuves).length === 0) return undefined

  // Which fields moved, never their values: those are on the person's row.
  if (civilChanges.length > 0)
    await append(tx, { action: 'identite_modifiee', ...here(tx), usagerId: id, contenu: { champs: civilChanges } })
  if (contactChanges.length > 0)
    await append(tx, { action: 'contact_modifie', ...here(tx), usagerId: id, contenu: { champs: contactChanges } })
  await tx.sql`
    update usager
    set prenoms = ${civil.prenoms}, nom_naissance = ${civil.nomNaissance}, nom_usage = ${civil.nomUsage}, birthdate = ${civil.birthdate},
      birthplace = ${civil.birthplace}, birthcountry = ${civil.birthcountry}, email = ${contacts.email}, telephone = ${contacts.telephone},
      suivi = ${contacts.suivi}, email_prouve_at = ${preuves.emailProuveAt}, telephone_prouve_at = ${preuves.telephoneProuveAt},
      contact_lecteur = ${preuves.contactLecteur}, refreshed_at = ${tx.now}
    where id = ${id}`
  const [was, is] = [contactDe(before!), contactDe(contacts)]
  return was?.contact === is?.contact ? undefined : was
}

const here = (tx: Tx) => (tx.who.kind === 'aidant' ? { structureId: tx.who.structureId } : {})

type Stored = {
  prenoms: string[]
  nomNaissance: string
  nomUsage: string | null
  birthdate: string
  birthplace: string | null
  birthcountry: string
  email: string | null
  telephone: string | null
  suivi: string
  emailProuveAt: Date | null
  telephoneProuveAt: Date | null
  contactLecteur: string | null
}
