import type { MandatEtat } from '../../src/mandat/queries.ts'
import { texteDuMandat, type Valeurs as ValeursDuTexte } from '../../src/mandat/texte.ts'
import { arretees, enCours, type Papier } from '../../src/papier/papier.ts'
import type { Apercu } from '../../src/papier/preview.ts'
import type { Imprime } from '../../src/papier/print.ts'
import { auSoir, FIN, finLe, jour, jourEtHeure, liste, nomComplet, THEMATIQUE } from '../kit/words.ts'
import { arretPapier } from './arret.ts'
import { journalDuJour } from './journal.ts'
import { apercuPapier, mandatPapier } from './mandat.ts'
import { pourVousPapier } from './pour-vous.ts'
import { relevePapier } from './releve.ts'
import { DEMONSTRATION, type Service } from './words.ts'

/** What is printed, in words. */
export const papierDe = (imprime: Imprime, service: Service): Papier => {
  const papier = { ...enMots(imprime, service), filigrane: service.demo ? DEMONSTRATION : undefined }
  const { point, contenu } = imprime
  // Her own sheet says how to go on, not what is so.
  if (!point || papier.nom === 'pour-vous') return papier
  const last = journalDuJour(point, contenu.structure.fuseau, service)
  return papier.une.length > 0 ? { ...papier, une: [...papier.une, last] } : { ...papier, suite: [...papier.suite, last] }
}

const enMots = (imprime: Imprime, service: Service): Papier => {
  const { mandat, autorisations, now } = imprime
  const common = { ...imprime, numero: mandat.id, expiresAt: mandat.expiresAt, service }
  switch (imprime.papier) {
    case 'mandat':
    case 'guichet': {
      const { thematiques, qr } = imprime
      const code = imprime.papier === 'mandat' ? imprime.code : undefined
      return mandatPapier({ ...common, thematiques, code, qr, arret: arretDit(imprime) }, imprime.papier === 'guichet')
    }
    case 'pour-vous': {
      const themes = enCours(autorisations, now).map(({ thematique }) => THEMATIQUE[thematique].titre)
      return pourVousPapier({
        ...common,
        themes,
        codePrive: imprime.codePrive,
        elleMeme: imprime.elleMeme,
        prouve: imprime.prouve,
      })
    }
    case 'arret':
      return arretPapier({
        ...common,
        code: imprime.code,
        qr: imprime.qr,
        arretees: arretees(autorisations),
        recus: imprime.recus,
        restent: enCours(autorisations, now),
      })
    case 'releve':
      return relevePapier({
        ...common,
        demarches: imprime.demarches,
        coupe: imprime.coupe,
        signalees: imprime.signalees,
        arret: arretDit(imprime),
      })
  }
}

/** What has changed since the signature: said on top, apart from what was signed. */
const arretDit = ({ mandat, autorisations, now }: Imprime): string | undefined => {
  const { fuseau } = mandat
  const head = `À l’impression, le ${jourEtHeure(now, fuseau)}`
  if (mandat.etat === 'termine') return `${head}, ce mandat n’est plus en cours : ${fini(mandat)}.`
  if (mandat.etat === 'expire')
    return `${head}, ce mandat n’est plus en cours : il est arrivé à sa fin le ${auSoir(mandat.expiresAt, fuseau)}.`
  if (mandat.etat === 'suspendu') return `${head}, ce mandat est en pause.`
  const over = autorisations.filter(({ revokedAt }) => revokedAt).map(({ thematique }) => THEMATIQUE[thematique].titre)
  return over.length > 0 ? `${head}, ce mandat n’est plus en cours pour : ${liste(over)}.` : undefined
}
const fini = ({ endedAt, endedHow, recuLe, fuseau }: MandatEtat) =>
  `arrêté ${endedHow ? FIN[endedHow] : ''}${endedAt ? finLe(endedAt, recuLe, fuseau) : ''}`

export const papierDuBrouillon = ({ brouillon, acting, version, thematiques, fin, now }: Apercu, service: Service): Papier => {
  const { identite } = brouillon
  const valeurs: ValeursDuTexte = {
    structure: acting.structureNom,
    siret: acting.siret,
    thematiques: brouillon.granted ?? brouillon.perimetre,
    fin: jour(fin, acting.fuseau),
    adresse: `${service.publicUrl}/mon-espace`,
  }
  return apercuPapier({
    nom: identite ? nomComplet(identite) : undefined,
    naissance: identite?.birthdate,
    structure: {
      nom: acting.structureNom,
      siret: acting.siret,
      adresse: acting.adresse,
      telephone: acting.telephone,
      fuseau: acting.fuseau,
    },
    aidant: { prenom: acting.prenom, nom: acting.nom },
    thematiques,
    texte: texteDuMandat(version, valeurs),
    fin,
    now,
  })
}
