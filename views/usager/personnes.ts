import { ALERTE_JOURS } from '../../src/aidant/equipe.ts'
import { isInForce, seTermineBientot } from '../../src/mandat/mandat.ts'
import type { Recherche } from '../../src/usager/forms.ts'
import type { Personne } from '../../src/usager/queries.ts'
import { etat } from '../kit/alert.ts'
import { back } from '../kit/card.ts'
import { results, searchForm } from '../kit/form.ts'
import { html } from '../kit/html.ts'
import { type Frame, page } from '../kit/page.ts'
import { pagination, table } from '../kit/table.ts'
import { auSoir, dateEcrite, jour, nomCourant, pluriel, temps } from '../kit/words.ts'

type Props = {
  frame: Frame
  saisie: string
  recherche: Recherche
  personnes: readonly Personne[]
  /** The last person of the page before, and of this one when there is more. */
  apres: string | undefined
  suivant: string | undefined
  fuseau: string
  now: Date
  /** What waits for who directs. */
  aFaire: { contestations: number; inactifs: number } | undefined
}

/** The persons who gave a mandat to the structure: one line each, found by name or birth date. */
export const personnesPage = (props: Props) => {
  const { frame, saisie, personnes, apres, suivant, fuseau, now } = props
  return page(
    { ...frame, width: 'wide' },
    'Personnes',
    html`${props.aFaire && aFaire(props.aFaire)}
    ${searchForm({
      action: '/personnes',
      name: 'q',
      label: 'Chercher une personne',
      hint: 'Son nom ou son prénom, ou sa date de naissance : 12/03/1985, 12 mars 1985 ou 1985.',
      value: saisie,
    })}
    <p><a href="/a-remettre">À remettre sur papier</a></p>
    ${results(
      countOf(props),
      html`${apres && back('Revenir au début de la liste', address(saisie))}
      ${
        personnes.length > 0
          ? table({
              caption: 'Personnes qui ont donné un mandat à votre structure',
              quiet: true,
              columns: [
                { head: 'Personne', cell: nameOf },
                { head: 'Naissance', cell: ({ birthdate }) => dateEcrite(birthdate) },
                { head: 'Mandat', cell: (personne) => stateOf(personne, now) },
                { head: 'Fin', cell: (personne) => endOf(personne, fuseau) },
              ],
              rows: personnes,
              empty: '',
            })
          : emptyOf(props)
      }
      ${pagination({ next: suivant && address(saisie, suivant) })}`,
    )}`,
  )
}

const aFaire = ({ contestations, inactifs }: NonNullable<Props['aFaire']>) => {
  const lines = [
    contestations > 0 &&
      html`<a href="/structure/contestations">${pluriel(contestations, 'contestation attend', 'contestations attendent')} votre réponse</a>`,
    inactifs > 0 &&
      html`<a href="/structure/aidants">${pluriel(inactifs, 'aidant n’a', 'aidants n’ont')} rien fait depuis ${ALERTE_JOURS} jours</a>`,
  ].filter(Boolean)
  return lines.length > 0 && html`<h2>À faire</h2><ul>${lines.map((line) => html`<li>${line}</li>`)}</ul>`
}

const address = (saisie: string, apres?: string) => {
  const query = new URLSearchParams({ ...(saisie && { q: saisie }), ...(apres && { apres }) }).toString()
  return query ? `/personnes?${query}` : '/personnes'
}

const nameOf = (personne: Personne) => {
  const { id, nomNaissance, nomUsage } = personne
  const born = nomUsage && nomUsage !== nomNaissance && nomNaissance
  return html`<a href="/personnes/${id}">${nomCourant(personne)}</a>${born && html` <small>nom de naissance : ${born}</small>`}`
}

const stateOf = (personne: Personne, now: Date) => {
  if (!personne.etat) return html`<small>Aucun mandat</small>`
  const { signeLe, fin } = personne
  const soon = personne.etat === 'actif' && signeLe && fin && seTermineBientot({ signedAt: signeLe, expiresAt: fin }, now)
  const several = personne.enCours > 1 && html` <small>${pluriel(personne.enCours, 'mandat')} en cours</small>`
  return html`${etat(personne.etat, soon ? 'Se termine bientôt' : undefined)}${several}`
}

const endOf = (personne: Personne, fuseau: string) => {
  const { fin, recuLe } = personne
  if (fin === null) return false
  const asked = !isInForce(personne) && recuLe && html` <small>demande d’arrêt reçue le ${jour(recuLe, fuseau)}</small>`
  return html`${temps(fin, isInForce(personne) ? auSoir(fin, fuseau) : jour(fin, fuseau))}${asked}`
}

const countOf = ({ recherche, saisie, personnes, apres, suivant }: Props) => {
  if (recherche.par === 'date_incomplete') return 'Date à compléter'
  if (apres) return `Suite de la liste : ${pluriel(personnes.length, 'personne')}`
  if (suivant) return saisie ? `Plus de ${personnes.length} personnes trouvées` : `Les ${personnes.length} premières personnes`
  return saisie
    ? pluriel(personnes.length, 'personne trouvée', 'personnes trouvées', 'Aucune personne trouvée')
    : pluriel(personnes.length, 'personne', 'personnes', 'Aucune personne')
}

const emptyOf = ({ recherche, saisie, apres }: Props) => {
  const newMandat = html`<a href="/mandats/expliquer">Nouveau mandat</a>`
  if (recherche.par === 'date_incomplete')
    return html`<p class="empty">Écrivez une date de naissance entière : 12/03/1985, ou le mois : 03/1985, ou l’année : 1985.</p>`
  if (apres) return html`<p class="empty">La liste s’arrête ici.</p>`
  if (!saisie)
    return html`<p class="empty">Personne n’a encore donné de mandat à votre structure. Avec une personne à côté de vous, commencez ici : ${newMandat}.</p>`
  return html`<p class="empty">Personne ne correspond à « ${saisie} ». Quelques lettres du nom suffisent, sans accents ; la date de naissance marche aussi. Elle n’a peut-être pas encore donné de mandat à votre structure : ${newMandat}.</p>`
}
