import { laStructure } from '../../src/structure/nom.ts'
import type { Donnees, Structure } from '../../src/usager/queries.ts'
import { success } from '../kit/alert.ts'
import { more, sentence } from '../kit/card.ts'
import { button, form } from '../kit/form.ts'
import { html } from '../kit/html.ts'
import { type Frame, page } from '../kit/page.ts'
import { facts } from '../kit/table.ts'
import { dateEcrite, jour, majuscule, suiviEnMots, telephoneAAppeler, telephoneEnMots, temps } from '../kit/words.ts'
import { dansLeDepartement } from './departements.ts'
import { nomDuPays } from './pays.ts'

type Props = {
  frame: Frame
  donnees: readonly Donnees[]
  structures: readonly Structure[]
  /** What she has just done with her identities. */
  fait?: string | undefined
}

/** What is known of her, in words. */
export const donneesPage = ({ frame, donnees, structures, fait }: Props) =>
  page(
    frame,
    'Mes données',
    html`${fait === 'reunies' && donnees.length > 1 && success('C’est réuni', 'Votre espace montre maintenant vos historiques ensemble.')}
    ${fait === 'separees' && success('C’est séparé', html`<p>Chaque identité a repris son histoire. Vos anciennes feuilles ne servent plus : demandez-en une nouvelle à la structure.</p>${SANS_MANDAT}`)}
    ${sentence('Voici ce que ce service sait de vous.')}
    ${donnees.length > 1 && reunies(donnees.length)}
    ${donnees.map(
      (one, index) => html`<h2>Qui vous êtes${donnees.length > 1 && ` (identité ${index + 1} sur ${donnees.length})`}</h2>
    <p>FranceConnect l’a dit le ${temps(one.refreshedAt, jour(one.refreshedAt, structures[0]?.fuseau ?? 'Europe/Paris'))}. Si c’est faux, il faut le faire corriger par l’état civil ou par FranceConnect.</p>
    ${facts([
      { term: 'Prénoms', value: one.prenoms.join(', ') },
      { term: 'Nom de naissance', value: one.nomNaissance },
      { term: 'Nom d’usage', value: one.nomUsage },
      { term: 'Naissance', value: dateEcrite(one.birthdate) },
      { term: 'Lieu de naissance', value: lieu(one) },
      { term: 'Votre numéro FranceConnect', value: 'Un code, qui ne sert qu’à vous reconnaître ici' },
      { term: 'Votre numéro dans ce service', value: one.id },
    ])}
    <h2>Comment vous prévenir${donnees.length > 1 && ` (identité ${index + 1})`}</h2>
    ${facts([
      { term: 'Votre choix', value: suiviEnMots(one) },
      { term: 'Mobile', value: one.telephone && telephoneEnMots(one.telephone) },
      { term: 'E-mail', value: one.email },
    ])}`,
    )}
    <p><a href="/mon-espace/contacts">Mes contacts</a>, pour changer de numéro, d’adresse ou de façon, et voir qui l’a fait avant</p>
    <h2>Ce qui est écrit de vous</h2>
    <ul>
      <li><a href="/mon-espace">Vos mandats, ce qui a été fait pour vous, et ce que vous en avez dit</a>. Chaque mandat garde la preuve de votre accord.</li>
      <li><a href="/mon-espace/acces">Qui a ouvert votre dossier</a></li>
      <li><a href="/mon-espace/donnees/journal.json">Ce que le journal a écrit de vous</a>, un fichier qui permet de montrer que rien n’y a été modifié depuis. Il dit ce qui a été noté, pas que c’était juste.</li>
      <li><a href="/mon-espace/code-papier">Mon code papier</a>, pour ouvrir cet espace sans FranceConnect</li>
      <li><a href="/mon-espace/reunir">Il manque un mandat d’avant</a>, après une correction de votre état civil</li>
    </ul>
    <h2>Qui vous connaît ici</h2>
    <ul>${structures.map(({ nom, telephone }) => html`<li>${majuscule(laStructure(nom))}, téléphone ${telephoneAAppeler(telephone)}</li>`)}</ul>
    <h2>Combien de temps</h2>
    <ul>
      <li>Ce qui a été fait pour vous : 6 ans après la fin de votre dernier mandat. Au bout de 2 ans, la structure ne le lit plus : vous, toujours.</li>
      <li>Qui a ouvert votre dossier : 12 mois.</li>
      <li>Ensuite, tout ce qui dit votre nom est effacé. Il reste des numéros et des dates, sans votre nom.</li>
    </ul>
    <p><a href="/mentions-legales">Vos droits sur ces données, et à qui écrire</a></p>`,
  )

/** What separating takes away for good, unless a mandat goes on: no sheet is printed any more for an identity that FranceConnect no longer gives. */
const SANS_MANDAT = html`<p>La structure ne peut l’imprimer que si un mandat est en cours. Sans mandat en cours, une identité d’avant la correction ne peut plus être réunie ni lue ici. <a href="/mentions-legales">À qui demander ce qui est gardé</a></p>`

/** What she has united; how to take it back is folded with what it costs, so that it is not pressed in passing. */
const reunies = (count: number) => html`<h2>Vos identités sont réunies</h2>
    <p>FranceConnect vous a connu sous ${count} identifiants. Vous les avez réunis : votre espace montre tout ensemble, et chacun garde son histoire.</p>
    ${more(
      'Séparer : une de ces identités n’est pas la vôtre ?',
      html`<p>La dernière réunion est alors défaite. Rien n’est effacé. Ce qui s’est arrêté à la réunion reste arrêté.</p>
    <p>Vos codes papier et vos feuilles « Pour vous seulement » ne serviront plus : demandez une nouvelle feuille à la structure.</p>
    ${SANS_MANDAT}
    ${form({ action: '/mon-espace/separer' }, button('Séparer', { kind: 'secondary' }))}`,
    )}`

/** FranceConnect gives codes, and this service has no list of towns: the département or the country says enough to know oneself by. */
const lieu = ({ birthplace, birthcountry }: Donnees) => {
  if (birthplace) return `En France, ${dansLeDepartement(birthplace) ?? `commune de code ${birthplace}`}`
  if (!birthcountry) return null
  if (birthcountry === '99100') return 'En France'
  return nomDuPays(birthcountry) ?? `À l’étranger, dans le pays que l’Insee numérote ${birthcountry}`
}
