// Reads the explanation aloud with a voice of this very machine: a distant one would send what is read to someone else.
const bouton = document.querySelector('[data-ecoute]')
const texte = document.getElementById('texte-lu')
const voix = () =>
  window.speechSynthesis
    ?.getVoices()
    .find(({ localService, lang }) => localService === true && lang.toLowerCase().split(/[-_]/)[0] === bouton.dataset.ecoute)
const dire = bouton?.textContent
const taire = () => {
  speechSynthesis.cancel()
  bouton.textContent = dire
}
const montrer = () => {
  bouton.hidden = !voix()
}

if (bouton && texte && window.speechSynthesis) {
  montrer()
  // Some browsers learn of their voices after the page.
  speechSynthesis.addEventListener?.('voiceschanged', montrer)
  addEventListener('pagehide', () => speechSynthesis.cancel())
  bouton.addEventListener('click', () => {
    if (bouton.textContent !== dire) return taire()
    const phrases = [...texte.querySelectorAll('h2, h3, h4, p, li')].map((one) => one.textContent)
    bouton.textContent = bouton.dataset.arret
    phrases.forEach((phrase, index) => {
      const parole = new SpeechSynthesisUtterance(phrase)
      parole.voice = voix()
      parole.lang = parole.voice.lang
      parole.rate = 0.9
      if (index === phrases.length - 1) parole.onend = taire
      speechSynthesis.speak(parole)
    })
  })
}
