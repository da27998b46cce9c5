import { html } from '../kit/html.ts'
import { page } from '../kit/page.ts'

type Props = {
  /** Who runs this installation; the page says so when nobody has filled it in. */
  editeur?: string | undefined
  contact?: string | undefined
  demo?: boolean | undefined
}

export const mentionsPage = ({ editeur, contact, demo }: Props): string =>
  page(
    { space: 'public', demo },
    'Mentions légales et données personnelles',
    html`
<h2>Qui tient ce service</h2>
${
  editeur
    ? html`<p>${editeur}</p>`
    : demo
      ? html`<p>Ceci est une démonstration installée sur cet ordinateur. Les personnes et les structures montrées sont inventées.</p>`
      : html`<p>L’organisme qui tient ce service n’a pas encore écrit ici son nom et son adresse. Il doit le faire avant toute utilisation réelle.</p>`
}
${contact && html`<p>Contact : <a href="mailto:${contact}">${contact}</a></p>`}
<p>Trait d’union est un logiciel libre, sous licence publique de l’Union européenne (EUPL 1.2).</p>
<h2>Ce qui est gardé sur vous</h2>
<ul>
<li>Votre identité, telle que FranceConnect la donne : nom, prénoms, date et lieu de naissance.</li>
<li>Vos mandats : avec quelle structure, pour quels thèmes, de quand à quand, et votre accord.</li>
<li>Les démarches faites pour vous, et par qui.</li>
<li>Qui a ouvert votre dossier, et quand.</li>
<li>Le temps de votre visite, de quelle sorte d’appareil elle vient, et une empreinte de son réseau : de quoi reconnaître vos connexions et les fermer.</li>
<li>Un e-mail ou un numéro de téléphone, seulement si vous l’avez donné.</li>
</ul>
<p>Ce qui est noté ne se récrit pas : c’est ce que permet de voir <a href="/journal">le journal public</a>, où personne n’est nommé.</p>
<p>Jamais de mot de passe, de numéro de sécurité sociale, de compte en banque ni de carte.</p>
<h2>Pourquoi, et combien de temps</h2>
<p>Vos mandats et vos démarches servent à faire ce que vous avez demandé et à vous en rendre compte. Ils restent visibles deux ans après la fin du dernier mandat, puis sont archivés : vous seul les lisez encore. Six ans après cette fin, tout ce qui vous nomme est effacé. La liste des ouvertures de votre dossier est gardée douze mois.</p>
<p>Si vous dites non au moment de l’accord, rien n’est gardé sur vous.</p>
<h2>Vos droits</h2>
<p>Vous pouvez voir ce qui est gardé, le faire corriger, en demander une copie, vous y opposer. Demandez à la structure qui vous aide${contact && html` ou écrivez à <a href="mailto:${contact}">${contact}</a>`}. Si la réponse ne vous va pas, vous pouvez vous plaindre à la <a href="https://www.cnil.fr/fr/plaintes">CNIL</a>, c’est gratuit.</p>
<h2>Cookies</h2>
<p>Deux cookies, pour vous reconnaître pendant votre visite et savoir que c’est bien cet écran qui a commencé une identification ; un troisième si vous choisissez la grande écriture. Pour les aidants, un autre dit pendant six mois que ce navigateur leur a déjà servi, pour qu’un inconnu ne ferme pas leur accès en se trompant de code ; il ne dit pas qui. Les autres disparaissent quand le navigateur se ferme ; ceux de la visite et de l’écriture, dès que vous partez. Aucune mesure d’audience, aucun site extérieur.</p>`,
  )
