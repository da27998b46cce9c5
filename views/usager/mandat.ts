import type { DemarcheRow } from '../../src/demarche/queries.ts'
import type { ArretRecu, EnPause } from '../../src/mandat/fin-queries.ts'
import { type Autorisation, etatAutorisation, isInForce } from '../../src/mandat/mandat.ts'
import type { MandatContenu, MandatEtat } from '../../src/mandat/queries.ts'
import { blocs } from '../../src/mandat/texte.ts'
import { arretees, enCours } from '../../src/papier/papier.ts'
import { laStructure } from '../../src/structure/nom.ts'
import type { Structure } from '../../src/usager/queries.ts'
import { back, more, sentence } from '../kit/card.ts'
import { buttons } from '../kit/form.ts'
import { type Html, html } from '../kit/html.ts'
import { legal } from '../kit/legal.ts'
import { type Frame, page } from '../kit/page.ts'
import { papiersDeLaPersonne } from '../kit/papiers.ts'
import { facts, pagination, timeline } from '../kit/table.ts'
import {
  auSoir,
  deMots,
  ETAT,
  finLe,
  jour,
  jourEtHeure,
  MANIERE,
  majuscule,
  THEMATIQUE,
  telephoneAAppeler,
  temps,
} from '../kit/words.ts'
import { acte } from './actes.ts'
import { gestes } from './gestes.ts'
import { droit, enPause, fini } from './sentences.ts'

type Props = {
  frame: Frame
  mandat: MandatEtat
  autorisations: readonly Autorisation[]
  /** Undefined in a space opened with the code of her paper. */
  contenu: MandatContenu | undefined
  /** The requests to stop that an aidant recorded. */
  recus: readonly ArretRecu[]
  pauses: readonly EnPause[]
  structure: Structure
  demarches: readonly DemarcheRow[]
  /** Those done after her request to stop had come. */
  signalees: ReadonlySet<string>
  /** True beyond the first page. */
  apres: boolean
  suivant: string | undefined
  /** Opened with the code of her paper, when no code may be sent to her. */
  sansPreuve: boolean
  now: Date
}

/** One of her mandats: what is done with it, what it allows, word for word what she agreed to. */
export const monMandatPage = ({
  frame,
  mandat,
  autorisations,
  contenu,
  recus,
  pauses,
  structure,
  demarches,
  signalees,
  apres,
  suivant,
  sansPreuve,
  now,
}: Props) => {
  const here = `/mon-espace/mandats/${mandat.id}`
  return page(
    { ...frame, above: back('Mes mandats', '/mon-espace') },
    mandat.structureNom,
    html`${sentence(droit(mandat))}${enPause(mandat)}${pausesDemandees(pauses, mandat.fuseau)}
    ${
      isInForce(mandat)
        ? buttons(gestes(mandat, sansPreuve))
        : html`<p>C’est ${fini(mandat)}. <a href="${here}/arret">Ce qui est en cours, et ce qui est à vous de faire</a></p>`
    }
    <h2 id="fait">Ce qui a été fait</h2>
    ${apres && back('Revenir aux dernières démarches', `${here}#fait`)}
    ${timeline(
      demarches.map((demarche) => acte(demarche, { signalee: signalees.has(demarche.id), parCode: frame.parCode })),
      'Rien n’a encore été fait.',
    )}
    ${pagination({ next: suivant && `${here}?apres=${suivant}#fait`, label: 'Pages des démarches' })}
    <h2>Ce que vous avez accepté</h2>
    ${facts([
      { term: 'Qui', value: majuscule(laStructure(contenu?.structure.nom ?? structure.nom)) },
      { term: 'Avec', value: contenu && `${contenu.aidant.prenom} ${contenu.aidant.nom}, et ses collègues` },
      { term: 'Depuis', value: temps(mandat.signedAt, jour(mandat.signedAt, mandat.fuseau)) },
      { term: 'Jusqu’au', value: temps(mandat.expiresAt, auSoir(mandat.expiresAt, mandat.fuseau)) },
      { term: 'Téléphone', value: telephoneAAppeler(contenu?.structure.telephone ?? structure.telephone) },
      { term: 'Adresse', value: contenu?.structure.adresse },
    ])}
    <h3>Pour ces thèmes</h3>
    <ul>${autorisations.map((autorisation) => html`<li>${sujet(autorisation, recus, mandat, now)}</li>`)}</ul>
    ${contenu && more('Le texte exact', legal(blocs(contenu.texte), 3))}
    ${contenu && papiersDeLaPersonne({ here, enCours: enCours(autorisations, now).length > 0, arrete: arretees(autorisations).length > 0 })}`,
  )
}

/** The pauses that an aidant recorded at her request; what was paused together is said together. */
const pausesDemandees = (pauses: readonly EnPause[], fuseau: string): readonly Html[] => {
  const recorded = pauses.filter(({ maniere }) => maniere)
  const together = (one: EnPause) => recorded.filter(({ fromAt }) => fromAt.getTime() === one.fromAt.getTime())
  return recorded
    .filter((one) => together(one)[0] === one)
    .map(
      (one) =>
        html`<p>Vos démarches ${deMots(together(one).map(({ thematique }) => thematique))} : pause demandée ${one.maniere && MANIERE[one.maniere]}, et enregistrée par ${one.aidantPrenom} ${one.aidantNom} le ${temps(one.fromAt, jourEtHeure(one.fromAt, fuseau))}.</p>`,
    )
}

const sujet = (autorisation: Autorisation, recus: readonly ArretRecu[], mandat: MandatEtat, now: Date): Html => {
  const { titre, exemples } = THEMATIQUE[autorisation.thematique]
  const { etat } = etatAutorisation(autorisation, now)
  const { revokedAt, thematique } = autorisation
  const recuLe = recus.find((one) => one.thematique === thematique)?.recuLe
  const alone = revokedAt && mandat.etat !== 'termine'
  return html`<strong>${titre}</strong> (${exemples})${alone ? (recuLe ? finLe(revokedAt, recuLe, mandat.fuseau) : html` : arrêté le ${temps(revokedAt, jourEtHeure(revokedAt, mandat.fuseau))}`) : etat === 'suspendu' && html` : ${ETAT.suspendu.toLowerCase()}`}`
}
