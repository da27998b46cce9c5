import { card } from '../kit/card.ts'
import { buttonLink, franceConnect } from '../kit/form.ts'
import { html } from '../kit/html.ts'
import { page } from '../kit/page.ts'

export const homePage = ({ demo }: { demo?: boolean | undefined }): string =>
  page(
    { space: 'public', demo, width: 'wide', heading: 'On vous aide pour vos démarches. Vous gardez la main.' },
    'Accueil',
    html`
<p class="sentence">Vous choisissez qui vous aide, pour quoi, et jusqu’à quand. Vous voyez tout ce qui est fait. Vous arrêtez quand vous voulez.</p>
<div class="doors">
${card({
  title: 'Vous êtes aidé(e)',
  body: html`<p>Voir vos mandats, ce qui a été fait pour vous, et tout arrêter si vous voulez.</p>${franceConnect({ action: '/connexion/franceconnect' })}<p><a href="/mon-espace/code">J’ai un papier avec un code</a></p>`,
})}
${card({
  title: 'Vous aidez dans votre travail',
  body: html`<p>Pour les aidants d’une structure habilitée et leurs référents.</p>${buttonLink('Se connecter comme aidant', '/connexion', { kind: 'secondary' })}`,
})}
${card({
  title: 'On vous montre un papier',
  body: html`<p>Vérifier qu’un mandat est vrai, et qu’il n’est pas arrêté.</p>${buttonLink('Vérifier un papier', '/verifier', { kind: 'secondary' })}`,
})}
</div>
<h2>Comment ça marche</h2>
<ol class="acts">
<li><strong>Vous vous mettez d’accord ensemble.</strong> Vous êtes face à l’aidant. Vous relisez. Vous dites oui, ou non. C’est écrit : cela s’appelle un mandat.</li>
<li><strong>L’aidant fait vos démarches et les note.</strong> Ni lui ni son responsable ne peuvent effacer ce qui est noté. Ce qui parle de vous est effacé six ans après la fin, ou avant si le délégué à la protection des données le décide.</li>
<li><strong>Vous voyez tout, vous pouvez arrêter.</strong> Sur internet, au téléphone ou sur papier, sans dire pourquoi.</li>
</ol>
<h2>Bon à savoir</h2>
<ul>
<li>Un mandat est limité dans le temps, et seulement pour les thèmes que vous avez choisis.</li>
<li>Ne donnez jamais votre mot de passe à la personne qui vous aide : elle n’en a pas besoin.</li>
<li>Ce n’est pas une procuration bancaire : personne ne peut retirer votre argent ni vendre vos biens avec ce mandat.</li>
</ul>`,
  )
