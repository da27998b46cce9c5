import { confirmerPage } from '../../views/aidant/confirmer.ts'
import { PAGE_OF } from '../../views/kit/page.ts'
import { BEGUN_IN } from '../../views/public/kept.ts'
import { signatureOptions } from '../aidant/cle-acces.ts'
import { openDefi } from '../aidant/defi.ts'
import { readFactors } from '../aidant/factor.ts'
import { preuveForm } from '../aidant/forms.ts'
import { objetDe, objetReconnu, parSecours } from '../aidant/moyens.ts'
import type { Door } from '../aidant/sign-in.ts'
import { type Preuve, type Spend, spendFactor } from '../aidant/spend-factor.ts'
import type { Db } from '../db.ts'
import { parseForm, readFields } from '../form.ts'
import { as } from './as.ts'
import type { AidantContext } from './env.ts'
import { calm } from './errors.ts'
import { frameOf } from './frame.ts'
import { returnToken, takeToken } from './rates.ts'
import { cookies, rotateSession } from './session.ts'

type Done = { ok: true } | { ok: false; refusal: string }
/** What is left to say once her factor was right. */
type Confirmed<D extends Done> =
  | Extract<D, { ok: true }>
  | { ok: false; refusal: Exclude<Extract<D, { ok: false }>['refusal'], 'second_facteur_refuse'> }

/**
 * Does `act` with a fresh second factor, which it counts in its own transaction by `spend`. A form that brings none, or a wrong one, is shown
 * back: the page that asks for the factor keeps all that was sent, and sends it again to the same address. A passkey signs that address and
 * those words, in this session, which then goes on under another token. Three wrong ones, then even the right one waits.
 */
export async function confirmed<D extends Done>(
  c: AidantContext,
  { db, door }: { db: Db; door: Door },
  act: (spend: Spend) => Promise<D>,
): Promise<Confirmed<D> | Response> {
  const { confirme } = c.var
  if (!confirme) throw new Error(`${c.req.path} asks for a factor that its route does not declare`)
  const { id: aidantId } = c.var.aidant
  const sessionId = c.var.sessionId!
  const fields = [...(await readFields(c))].flatMap(([name, values]) =>
    PREUVE.includes(name) ? [] : values.map((value) => [name, String(value)] as const),
  )
  const { pathname: chemin, search } = new URL(c.req.url)
  const envoi = { chemin, fields }
  const pour = { aidantId, sessionId, objet: objetDe(envoi) }
  const secours = parSecours(confirme)
  const form = await parseForm(c, preuveForm(secours))

  const given = form.ok && (form.data.code || form.data.signature || form.data.proconnect)
  if (given) {
    const { code, signature } = form.data
    const preuve: Preuve = signature
      ? { signature, pour }
      : !code
        ? { reconnue: { ...pour, objet: objetReconnu(envoi) } }
        : code.length > 6
          ? { secours: code }
          : { code }
    const token = await db.tx({ kind: 'portier' }, (tx) => takeToken(tx, 'code', aidantId))
    if (!token.ok) return calm(c, 429, token.retryAfter)
    const done = await act((tx) => spendFactor(tx, aidantId, preuve, door))
    if (done.ok || done.refusal !== 'second_facteur_refuse') {
      const rotated = await db.tx({ kind: 'portier' }, async (tx) => {
        await returnToken(tx, 'code', aidantId)
        return done.ok ? rotateSession(tx, sessionId, { confirme: !('secours' in preuve) }) : undefined
      })
      if (rotated) cookies(door).set(c, 'session', rotated)
      return done as Confirmed<D>
    }
  }

  const { factors, options } = await db.tx(as(c.var.aidant), async (tx) => {
    const factors = await readFactors(tx, aidantId)
    const cles = factors.flatMap(({ cleId }) => cleId ?? [])
    return { factors, options: cles.length > 0 ? signatureOptions(door.publicUrl, await openDefi(tx, pour), cles) : undefined }
  })
  const asked = {
    frame: frameOf(c),
    confirme,
    fields,
    options: await options,
    parCode: factors.length > 0,
    secours,
    // A draft is signed there too, from its own page.
    versProconnect: c.var.aidant.parProconnect && confirme !== 'signer' ? chemin + search : undefined,
  }
  if (!form.ok) return c.html(confirmerPage({ ...asked, errors: form.errors }), 422)
  // 403: the same form may be sent again, once she has shown who she is (as in kept-form.ts).
  return c.html(confirmerPage({ ...asked, refusal: given ? 'second_facteur_refuse' : undefined }), given ? 409 : 403)
}

/** What a form brings besides what it says. */
const PREUVE = ['code', 'signature', 'proconnect', BEGUN_IN, PAGE_OF]
