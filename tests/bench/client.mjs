// Sends what it is told over 16 kept-alive connections and tells how many seconds it took.
import { Agent, request } from 'node:http'

const agent = new Agent({ keepAlive: true, maxSockets: 16 })

const send = ({ url, cookie, body }) =>
  new Promise((resolve, reject) => {
    const { origin } = new URL(url)
    const headers = { 'sec-fetch-site': 'same-origin', origin: 'http://localhost:3900', ...(cookie && { cookie }) }
    if (body)
      Object.assign(headers, { 'content-type': 'application/x-www-form-urlencoded', 'content-length': Buffer.byteLength(body) })
    const sent = request(url, { method: body ? 'POST' : 'GET', agent, headers }, (answer) => {
      answer.resume()
      answer.on('end', () => resolve(answer.statusCode))
    })
    sent.on('error', (error) => reject(new Error(`${origin}: ${error.message}`)))
    sent.end(body)
  })

process.on('message', async ({ shots, status }) => {
  const start = performance.now()
  let next = 0
  let wrong
  await Promise.all(
    Array.from({ length: 16 }, async () => {
      while (next < shots.length) {
        const shot = shots[next++]
        const got = await send(shot).catch((error) => error.message)
        if (got !== status) wrong = `${shot.url} answered ${got}`
      }
    }),
  )
  process.send({ seconds: (performance.now() - start) / 1000, wrong })
})
