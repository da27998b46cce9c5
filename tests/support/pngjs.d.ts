/** What the tests use of it: the package brings no types. */
declare module 'pngjs' {
  export class PNG {
    constructor(size: { width: number; height: number })
    width: number
    height: number
    /** Red, green, blue, opacity. */
    data: Buffer
    static sync: {
      read(bytes: Buffer): PNG
      write(png: PNG, options?: { filterType?: number; colorType?: number; inputHasAlpha?: boolean }): Buffer
    }
  }
}
