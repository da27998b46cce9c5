import type { ActingRow, Brouillon } from '../../src/mandat/brouillon-queries.ts'
import { laStructure } from '../../src/structure/nom.ts'
import { alert } from '../kit/alert.ts'
import { back, sentence, step } from '../kit/card.ts'
import { button, form, franceConnect, hidden } from '../kit/form.ts'
import { html } from '../kit/html.ts'
import { type Frame, page } from '../kit/page.ts'
import { DUREE, deMots, majuscule } from '../kit/words.ts'
import { ETAPES } from './new.ts'

type Props = { frame: Frame; brouillon: Brouillon; acting: ActingRow }

/** The screen turns to the person: she identifies herself, in words that protect her password. */
export const identificationPage = ({ frame, brouillon, acting }: Props) =>
  page(
    {
      ...frame,
      bare: true,
      above: html`${back('Changer les choix', `/mandats/brouillons/${brouillon.id}/choix`)}${step(3, ETAPES)}`,
    },
    'À vous de vous identifier',
    html`${alert('Pour l’aidant', 'Donnez l’écran et le clavier à la personne, puis regardez ailleurs.', 'info')}
    ${sentence('Tapez vous-même votre mot de passe, sans que personne ne le voie : pour l’instant, vous n’acceptez encore rien.')}
    <p>Ensuite, vous relirez ensemble : ${majuscule(laStructure(acting.structureNom))} pourrait faire vos démarches ${deMots(brouillon.perimetre)}. Durée : ${DUREE[brouillon.duree].toLowerCase()}.</p>
    ${franceConnect({ action: `/mandats/brouillons/${brouillon.id}/identification` })}
    <p>La personne se connecte elle-même. Elle a trente minutes pour revenir ici.</p>
    <h2>Ou sur son téléphone</h2>
    <p>Elle photographie un carré sur cet écran, s’identifie sur son téléphone, puis vous lit un code.</p>
    ${form({ action: `/mandats/brouillons/${brouillon.id}/telephone` }, html`${hidden('geste', 'ouvrir')}${button('Sur son téléphone', { kind: 'secondary' })}`)}
    ${form({ action: `/mandats/brouillons/${brouillon.id}/apercu` }, button('Voir d’abord le papier, sans valeur juridique', { kind: 'link' }))}`,
  )
