import { forgetCodes, forgetDefis, forgetInvitations } from './aidant/forget.ts'
import { watchInactivity } from './aidant/watch-inactivity.ts'
import type { Config } from './config.ts'
import type { Db, Tx } from './db.ts'
import { failure, type Log } from './http/log.ts'
import { forgetRates } from './http/rates.ts'
import { forgetSessions } from './http/session.ts'
import { announceBlockedCodes } from './mandat/announce-blocked.ts'
import { announceOperatorEnds } from './mandat/announce-operator.ts'
import { writeExpired } from './mandat/expire.ts'
import { forgetBrouillons, forgetChangements, forgetPapiersRemis } from './mandat/forget.ts'
import { remindEnds } from './mandat/remind.ts'
import { type Deliver, deliverDue } from './notification/deliver.ts'
import { forgetMessages } from './notification/forget.ts'
import { forgetConnexions } from './oidc/forget.ts'
import { lotByLot, startTurns } from './turns.ts'
import { applyTerms } from './usager/apply-terms.ts'
import { forgetAcces } from './usager/forget.ts'

type Job = { name: string; everyMs: number; run: () => Promise<unknown> }

/** What is done without anybody asking: each job alone, one run after the other, a failure said and tried again at its next turn. */
export function startWorker(db: Db, deliver: Deliver, log: Log, config: Config): { stop(): Promise<void> } {
  const forget = (lot: (tx: Tx) => Promise<{ count: number }>) => lotByLot(() => db.tx({ kind: 'worker' }, lot))
  const sayTerms = ({ archives, effaces }: { archives: number; effaces: number }) => {
    if (archives > 0) log('info', { event: 'dossiers_archives', count: archives })
    if (effaces > 0) log('info', { event: 'personnes_effacees', count: effaces })
  }
  const jobs: Job[] = [
    { name: 'messages', everyMs: 1_000, run: () => deliverDue(db, deliver, log, config) },
    { name: 'fins', everyMs: 20_000, run: () => writeExpired(db, log) },
    { name: 'fins_par_l_exploitant', everyMs: 60_000, run: () => announceOperatorEnds(db, log) },
    { name: 'codes_bloques', everyMs: 60_000, run: () => announceBlockedCodes(db, log) },
    { name: 'rappels', everyMs: 600_000, run: () => remindEnds(db, log) },
    { name: 'inactivite', everyMs: 3_600_000, run: () => watchInactivity(db, log) },
    { name: 'brouillons', everyMs: 60_000, run: () => forgetBrouillons(db) },
    { name: 'changements', everyMs: 600_000, run: () => forget(forgetChangements) },
    { name: 'messages_oublies', everyMs: 600_000, run: () => forget(forgetMessages) },
    { name: 'papiers_remis', everyMs: 3_600_000, run: () => forget(forgetPapiersRemis) },
    { name: 'aller_retours', everyMs: 600_000, run: () => forget(forgetConnexions) },
    { name: 'codes', everyMs: 600_000, run: () => forget(forgetCodes) },
    { name: 'defis', everyMs: 600_000, run: () => forget(forgetDefis) },
    { name: 'invitations', everyMs: 3_600_000, run: () => forget(forgetInvitations) },
    { name: 'limites', everyMs: 600_000, run: () => forget(forgetRates) },
    { name: 'sessions', everyMs: 600_000, run: () => forget(forgetSessions) },
    { name: 'acces', everyMs: 3_600_000, run: () => forget(forgetAcces) },
    { name: 'termes', everyMs: 6 * 3_600_000, run: () => applyTerms(db).then(sayTerms) },
  ]
  const turns = jobs.map(({ name, everyMs, run }) =>
    startTurns(() =>
      run().then(
        () => everyMs,
        (error: unknown) => {
          log('warn', { event: 'tache_echouee', reason: name, ...failure(error) })
          return everyMs
        },
      ),
    ),
  )
  return {
    async stop() {
      await Promise.all(turns.map((one) => one.stop()))
    },
  }
}
