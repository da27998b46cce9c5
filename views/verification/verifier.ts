import type { CodeRefusal } from '../../src/verification/check-code.ts'
import type { Papier } from '../../src/verification/queries.ts'
import { alert, etat } from '../kit/alert.ts'
import { type Attente, tropDEssais } from '../kit/attente.ts'
import { back } from '../kit/card.ts'
import { codeImprime } from '../kit/code-imprime.ts'
import { button, type Errors, errorSummary, form, type Values } from '../kit/form.ts'
import { html } from '../kit/html.ts'
import { type Frame, page } from '../kit/page.ts'
import { facts } from '../kit/table.ts'
import { auSoir, dateEcrite, heure, jour, nomComplet, THEMATIQUE, temps } from '../kit/words.ts'
import { IDENTITE, LIBRE, REFUSAL, SANS_CODE, VERDICT } from './words.ts'

type Props = { frame: Frame; values?: Values; errors?: Errors; refusal?: CodeRefusal; wait?: Attente }

export const verifierPage = ({ frame, values = {}, errors = {}, refusal, wait }: Props): string =>
  page(
    { ...frame, invalid: Object.keys(errors).length > 0 || refusal !== undefined },
    'Vérifier un papier avec son code',
    html`${errorSummary(errors)}${refusal && alert('Papier non vérifié', REFUSAL[refusal])}${wait && tropDEssais(wait)}
<p>Le code est imprimé sur le mandat, près du carré noir et blanc. Vous verrez ce que dit le papier, et si le mandat est encore en cours. ${SANS_CODE}</p>
${form(
  { action: '/verifier' },
  html`${codeImprime({ code: 'Code de vérification', annee: 'Année de naissance de la personne' }, values, errors)}${button('Vérifier')}`,
)}`,
  )

/** What the paper says, and its status now. */
export const papierPage = ({ frame, papier, now }: { frame: Frame; papier: Papier; now: Date }): string => {
  const { fuseau, structureNom, siret, signedAt, expiresAt, coupe, sujets } = papier
  const { kind, titre, texte } = VERDICT[coupe ? 'sceau_coupe' : verdictOf(sujets)]
  return page(
    { ...frame, above: back('Vérifier un autre papier', '/verifier') },
    'Ce que dit le papier',
    html`${alert(titre, texte, kind)}
${kind !== 'refused' && html`<p><strong>${IDENTITE}</strong> ${LIBRE}</p>`}
${facts([
  { term: 'La personne', value: nomComplet(papier) },
  { term: 'Date de naissance', value: dateEcrite(papier.birthdate) },
  { term: 'La structure', value: structureNom },
  { term: 'SIRET', value: siret.replace(/^(...)(...)(...)/, '$1 $2 $3 ') },
  { term: 'Accord donné le', value: temps(signedAt, jour(signedAt, fuseau)) },
  { term: 'Jusqu’au', value: temps(expiresAt, auSoir(expiresAt, fuseau)) },
])}
<h2>Pour quels thèmes</h2>
<ul>${sujets.map((sujet) => html`<li><strong>${THEMATIQUE[sujet.thematique].titre}</strong> : ${etat(coupe ? 'termine' : sujet.etat)}</li>`)}</ul>
<p>Statut du ${temps(now, `${jour(now, fuseau)} à ${heure(now, fuseau)}`)}.</p>`,
  )
}

const verdictOf = (sujets: Papier['sujets']) => {
  const has = (etat: Papier['sujets'][number]['etat']) => sujets.some((sujet) => sujet.etat === etat)
  return has('actif') ? 'en_cours' : has('suspendu') ? 'en_pause' : has('expire') ? 'expire' : 'arrete'
}
