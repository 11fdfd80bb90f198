import { parentPort } from 'node:worker_threads'
import { openMail } from './open-mail.ts'

// The entry of the thread that reads mails: mail-thread.ts starts it. One mail after the other, answered in order.
let last: Promise<void> = Promise.resolve()
parentPort?.on('message', (path: Uint8Array) => {
  last = last.then(async () => parentPort?.postMessage(await openMail(path)))
})
