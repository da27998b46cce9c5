import type { Db, Who } from '../db.ts'
import { append } from '../journal/append.ts'
import { queueMail } from '../notification/queue.ts'
import { newUuid } from '../uuid.ts'
import type { Equipe } from './equipe.ts'
import { findMembre, holdEquipe, listAutresReferents } from './equipe-queries.ts'
import { findInviting, newLink, sendLink } from './invite.ts'
import { messageDeFacteur, messageDeFacteurAuxReferents } from './messages.ts'
import type { Door } from './sign-in.ts'
import type { Spend } from './spend-factor.ts'

type ResetRefusal = 'introuvable' | 'second_facteur_refuse'

/**
 * Takes away every factor and recovery code of someone who acts for the structure, ends all her sessions, and sends her a link to pair another:
 * she is told, and so are the others who direct. `spend` counts the calling référent's own fresh factor. Nobody resets her own.
 */
export const resetFactor = (
  db: Db,
  by: Who & { kind: 'referent' },
  aidantId: string,
  { publicUrl }: Pick<Door, 'publicUrl'>,
  spend: Spend,
): Promise<{ ok: true } | { ok: false; refusal: ResetRefusal }> =>
  db.tx(by, async (tx) => {
    await holdEquipe(tx, aidantId, by.structureId)
    const membre = await findMembre(tx, aidantId)
    if (!membre || membre.endedAt || aidantId === by.aidantId) return { ok: false, refusal: 'introuvable' }
    if (!(await spend(tx))) return { ok: false, refusal: 'second_facteur_refuse' }

    await append(tx, {
      action: 'structure_modifiee',
      structureId: by.structureId,
      cibleAidantId: aidantId,
      contenu: { equipe: 'facteur_reinitialise' satisfies Equipe },
    })
    await tx.sql`select retirer_facteur(${aidantId})`
    const { jeton, lien } = newLink(tx, publicUrl)
    const { email, prenom, nom } = membre
    await tx.sql`
      insert into invitation (structure_id, invite_par, genre, email, prenom, nom, aidant_id, jeton)
      values (${by.structureId}, ${by.aidantId}, 'facteur', ${email}, ${prenom}, ${nom}, ${aidantId}, ${jeton})`
    const inviting = await findInviting(tx, by)
    await sendLink(tx, email, messageDeFacteur({ prenom, lien, ...inviting }))
    const told = messageDeFacteurAuxReferents({ qui: `${prenom} ${nom}`, ...inviting })
    for (const { id, email: destinataire } of await listAutresReferents(tx, by.aidantId))
      if (id !== aidantId) await queueMail(tx, `facteur:${newUuid(tx)}`, destinataire, told)
    return { ok: true }
  })
