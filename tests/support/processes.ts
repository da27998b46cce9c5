import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { pathToFileURL } from 'node:url'

export const ROOT = path.resolve(import.meta.dirname, '../..')

export type Ran = { code: number | null; output: string }

/** A program under way: what it has said so far, and its end. */
export type Program = {
  child: ChildProcess
  output(): string
  until(text: string | RegExp): Promise<string>
  ended: Promise<Ran>
}

export function start(command: string, args: string[], options: SpawnOptions = {}): Program {
  const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout!, child.stderr!]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
      child.emit('said')
    })
  }
  const ended = new Promise<Ran>((resolve) => child.once('close', (code) => resolve({ code, output })))
  return {
    child,
    output: () => output,
    ended,
    async until(text) {
      const found = () => (typeof text === 'string' ? output.includes(text) : text.test(output))
      while (!found()) {
        await Promise.race([once(child, 'said'), ended])
        if (!found() && (child.exitCode !== null || child.signalCode !== null))
          throw new Error(`ended without saying ${text}: ${output}`)
      }
      return output
    },
  }
}

/** Runs a few lines of TypeScript-importing JavaScript in a process of their own; `root` is the clone they import from. */
export function startScript(lines: string, { root = ROOT, ...options }: SpawnOptions & { root?: string } = {}): Program {
  const tsx = pathToFileURL(path.join(ROOT, 'node_modules/tsx/dist/loader.mjs')).href
  const script = lines.replaceAll("'@/", `'${pathToFileURL(root).href}/`)
  return start(process.execPath, ['--import', tsx, '--input-type=module', '-e', script], options)
}
