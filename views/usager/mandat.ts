import type { DemarcheRow } from '../../src/demarche/queries.ts'
import type { Autorisation } from '../../src/mandat/mandat.ts'
import { etatAutorisation } from '../../src/mandat/mandat.ts'
import type { MandatContenu, MandatEtat } from '../../src/mandat/queries.ts'
import { blocs } from '../../src/mandat/texte.ts'
import { back, more, sentence } from '../kit/card.ts'
import { buttonLink, buttons } from '../kit/form.ts'
import { type Html, html } from '../kit/html.ts'
import { legal } from '../kit/legal.ts'
import { type Frame, page } from '../kit/page.ts'
import { facts, pagination, timeline } from '../kit/table.ts'
import { auSoir, ETAT, jour, jourEtHeure, laStructure, majuscule, THEMATIQUE, temps } from '../kit/words.ts'
import { acte } from './actes.ts'
import { telephoneEnMots } from './contact.ts'
import { droit, fini } from './sentences.ts'

type Props = {
  frame: Frame
  mandat: MandatEtat
  autorisations: readonly Autorisation[]
  contenu: MandatContenu
  demarches: readonly DemarcheRow[]
  /** True beyond the first page. */
  apres: boolean
  suivant: string | undefined
  now: Date
}

/** One of her mandats: what is done with it, what it allows, word for word what she agreed to. */
export const monMandatPage = ({ frame, mandat, autorisations, contenu, demarches, apres, suivant, now }: Props) => {
  const here = `/mon-espace/mandats/${mandat.id}`
  const inForce = mandat.etat === 'actif' || mandat.etat === 'suspendu'
  return page(
    { ...frame, above: back('Mes mandats', '/mon-espace') },
    mandat.structureNom,
    html`${sentence(droit(mandat))}
    ${
      inForce
        ? buttons([buttonLink('Arrêter', `${here}/arreter`, { icon: 'arret' })])
        : html`<p>C’est ${fini(mandat)}. <a href="${here}/arret">Ce qui est en cours, et ce qui est à vous de faire</a></p>`
    }
    <h2 id="fait">Ce qui a été fait</h2>
    ${apres && back('Revenir aux dernières démarches', `${here}#fait`)}
    ${timeline(
      demarches.map((demarche) => acte(demarche)),
      'Rien n’a encore été fait.',
    )}
    ${pagination({ next: suivant && `${here}?apres=${suivant}#fait`, label: 'Pages des démarches' })}
    <h2>Ce que vous avez accepté</h2>
    ${facts([
      { term: 'Qui', value: majuscule(laStructure(contenu.structure.nom)) },
      { term: 'Avec', value: `${contenu.aidant.prenom} ${contenu.aidant.nom}, et ses collègues` },
      { term: 'Depuis', value: temps(mandat.signedAt, jour(mandat.signedAt, mandat.fuseau)) },
      { term: 'Jusqu’au', value: temps(mandat.expiresAt, auSoir(mandat.expiresAt, mandat.fuseau)) },
      { term: 'Téléphone', value: telephoneEnMots(contenu.structure.telephone) },
      { term: 'Adresse', value: contenu.structure.adresse },
    ])}
    <h3>Pour ces sujets</h3>
    <ul>${autorisations.map((autorisation) => html`<li>${sujet(autorisation, mandat, now)}</li>`)}</ul>
    ${more('Le texte exact', legal(blocs(contenu.texte), 3))}`,
  )
}

const sujet = (autorisation: Autorisation, mandat: MandatEtat, now: Date): Html => {
  const { titre, exemples } = THEMATIQUE[autorisation.thematique]
  const { etat } = etatAutorisation(autorisation, now)
  const { revokedAt } = autorisation
  const alone = revokedAt && mandat.etat !== 'termine'
  return html`<strong>${titre}</strong> (${exemples})${alone ? html` : arrêté le ${temps(revokedAt, jourEtHeure(revokedAt, mandat.fuseau))}` : etat === 'suspendu' && html` : ${ETAT.suspendu.toLowerCase()}`}`
}
