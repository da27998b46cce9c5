// A page made to be printed offers it. Without JavaScript, the page says where the browser's own menu is.
for (const bouton of document.querySelectorAll('[data-imprimer]')) {
  bouton.hidden = false
  bouton.addEventListener('click', () => print())
}
