import type { Tx } from '../db.ts'
import { queue } from '../notification/queue.ts'
import type { Thematique } from './mandat.ts'

/*
 * What both sides are told. Never a name, a démarche nor a thématique: a telephone or a mailbox is read by others. An SMS holds no
 * accent outside the GSM alphabet, no link, and at most 160 characters.
 */

type Told = { id: string; structureId: string; usagerId: string }

/** Tells the person that a mandat exists in her name: if it is not she who agreed, she knows at once. */
export async function announceMandat(tx: Tx, mandat: Told): Promise<void> {
  const { nom, telephone, contact } = await findSides(tx, mandat)
  if (!contact) return
  const sms = oneSms(
    nom,
    (nom) =>
      `Trait d'union : vous avez donne mandat a ${nom}. Vous pouvez arreter quand vous voulez. Ce n'etait pas vous ? ${telephone}`,
  )
  const corps = `Bonjour,

Vous venez de donner votre accord : ${nom} peut faire certaines démarches à votre place.

Vous pouvez lire ce qui est fait et arrêter quand vous voulez, sans dire pourquoi, dans votre espace Trait d’union, avec FranceConnect.

Ce n’était pas vous ? Appelez ${nom} au ${telephone}.`
  await tell(tx, `mandat-signe:${mandat.id}`, contact, { sujet: 'Votre mandat commence', corps, sms })
}

/** Tells the person, and the aidants who act for the structure, that a mandat or a part of it is over. */
export async function announceStop(
  tx: Tx,
  mandat: Told,
  stop: { at: Date; ended: readonly Thematique[]; mandatEnded: boolean },
): Promise<void> {
  const { nom, fuseau, contact } = await findSides(tx, mandat)
  const depuis = new Intl.DateTimeFormat('fr-FR', { timeZone: fuseau, hour: '2-digit', minute: '2-digit' })
    .format(stop.at)
    .replace(':', ' h ')
  const cle = `arret:${mandat.id}:${stop.mandatEnded ? 'tout' : stop.ended.join('-')}`
  if (contact) {
    const quoi = stop.mandatEnded ? 'votre mandat' : 'une partie de votre mandat'
    await tell(tx, cle, contact, {
      sujet: 'C’est arrêté',
      corps: `Bonjour,

C’est arrêté depuis ${depuis} : ${nom} n’a plus le droit de continuer ${stop.mandatEnded ? 'vos' : 'ces'} démarches.

Les demandes déjà envoyées ne sont pas annulées. Vous les retrouvez dans votre espace Trait d’union.`,
      sms: oneSms(
        nom,
        (nom) =>
          `Trait d'union : c'est arrete depuis ${depuis}, ${quoi} avec ${nom}. Les demandes deja envoyees ne sont pas annulees.`,
      ),
    })
  }
  const aidants = await tx.sql<{ id: string; email: string }[]>`
    select a.id, a.email
    from habilitation h
    join aidant a on a.id = h.aidant_id
    where h.structure_id = ${mandat.structureId} and h.ended_at is null and a.suspended_at is null
      and (h.referent or a.id in (select m.aidant_id from mandat m where m.id = ${mandat.id}))`
  for (const { id, email } of aidants) {
    await queue(tx, {
      cle: `${cle}:aidant:${id}`,
      canal: 'email',
      destinataire: email,
      sujet: stop.mandatEnded ? 'Un mandat est arrêté' : 'Une partie d’un mandat est arrêtée',
      corps: `Bonjour,

Une personne a arrêté ${stop.mandatEnded ? 'un mandat' : 'une partie d’un mandat'} donné à ${nom}, à ${depuis}. L’effet est immédiat.

Pour savoir lequel, ouvrez Trait d’union et la liste des personnes. Une démarche faite avant cette heure peut encore être notée.`,
    })
  }
}

type Contact = { canal: 'email' | 'sms'; destinataire: string }

async function findSides(tx: Tx, mandat: Told) {
  const [sides] = await tx.sql<
    { nom: string; telephone: string; fuseau: string; suivi: string; email: string | null; mobile: string | null }[]
  >`
    select s.nom, s.telephone, s.fuseau, u.suivi, u.email, u.telephone as mobile
    from structure s, usager u
    where s.id = ${mandat.structureId} and u.id = ${mandat.usagerId}`
  const { suivi, email, mobile, ...structure } = sides!
  const contact: Contact | undefined =
    suivi === 'email' && email
      ? { canal: 'email', destinataire: email }
      : suivi === 'sms' && mobile
        ? { canal: 'sms', destinataire: mobile }
        : undefined
  return { ...structure, contact }
}

const tell = (tx: Tx, cle: string, contact: Contact, words: { sujet: string; corps: string; sms: string }) =>
  contact.canal === 'sms'
    ? queue(tx, { cle, canal: 'sms', destinataire: contact.destinataire, corps: words.sms })
    : queue(tx, { cle, canal: 'email', destinataire: contact.destinataire, sujet: words.sujet, corps: words.corps })

const SMS = 160

/** The words of one SMS: a long name of the structure is cut, never what follows it. */
const oneSms = (nom: string, write: (nom: string) => string) =>
  plain(
    write(
      plain(nom)
        .slice(0, SMS - plain(write('')).length)
        .trimEnd(),
    ),
  )

/** Letters that the GSM alphabet counts as one, so that 160 characters are one SMS. */
const plain = (text: string) =>
  text
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/œ/g, 'oe')
    .replace(/Œ/g, 'OE')
    .replace(/æ/g, 'ae')
    .replace(/Æ/g, 'AE')
    .replace(/[’‘]/g, "'")
    .replace(/« ?| ?»|[“”]/g, '"')
    .replace(/[‐-―]/g, '-')
    .replace(/[^ -~]|[\\^`{|}~[\]]/g, ' ')
