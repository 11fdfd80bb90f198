import { randomInt } from 'node:crypto'
import { type ChangeInput, formatDuration, type Host, hasCode, isRefusal, messageOf } from 'boltbot/plugin-sdk'
import { changeOf } from './change-of.ts'
import { type DaemonLink, openDaemonLink } from './daemon-link.ts'
import { daemonLost } from './errors.ts'
import type { FreshCvs } from './options.ts'

/** Keeps a link to the daemon, for ever: until disposed there is one, or a time at which the next is tried. */
export interface Supervisor extends AsyncDisposable {
  /** Resolves when the daemon is there and answers. @throws CiError why it does not. */
  check(): Promise<void>
}

/** The first wait before a new link, ms; it doubles up to the longest. */
const FIRST_WAIT = 1000
const LONGEST_WAIT = 300_000
/** A refused login does not get better soon. */
const REFUSED_WAIT = 60_000
/** A link that lived so long was a good one: the next wait is the first again. */
const GOOD_MS = 60_000
/** How long the daemon may take for a sign of life. */
const ANSWER_MS = 60_000
/** Between two tries to store a change. */
const STORE_WAIT = 5000

/** `healthChanged` is told when the link is there and when it is gone. */
export function supervise(host: Host, options: FreshCvs, healthChanged: () => void): Supervisor {
  const { clock, log } = host
  const daemon = `${options.host}:${options.port}`
  const stopping = new AbortController()
  let link: DaemonLink | undefined
  /** Settles as the try to open a link that is under way, or was the last. */
  let attempt = Promise.withResolvers<void>()
  let lostAt: number | null = null
  let last: Promise<void> = Promise.resolve()

  /** Commits are taken one after the other, each until it is stored. */
  function notify(args: Parameters<typeof changeOf>[0]): Promise<void> {
    const change = changeOf(args, options, clock.now())
    if (change === null) {
      log.debug('notification ignored, it names no file that counts', { daemon })
      return Promise.resolve()
    }
    return (last = last.then(() => take(change)))
  }

  async function take(change: ChangeInput): Promise<void> {
    while (!stopping.signal.aborted) {
      try {
        if (await leaveToPoller()) return
        const { change: stored } = await host.submitChange(change)
        log.info('change taken', { daemon, change: stored.id, who: stored.who })
        return
      } catch (error) {
        if (stopping.signal.aborted) return
        if (isRefusal(error)) return log.warn('change refused', { daemon, who: change.who, reason: messageOf(error) })
        log.error('change could not be stored, it is tried again', { daemon, error })
        await clock.sleep(STORE_WAIT, stopping.signal).catch(() => {}) // looked at above
      }
    }
  }

  /** The poller knows commits by their ids, which a notification has not: of the two only one may bring them. */
  async function leaveToPoller(): Promise<boolean> {
    const { repository, branch = 'HEAD' } = options
    return repository !== undefined && (await host.pollSoon(repository, { branch })) > 0
  }

  async function linkOnce(): Promise<Error> {
    const opened = await openDaemonLink(
      options,
      {
        clock,
        password: host.secrets.resolve(options.password),
        notify,
        goodbye: () => log.info('the FreshCVS daemon says goodbye', { daemon }),
        trouble: (error) => log.error('a notification was not understood, its commit is missed', { daemon, error }),
      },
      stopping.signal,
    )
    link = opened
    attempt.resolve()
    log.info('linked to the FreshCVS daemon', { daemon })
    healthChanged()
    if (lostAt !== null)
      catchUp(lostAt).catch((error) => log.error('nobody was asked for missed commits', { daemon, error }))
    lostAt = null
    return opened.ended
  }

  async function catchUp(since: number): Promise<void> {
    if (await leaveToPoller()) return
    const away = formatDuration(clock.now() - since)
    log.warn('commits of the time without a link are missed, unless a poller finds them', { daemon, away })
  }

  async function keep(): Promise<void> {
    let wait = FIRST_WAIT
    while (!stopping.signal.aborted) {
      const began = clock.now()
      const why = await linkOnce().catch((error: unknown) => error as Error)
      lostAt ??= link === undefined ? began : clock.now()
      if (link !== undefined) {
        link = undefined
        attempt = Promise.withResolvers()
      }
      attempt.promise.catch(() => {}) // who does not wait for it has the log
      attempt.reject(why)
      if (stopping.signal.aborted) return
      healthChanged()
      if (clock.now() - began >= GOOD_MS) wait = FIRST_WAIT
      if (hasCode(why, 'BOLT_FRESHCVS_REFUSED') || hasCode(why, 'BOLT_FRESHCVS_LOGIN'))
        wait = Math.max(wait, REFUSED_WAIT)
      // Between half and all of it, so that masters do not come back all at once.
      const jittered = Math.round(wait * (0.5 + randomInt(500) / 1000))
      log.warn('no link to the FreshCVS daemon', { daemon, why: messageOf(why), againMs: jittered })
      await clock.sleep(jittered, stopping.signal)
      attempt = Promise.withResolvers()
      wait = Math.min(LONGEST_WAIT, wait * 2)
    }
  }

  const done = keep().catch((error: unknown) => {
    if (!stopping.signal.aborted) log.error('the link to the FreshCVS daemon was given up', { daemon, error })
  })
  return {
    async check() {
      await attempt.promise
      const current = link
      if (current === undefined) return // lost at this moment: it is told soon
      using _timer = clock.timer(ANSWER_MS, () => current.close(`it gave no sign of life within ${ANSWER_MS / 1000} s`))
      await Promise.race([current.ask(), current.ended.then((error) => Promise.reject(error))])
    },
    async [Symbol.asyncDispose]() {
      stopping.abort(daemonLost(daemon, 'the master stops'))
      link?.close('the master stops')
      await done
      await last
    },
  }
}
