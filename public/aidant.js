// htmx only picks a part of the page it receives. When the answer is another page (the session has ended, an error), go and see it whole.
document.addEventListener('htmx:before:response', (event) => {
  const response = event.detail.ctx.response.raw
  const samePage = response.ok || response.status === 422 || response.status === 409
  if (samePage && !response.redirected) return
  event.preventDefault()
  location.assign(response.url)
})

{
  // A double click sends once: the second would leave with a session that the first has just put under another token, and find it closed.
  const ENCORE_MS = 2000
  const envois = new WeakMap()
  document.addEventListener('submit', (event) => {
    const { target, timeStamp, defaultPrevented } = event
    if (target.method !== 'post' || defaultPrevented) return
    if (timeStamp - (envois.get(target) ?? -ENCORE_MS) < ENCORE_MS) event.preventDefault()
    else envois.set(target, timeStamp)
  })
}

{
  // The session closes after a while without a request. Two minutes before, this tab says so; what another tab asks for counts as well.
  const VEILLE_MS = Number(document.body.dataset.veille) * 60_000
  const onglets = new BroadcastChannel('activite')
  let vu = Date.now()
  let annonce

  const activite = () => {
    vu = Date.now()
    annonce?.remove()
    annonce = undefined
  }
  const vuIci = () => {
    activite()
    onglets.postMessage('')
  }
  onglets.addEventListener('message', activite)
  document.addEventListener('htmx:after:request', vuIci)
  vuIci()

  const FERMEE = [
    'Votre connexion est fermée',
    'Ce que vous avez écrit ici n’est pas perdu : envoyez-le, puis connectez-vous de nouveau.',
  ]
  const RESTE = 'Rien n’a été demandé depuis longtemps. Ce que vous avez écrit ici reste.'

  const continuer = async () => {
    if (Date.now() - vu >= VEILLE_MS) return annonce.close()
    const answer = await fetch('/mes-connexions/rester', { redirect: 'manual' }).catch(() => undefined)
    if (answer?.status === 204) vuIci()
    else if (answer) dire(...FERMEE)
    else dire('Le réseau ne répond pas', 'Essayez encore dans un instant.')
  }

  const dire = (titre, texte) => {
    if (!annonce) {
      annonce = document.createElement('dialog')
      annonce.setAttribute('aria-labelledby', 'veille')
      annonce.append(document.createElement('h2'), document.createElement('p'), document.createElement('button'))
      const [mots, suite, bouton] = annonce.children
      mots.id = 'veille'
      suite.setAttribute('role', 'status')
      Object.assign(bouton, { type: 'button', className: 'button primary', textContent: 'Continuer' })
      bouton.addEventListener('click', continuer)
      document.body.append(annonce)
    }
    const [mots, suite] = annonce.children
    if (mots.textContent === titre) return
    mots.textContent = titre
    suite.textContent = texte
    // Put aside before, it has something else to say.
    if (!annonce.open) annonce.showModal()
  }

  setInterval(() => {
    const minutes = Math.ceil((VEILLE_MS - (Date.now() - vu)) / 60_000)
    if (minutes <= 0) dire(...FERMEE)
    else if (minutes <= 2) dire(`Votre connexion se ferme dans ${minutes} minute${minutes > 1 ? 's' : ''}`, RESTE)
  }, 5_000)
}
