/**
 * A path of ours to go back to, or undefined: never another host, however it is written. Checked as browsers read it: they drop tabs,
 * take `\` for `/`, and `/.//elsewhere` resolves to a path that would be another host.
 */
export function localPath(suite: string | undefined): string | undefined {
  if (suite === undefined || suite.length > 500 || !/^\/[!-[\]-~]*$/.test(suite) || !URL.canParse(suite, HERE)) return undefined
  const { origin, pathname, search } = new URL(suite, HERE)
  return origin === HERE && !pathname.startsWith('//') ? pathname + search : undefined
}
const HERE = 'http://ici.invalid'
