import jsqr from 'jsqr'

type Corner = { x: number; y: number }
type Read = { data: string; location: { topLeftCorner: Corner; topRightCorner: Corner } }
/** A reader of QR that shares nothing with what writes ours. (Its types say `default` where Node and bundlers see the function.) */
export const readQr = jsqr as unknown as (data: Uint8ClampedArray, width: number, height: number) => Read | null
