import type { Frame } from '../../views/kit/page.ts'
import type { AidantContext, Variables } from './env.ts'

type Caller = { var: Readonly<Variables> }

/** The frame of what is open to all, whoever is signed in. */
export const openFrame = (c: Caller): Frame => ({ space: 'public', demo: c.var.demo })

/** The frame of the caller's pages: her name, the structure she acts for, the menu entry she is in. */
export function frameOf(c: Caller, current?: string): Frame {
  const { aidant, usager, grande, demo } = c.var
  if (usager) return { space: 'usager', who: { nom: usager.nom }, parCode: usager.niveau !== 'identite', grande, current, demo }
  if (!aidant) return openFrame(c)
  const { prenom, nom, structureNom, structures, referent } = aidant
  const who = { nom: `${prenom} ${nom}`, structure: structureNom, structures, referent }
  return { space: 'aidant', who, pageOf: c.var.pageOf, current, demo }
}

/** The same, in large type if it is asked for: the screen is turned to the person. */
export const grandeFrameOf = (c: AidantContext, current?: string): Frame => ({
  ...frameOf(c, current),
  grande: c.req.query('ecriture') === 'grande',
})
