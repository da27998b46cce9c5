/**
 * Set up before each test file: the words of a page are compared with plain spaces, whichever its typography (unit/insecables.test.ts reads it
 * as it is). Bodies read as bytes keep theirs.
 */
const { text } = Response.prototype
Object.assign(Response.prototype, {
  async text(this: Response) {
    const words = await text.call(this)
    return this.headers.get('content-type')?.startsWith('text/html') ? words.replaceAll('\u00a0', ' ') : words
  },
})
