import type { Fin } from '../../src/mandat/mandat.ts'
import type { MandatEtat } from '../../src/mandat/queries.ts'
import { laStructure } from '../../src/structure/nom.ts'
import { type Html, html } from '../kit/html.ts'
import type { Frame } from '../kit/page.ts'
import { auSoir, deMots, finLe, jourEtHeure, majuscule, temps } from '../kit/words.ts'

/** What a mandat allows, or does not any more, in one sentence that holds alone. */
export const droit = (mandat: MandatEtat): Html => {
  const { etat, endedHow, structureNom, perimetre, enPause, enVigueur, expiresAt, fuseau } = mandat
  const structure = majuscule(laStructure(structureNom))
  if (etat === 'actif')
    return html`${structure} peut faire vos démarches ${deMots(enVigueur)} jusqu’au ${temps(expiresAt, auSoir(expiresAt, fuseau))}.`
  if (etat === 'suspendu')
    return html`C’est en pause : ${laStructure(structureNom)} ne fait plus vos démarches ${deMots(enPause)} pour le moment.`
  if (endedHow === 'remplace') return html`Un autre mandat l’a remplacé.`
  return html`Avec ce mandat, ${laStructure(structureNom)} n’a plus le droit de faire vos démarches ${deMots(perimetre)}.`
}

/** What is paused while the rest goes on. */
export const enPause = ({ etat, enPause }: MandatEtat): Html | false =>
  etat === 'actif' && enPause.length > 0 && html`<p>En pause : vos démarches ${deMots(enPause)}.</p>`

/** Since when it is over, and by whom. */
export const fini = ({ etat, endedAt, endedHow, expiresAt, recuLe, fuseau }: MandatEtat): Html => {
  if (etat === 'termine' && endedAt && endedHow) return html`${PAR[endedHow]}${finLe(endedAt, recuLe, fuseau)}`
  return html`fini depuis le ${temps(expiresAt, auSoir(expiresAt, fuseau))}${recuLe && `, demande d’arrêt reçue le ${jourEtHeure(recuLe, fuseau)}`}`
}

const PAR = {
  revoque: 'arrêté à votre demande',
  renonce: 'arrêté par la structure',
  deces: 'arrêté',
  protection: 'arrêté par une mesure de protection',
  structure_fermee: 'arrêté parce que la structure a fermé',
  remplace: 'remplacé par un autre mandat',
} as const satisfies Record<Fin, string>

/** With her paper alone she stops and pauses; what gives power again is hers with FranceConnect (docs/adr/0034). */
export const remettre = ({ parCode }: Frame): string =>
  parCode
    ? 'Pour remettre en route, il faudra FranceConnect, ou un nouveau mandat.'
    : 'Vous pourrez remettre en route quand vous voulez.'
