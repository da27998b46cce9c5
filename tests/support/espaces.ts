/**
 * Set up before each test file: the words of a page are compared with plain spaces, whichever its typography (unit/insecables.test.ts reads it
 * as it is). Bodies read as bytes keep theirs.
 */
const { prototype } = Response
// Once for a worker, whose files share their globals: @hono/node-server then lays its own Response, which may not be changed, over this one.
if (!('espaces' in prototype)) {
  const { text } = prototype
  Object.assign(prototype, {
    espaces: true,
    async text(this: Response) {
      const words = await text.call(this)
      return this.headers.get('content-type')?.startsWith('text/html') ? words.replaceAll('\u00a0', ' ') : words
    },
  })
}
