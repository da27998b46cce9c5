/*
 * Keeps the page /v and its files for when there is no network, and nothing else: keys and status lists are kept by the page, which checks
 * them first. The fragment of an address, where the paper is, is never written anywhere.
 */
const CACHE = 'v-page'
const PATIENCE = 5000

const keep = async (answer) => {
  const cache = await caches.open(CACHE)
  const html = await answer.clone().text()
  const files = [...new Set(html.match(/\/assets\/[\w./-]+/g))]
  await Promise.all(files.map(async (file) => (await cache.match(file)) || cache.add(file)))
  await cache.put('/v', answer)
  for (const { url } of await cache.keys()) {
    const { pathname } = new URL(url)
    if (pathname !== '/v' && !files.includes(pathname)) await cache.delete(pathname)
  }
}

const ask = async () => {
  const answer = await fetch('/v', { credentials: 'omit', signal: AbortSignal.timeout(PATIENCE) })
  if (!answer.ok || answer.redirected) throw new Error(String(answer.status))
  return answer
}

addEventListener('install', (event) => {
  skipWaiting()
  event.waitUntil(ask().then(keep))
})
addEventListener('activate', (event) => event.waitUntil(clients.claim()))

addEventListener('fetch', (event) => {
  const { pathname } = new URL(event.request.url)
  // The scope `/v` also begins other addresses, which are the network's.
  if (event.request.mode === 'navigate' && pathname === '/v') {
    const fresh = ask()
    event.waitUntil(fresh.then((answer) => keep(answer.clone())).catch(() => {}))
    event.respondWith(fresh.then((answer) => answer.clone()).catch(async () => (await caches.match('/v')) ?? Response.error()))
  } else if (event.request.method === 'GET' && pathname.startsWith('/assets/')) {
    event.respondWith(caches.match(pathname).then((kept) => kept ?? fetch(event.request)))
  }
})
