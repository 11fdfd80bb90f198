import { parentPort, workerData } from 'node:worker_threads'
import { doJob, type Job } from './jobs.ts'

// The entry of the thread that works in the maildir: mail-thread.ts starts it. One job after the other, answered in order.
const begun = new Int32Array(workerData as SharedArrayBuffer) // of mail-thread.ts
let last: Promise<void> = Promise.resolve()
parentPort?.on('message', (jobs: readonly Job[]) => {
  last = last.then(async () => {
    const done = []
    for (const job of jobs) {
      Atomics.add(begun, 0, 1)
      done.push(await doJob(job))
    }
    parentPort?.postMessage(done)
  })
})
