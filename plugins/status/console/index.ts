import { stdout } from 'node:process'
import { definePlugin, type Schema } from 'boltbot/plugin-sdk'
import { z } from 'zod'
import { createPainter } from './painter.ts'
import { type ConsoleStream, createPrinter } from './printer.ts'
import { tellStory } from './story.ts'
import { tellWaiting } from './waiting.ts'

export interface ConsoleOptions {
  /** `auto` (default): in colour on a terminal. */
  readonly color?: 'auto' | 'always' | 'never' | undefined
  /** Where it prints; default: standard output. */
  readonly stream?: ConsoleStream | undefined
}

const schema: Schema<ConsoleOptions, ConsoleOptions> = z.strictObject({
  color: z.enum(['auto', 'always', 'never'], 'Give "auto", "always" or "never".').optional(),
  stream: z
    .custom<ConsoleStream>(
      (value) => typeof (value as ConsoleStream | null)?.write === 'function', // any value may be asked
      'Give something with a function write(text), such as process.stdout.',
    )
    .optional(),
})

/**
 * Prints what happens, a line each: changes, what schedulers wait for, requests, builds, steps, results.
 * @example status: [consoleStatus({ color: 'never' })]
 */
export const consoleStatus = definePlugin({
  name: 'status/console',
  kind: 'status',
  schema,
  apply(host, { color = 'auto', stream = stdout }) {
    const isTerminal = stream.isTTY === true
    const painter = createPainter(color === 'always' || (color === 'auto' && isTerminal))
    const printer = createPrinter(stream, painter, isTerminal)
    tellStory(host, printer, painter)
    tellWaiting(host, printer, isTerminal)
    host.own({ [Symbol.dispose]: () => printer.footer(null) })
  },
})
