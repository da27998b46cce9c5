/** A JSON file to keep. Still the same JSON, and nothing for whoever would read it as a page. */
export const jsonFile = (name: string, value: unknown): Response =>
  new Response(`${JSON.stringify(value, null, 2).replaceAll('<', '\\u003c').replaceAll('&', '\\u0026')}\n`, {
    headers: { 'Content-Type': 'application/json', 'Content-Disposition': `attachment; filename="${name}"` },
  })
