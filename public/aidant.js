// htmx only picks a part of the page it receives. When the answer is another page (the session has ended, an error), go and see it whole.
document.addEventListener('htmx:before:response', (event) => {
  const response = event.detail.ctx.response.raw
  const samePage = response.ok || response.status === 422 || response.status === 409
  if (samePage && !response.redirected) return
  event.preventDefault()
  location.assign(response.url)
})
