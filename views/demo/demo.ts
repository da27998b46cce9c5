import { html } from '../kit/html.ts'
import { type Frame, page } from '../kit/page.ts'
import { table } from '../kit/table.ts'
import { jourEtHeure, temps } from '../kit/words.ts'

type Props = {
  frame: Frame
  aidants: {
    prenom: string
    nom: string
    email: string
    referent: boolean
    structures: readonly string[]
    code: string
    next: string
  }[]
  messages: {
    id: string
    canal: 'email' | 'sms'
    destinataire: string
    sujet: string | null
    corps: string
    chemin: string | null
    sentAt: Date
    fuseau: string
  }[]
  seconds: number
}

const spaced = (code: string) => `${code.slice(0, 3)} ${code.slice(3)}`

/** Addresses in a message become links, as a mail reader does. */
const linked = (text: string) =>
  html`${text.split(/(https?:\/\/\S+)/).map((part, index) => (index % 2 === 1 ? html`<a href="${part}">${part}</a>` : part))}`

export const demoPage = ({ frame, aidants, messages, seconds }: Props) =>
  page(
    { ...frame, width: 'wide' },
    'La démonstration',
    html`<p>Tout est inventé, rien ne quitte cet ordinateur. Soyez tour à tour l’aidant, la personne aidée, le référent qui dirige la structure.</p>
    ${table({
      caption: 'Aidants et référents',
      columns: [
        { head: 'Qui', cell: ({ prenom, nom, referent }) => `${prenom} ${nom}${referent ? ' (référent)' : ''}` },
        { head: 'Structure', cell: ({ structures }) => structures.join(' et ') },
        { head: 'E-mail à taper', cell: ({ email }) => email },
        { head: 'Code de son application', cell: ({ code }) => html`<strong>${spaced(code)}</strong>` },
        { head: 'Code suivant', cell: ({ next }) => spaced(next) },
      ],
      rows: aidants,
      empty: '',
    })}
    <p>Pour se connecter il faut deux codes : celui de l’application, ci-dessus, puis celui reçu par e-mail, <a href="#messages">plus bas sur cette page</a>.</p>
    <p>Les codes changent dans ${seconds} s : <a href="/demo">afficher les codes du moment</a>. Un code ne sert qu’une fois : pour signer un mandat juste après la connexion, prenez le suivant.</p>
    <p>Ou par ProConnect, sans code : <a href="/connexion">s’identifier</a>, puis choisir l’une d’elles dans le simulateur.</p>
    <p>Pour être la personne aidée : <a href="/mon-espace/connexion">son espace</a>, puis Odette, Josiane ou Marcel dans le simulateur de FranceConnect.</p>
    <p>Pour voir un état civil corrigé : Nadia imprime la feuille « Pour vous seulement » de Fatma, puis Fatma Zohra (la même, sous un autre identifiant) veut entrer dans son espace. On ne l’y connaît pas : elle <a href="/mon-espace/reunir">réunit les deux</a> avec le code de cette feuille et 1957.</p>
    <h2 id="messages">Messages envoyés</h2>
    ${messages.length === 0 && html`<p>Aucun message pour le moment.</p>`}
    ${messages.map(
      ({ canal, destinataire, sujet, corps, chemin, sentAt, fuseau }) =>
        html`<article class="card"><h3>${sujet ?? 'SMS'}</h3><p>${canal === 'sms' ? 'SMS' : 'E-mail'} à ${destinataire}, le ${temps(sentAt, jourEtHeure(sentAt, fuseau))}</p>${corps
          .split('\n\n')
          .map(
            (paragraph) => html`<p>${linked(paragraph)}</p>`,
          )}${chemin && html`<p><a href="${chemin}">${chemin}</a></p>`}</article>`,
    )}`,
  )
