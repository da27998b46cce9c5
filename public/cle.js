{
  // A passkey, asked of the browser: what it answers is sent with the form. Where there is none, what needs one stays hidden.
  const { PublicKeyCredential: known, navigator: browser } = window
  if (known?.parseRequestOptionsFromJSON)
    for (const form of document.querySelectorAll('[data-cle]')) {
      form.hidden = false
      if (!form.dataset.options) continue
      const options = JSON.parse(form.dataset.options)
      const ask = () =>
        form.dataset.cle === 'creer'
          ? browser.credentials.create({ publicKey: known.parseCreationOptionsFromJSON(options) })
          : browser.credentials.get({ publicKey: known.parseRequestOptionsFromJSON(options) })
      form.addEventListener('submit', async (event) => {
        event.preventDefault()
        try {
          form.elements.signature.value = JSON.stringify(await ask())
          form.submit()
        } catch {
          // Refused, cancelled, or too late: the button serves again.
          form.querySelector('[role=status]').hidden = false
        }
      })
    }
}
