// The thread that makes PDFs, out of the way of requests. Plain JavaScript: a thread does not inherit what makes Node 20 read TypeScript.

import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { parentPort, workerData } from 'node:worker_threads'

const require = createRequire(import.meta.url)
const MODELES = fileURLToPath(new URL('../../views/papier/', import.meta.url))
/** From npm, and no other: what the machine has installed must not change a paper. */
const POLICES = [
  '@expo-google-fonts/noto-sans/400Regular/NotoSans_400Regular.ttf',
  '@expo-google-fonts/noto-sans/700Bold/NotoSans_700Bold.ttf',
  '@expo-google-fonts/noto-sans-arabic/400Regular/NotoSansArabic_400Regular.ttf',
  '@expo-google-fonts/noto-sans-arabic/700Bold/NotoSansArabic_700Bold.ttf',
]

const NodeCompiler = load(workerData.packages)
if (!NodeCompiler) parentPort.postMessage({ absent: true })
else {
  const compiler = NodeCompiler.create({
    workspace: MODELES,
    fontArgs: [{ fontBlobs: POLICES.map((name) => readFileSync(require.resolve(name))) }],
  })
  parentPort.on('message', ({ id, papier, svg }) => {
    try {
      // Data goes in as data: nothing of it is ever read as Typst.
      const document = { mainFilePath: `${MODELES}papier.typ`, inputs: { papier } }
      const made = svg ? compiler.plainSvg(document) : compiler.pdf(document, { pdfStandard: 'a-2a' })
      parentPort.postMessage({ id, made })
    } catch (error) {
      // Its message quotes the paper: only a test may read it.
      parentPort.postMessage({ id, error: workerData.quote ? String(error?.message ?? error) : 'refused' })
    }
    compiler.evictCache(10)
  })
}

/** The first of these packages that this machine can run: none of them need be there. */
function load(packages) {
  for (const name of packages) {
    try {
      return require(name).NodeCompiler
    } catch (error) {
      if (!['MODULE_NOT_FOUND', 'ERR_DLOPEN_FAILED'].includes(error.code)) throw error
    }
  }
  return undefined
}
