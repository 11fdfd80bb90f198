import { Worker } from 'node:worker_threads'
import { type Host, messageOf } from 'boltbot/plugin-sdk'
import { deliveryTime } from './delivery-order.ts'
import { folderFailed, mailNotAFile, mailTooLarge, mailTooSlow, mailUnreadable } from './errors.ts'
import type { Folder } from './folder.ts'
import type { CommitMail } from './mail.ts'
import { MAX_MAIL_BYTES, type Opened } from './open-mail.ts'

/** Reads mails in a thread of its own: neither a slow disk nor a mail made to be slow keeps the master waiting. */
export interface MailThread extends AsyncDisposable {
  /** `null` when it is gone. @throws CiError of the mail; `BOLT_MAILDIR_FOLDER` when it may be read later. */
  open(name: string): Promise<ReadMail | null>
}

export interface ReadMail {
  readonly mail: CommitMail
  /** Of its body; of all of it when it has no Message-ID. */
  readonly digest: string
}

const DEADLINE_MS = 60_000
/** A thread that has nothing to do costs memory; a new one costs a tenth of a second. */
const IDLE_MS = 60_000
const LIMITS = { maxOldGenerationSizeMb: 512, maxYoungGenerationSizeMb: 64 }

export function createMailThread({ clock }: Pick<Host, 'clock'>, folder: Folder): MailThread {
  /** In the order they were asked for, as they are answered: the first is the one that is being read. */
  const waiting: Asked[] = []
  const ending = new Set<Promise<unknown>>()
  let worker: Worker | undefined
  let timer: Disposable | undefined
  let over = false

  function start(): Worker {
    // Beside this file, as it runs: from source or built.
    const entry = import.meta.url.endsWith('.ts') ? './thread.ts' : './thread.js'
    const started = new Worker(new URL(entry, import.meta.url), { name: 'maildir', resourceLimits: LIMITS })
    const isCurrent = () => worker === started
    started.on('message', (opened: Opened) => {
      if (!isCurrent()) return
      const asked = waiting.shift()
      watchFirst()
      asked?.resolve(opened)
    })
    started.on('error', (error: unknown) => isCurrent() && giveUp(mailUnreadable(messageOf(error))))
    started.on('exit', () => isCurrent() && giveUp(mailUnreadable('the thread that read it ended')))
    for (const { path } of waiting) started.postMessage(path)
    return started
  }

  /** The one being read is to blame; a new thread goes on with the others. */
  function giveUp(error: Error): void {
    end()
    waiting.shift()?.reject(error)
    if (waiting.length > 0) worker = start()
    watchFirst()
  }

  function watchFirst(): void {
    timer?.[Symbol.dispose]()
    timer = undefined
    if (over || worker === undefined) return
    if (waiting.length > 0) timer = clock.timer(DEADLINE_MS, () => giveUp(mailTooSlow(DEADLINE_MS / 1000)))
    else timer = clock.timer(IDLE_MS, end)
  }

  function end(): void {
    if (worker === undefined) return
    const ended = worker.terminate().finally(() => ending.delete(ended))
    ending.add(ended)
    worker = undefined
  }

  function ask(path: Uint8Array): Promise<Opened> {
    return new Promise((resolve, reject) => {
      waiting.push({ path, resolve, reject })
      if (worker === undefined) worker = start()
      else worker.postMessage(path)
      if (waiting.length === 1) watchFirst()
    })
  }

  return {
    async open(name) {
      const opened = await ask(folder.incomingPath(name))
      switch (opened.what) {
        case 'mail': {
          const { headers, ...mail } = opened.mail
          const received = deliveryTime(name) ?? opened.modified
          const header = (key: string) => headers.get(key.toLowerCase()) ?? null
          return { mail: { ...mail, received, header }, digest: opened.digest }
        }
        case 'gone':
          return null
        case 'no file':
          throw mailNotAFile()
        case 'too large':
          throw mailTooLarge(opened.size, MAX_MAIL_BYTES)
        case 'unreadable':
          throw mailUnreadable(opened.reason)
        case 'folder':
          throw folderFailed(folder.path, opened.reason)
      }
    },
    async [Symbol.asyncDispose]() {
      over = true
      end()
      watchFirst()
      for (const { reject } of waiting.splice(0)) reject(folderFailed(folder.path, 'the source is stopped'))
      await Promise.all(ending)
    },
  }
}

interface Asked {
  readonly path: Uint8Array
  readonly resolve: (opened: Opened) => void
  readonly reject: (error: Error) => void
}
