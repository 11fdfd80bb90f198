import type { ReadStream, WriteStream } from 'node:tty'
import { messageOf } from 'boltbot/plugin-sdk'
import { callMaster } from '../control-client.ts'
import { whoAmI } from '../output.ts'
import { draw } from './draw.ts'
import { keysOf } from './keys.ts'
import { type LogPage, openLogPage } from './log-page.ts'
import { takeScreen } from './screen.ts'
import { readSnapshot, type Snapshot } from './state.ts'

export interface WatchOptions {
  readonly basedir: string
  readonly input: ReadStream
  readonly output: WriteStream
  readonly color: boolean
  /** Ends it as `q` does. */
  readonly signal: AbortSignal
}

/** A question at the foot of the screen, answered by a line or by `y`. */
interface Question {
  readonly text: string
  answer: string
  readonly isLine: boolean
  readonly then: (answer: string) => Promise<string>
}

/** No faster than this, however much happens. */
const PAUSE_MS = 200
const RETRY_MS = 2000

/**
 * The dashboard, until `q`. Looks again at each event of the master's stream, and tries for ever to reach a master that is gone.
 * @throws CiError when there is no master at the start.
 */
export async function watch({ basedir, input, output, color, signal }: WatchOptions): Promise<void> {
  let snapshot: Snapshot = await readSnapshot(basedir)
  let connected = true
  let chosen = 0
  let message = ''
  let question: Question | null = null
  let log: LogPage | null = null
  let refresh: NodeJS.Timeout | undefined
  const quit = Promise.withResolvers<void>()
  const over = new AbortController()
  signal.addEventListener('abort', () => quit.resolve())

  const paint = () => {
    const { columns, rows } = screen
    if (log) {
      const body = log.lines(rows - 2).map((line) => line.slice(0, columns))
      const foot = 'q back'
      screen.show([
        log.title.slice(0, columns),
        ...body,
        ...Array<string>(Math.max(0, rows - 2 - body.length)).fill(''),
        foot,
      ])
      return
    }
    const asked = question && `${question.text}${question.isLine ? ` ${question.answer}▏` : ''}`
    screen.show(draw(snapshot, { columns, rows, now: Date.now(), chosen, message: asked ?? message, connected, color }))
  }
  const look = async () => {
    try {
      snapshot = await readSnapshot(basedir)
      connected = true
      chosen = Math.max(0, Math.min(chosen, snapshot.builders.length - 1))
    } catch {
      connected = false
    }
    paint()
  }
  const soon = () => {
    refresh ??= setTimeout(() => {
      refresh = undefined
      void look()
    }, PAUSE_MS)
  }
  const follow = async () => {
    while (!over.signal.aborted) {
      await callMaster(basedir, 'events', {}, soon).catch(() => {}) // it is gone: we look whether it came back
      if (over.signal.aborted) return
      connected = false
      paint()
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
      await look()
    }
  }

  const ask = (text: string, then: Question['then'], isLine = false) => {
    question = { text, answer: '', isLine, then }
  }
  const act = async (work: Promise<string>) => {
    message = await work.catch((error: unknown) => messageOf(error))
    await look()
  }
  const answer = (key: string) => {
    const asked = question!
    if (key === 'escape' || key === 'ctrl-c' || (!asked.isLine && key !== 'y')) {
      question = null
      message = 'Nothing done.'
    } else if (!asked.isLine || key === 'enter') {
      question = null
      void act(asked.then(asked.answer))
    } else if (key === 'backspace') asked.answer = asked.answer.slice(0, -1)
    else if (key === 'up') asked.answer += 'k'
    else if (key === 'down') asked.answer += 'j'
    else if (key.length === 1 && key >= ' ') asked.answer += key
  }
  const command = (key: string) => {
    const row = snapshot.builders[chosen]
    const running = row?.builds.find((build) => build.finishedAt === null)
    const who = whoAmI()
    message = ''
    if (key === 'q' || key === 'ctrl-c') return quit.resolve()
    if (key === 'up') chosen = Math.max(0, chosen - 1)
    if (key === 'down') chosen = Math.min(snapshot.builders.length - 1, chosen + 1)
    if (!row) return
    const { name } = row.builder
    if (key === 'f')
      ask(
        `Build ${name}; why?`,
        async (reason) => {
          const { requests } = await callMaster<{ requests: readonly number[] }>(basedir, 'force', {
            builder: name,
            who,
            reason: reason || 'asked for at the dashboard',
          })
          return `Request ${requests.join(', ')} waits.`
        },
        true,
      )
    if (key === 's' && running)
      ask(`Stop ${name} #${running.number}? y/n`, async () => {
        await callMaster(basedir, 'stop-build', {
          build: `${name}/${running.number}`,
          who,
          reason: 'stopped at the dashboard',
        })
        return `${name} #${running.number} is being stopped.`
      })
    else if (key === 's') message = `Nothing of ${name} runs.`
    const waiting = snapshot.waiting.find(({ request }) => request.builder === name)
    if (key === 'c' && waiting)
      ask(`Cancel request ${waiting.request.id} for ${name}? y/n`, async () => {
        await callMaster(basedir, 'cancel', { request: waiting.request.id, who, reason: 'cancelled at the dashboard' })
        return `Request ${waiting.request.id} is cancelled.`
      })
    else if (key === 'c') message = `Nothing waits for ${name}.`
    const build = running ?? row.builds[0]
    const step =
      build?.steps.findLast((one) => one.finishedAt === null) ??
      build?.steps.find((one) => one.result === 'failure') ??
      build?.steps.at(-1)
    if ((key === 'l' || key === 'enter') && build && step) {
      log = openLogPage(basedir, `${name}/${build.number}`, `${step.number}`, paint)
      screen.forget()
    } else if (key === 'l') message = `${name} has no log yet.`
  }
  const typed = (text: string) => {
    for (const key of keysOf(text)) {
      if (question) answer(key)
      else if (log && ['q', 'escape', 'ctrl-c', 'l'].includes(key)) {
        log = null
        screen.forget()
      } else if (!log) command(key)
    }
    paint()
  }

  using screen = takeScreen(input, output, typed, paint)
  paint()
  const tick = setInterval(paint, 1000) // times go on also when nothing happens
  void follow()
  try {
    await quit.promise
  } finally {
    over.abort()
    clearInterval(tick)
    clearTimeout(refresh)
  }
}
