import { ERASE_REFUSAL, MOTIF_EFFACEMENT } from '../views/journal/words.ts'
import { jourEtHeure, pluriel } from '../views/kit/words.ts'
import { asOperator } from './as-operator.ts'
import { isUuid } from './form.ts'
import { readArgs, refus } from './read-args.ts'
import { eraseUsager, MOTIFS_EFFACEMENT } from './usager/erase.ts'

/** What no erasure takes away; docs/exploitation.md says why. */
const RESTE =
  'Restent, sans rien qui la nomme : les lignes du journal, et de chaque mandat, thématique, pause et démarche son numéro, ses dates, la structure et l’aidant ; de chaque désaccord ce qui n’allait pas (dans une liste), comment il est arrivé et la réponse ; de chaque correction le résultat, et si l’acte était noté par erreur.'

/** `journal erase`: the exit code (0 erased, now or before; 1 refused; 3 only said what would be). Throws a French sentence. */
export async function erase(args: string[]): Promise<number> {
  const { values, positionals } = readArgs({
    args,
    allowPositionals: true,
    options: {
      motif: { type: 'string' },
      confirmer: { type: 'boolean', default: false },
      seule: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    },
  })
  const [typed = '', ...others] = positionals
  const numero = typed.toLowerCase()
  if (!isUuid(numero) || others.length > 0)
    throw new Error('Qui effacer ? Donnez un numéro : celui d’un de ses mandats (imprimé au bas de chaque papier) ou le sien.')
  const motif = MOTIFS_EFFACEMENT.find((one) => one === values.motif)
  if (!motif)
    throw new Error(
      `Pourquoi ? --motif est l’un de :\n${MOTIFS_EFFACEMENT.map((one) => `  ${one.padEnd(13)} ${MOTIF_EFFACEMENT[one]}`).join('\n')}`,
    )
  const { confirmer, json, seule } = values
  const erased = await asOperator(process.env, 'd’effacer une personne', (db) =>
    eraseUsager(db, { numero, motif, confirmed: confirmer, seule }),
  )
  if (!erased.ok) {
    const phrase = ERASE_REFUSAL[erased.refusal](erased.le)
    if (!json) throw refus(`Rien n’est effacé. ${phrase}`)
    console.log(JSON.stringify({ ok: false, refus: erased.refusal, jusqu_au: erased.le, motif, phrase }))
    return 1
  }
  const { usagerIds, le, ligne, counts } = erased
  const code = counts && !confirmer ? 3 : 0
  if (json) {
    const report = { ok: true, fait: counts !== null && confirmer, deja: counts === null, personnes: usagerIds, motif, le }
    console.log(JSON.stringify({ ...report, ...(code === 0 && { ligne }), comptes: counts, phrase: RESTE }))
    return code
  }
  if (!counts) {
    console.log(
      `Déjà effacée le ${jourEtHeure(le, 'Europe/Paris')} (ligne ${ligne} du journal). Il n’y avait rien de plus à faire.`,
    )
    return code
  }
  console.log(`${confirmer ? 'Effacée' : 'Serait effacée'} : la personne ${usagerIds.join(', et son autre identité ')}, parce que ${MOTIF_EFFACEMENT[motif]}.
  son identité, ses contacts, ses codes, ses sessions, ses brouillons
  les mots de ${pluriel(counts.mandats, 'mandat', 'mandats', 'aucun mandat')} et de ${pluriel(counts.demarches, 'démarche', 'démarches', 'aucune démarche')}
  le contenu de ${pluriel(counts.lignes, 'ligne', 'lignes', 'aucune ligne')} du journal
  ${pluriel(counts.acces, 'ouverture', 'ouvertures', 'aucune ouverture')} de son dossier, ${pluriel(counts.messages, 'message', 'messages', 'aucun message')}
${RESTE}
${confirmer ? `La ligne ${ligne} du journal le dit. Gardez ce compte rendu hors de la base : après une restauration, il faudra recommencer.` : 'Rien n’est effacé : ajoutez --confirmer.'}`)
  return code
}
