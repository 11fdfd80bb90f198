import { defineStep, type Schema, type StepContext } from 'boltbot/plugin-sdk'
import { z } from 'zod'
import { type PresetOptions, presetShape, type Shell } from './options.ts'
import { outcomeOf, runShell } from './run-shell.ts'
import { createWarningCounter, type Warnings, warningTest } from './warning-counter.ts'

export interface CompileOptions extends PresetOptions {
  /** A line that fits is a warning; default: `warning:` or `warning ` anywhere in it, in any case. */
  readonly warningPattern?: string | RegExp | undefined
}

type Compile = Shell & { readonly warningPattern: string | RegExp }

const schema: Schema<CompileOptions, Compile> = presetShape('make all').extend({
  warningPattern: z
    .custom<string | RegExp>(isPattern, "Give a regular expression, as in /^(.*?):(\\d+): warning/ or 'W: .*'.")
    .default(/.*warning[: ].*/i),
})

/**
 * Runs `make all` and counts compiler warnings: they make the result `warnings`, set the property `warnings-count`, and stand in
 * a log of their own. A failure ends the build.
 * @example compile({ command: ['make', '-j4', 'all'], flunkOnWarnings: true })
 */
export const compile = defineStep({
  name: 'compile',
  schema,
  flags: { flunkOnFailure: true, haltOnFailure: true },
  describe: () => ({ running: ['compiling'], done: ['compile'] }),
  async run(context, options) {
    const counter = createWarningCounter(warningTest(options.warningPattern))
    const ended = await runShell(context, options, { observe: counter.observe })
    const warnings = counter.finish()
    const outcome = outcomeOf(ended, options)
    await tell(context, warnings)
    return outcome.result === 'success' && warnings.count > 0 ? { ...outcome, result: 'warnings' } : outcome
  },
})

async function tell(context: StepContext, { count, lines }: Warnings): Promise<void> {
  const before = context.properties['warnings-count']?.value
  context.setProperty('warnings-count', count + (typeof before === 'number' ? before : 0))
  if (count === 0) return
  const rest = count - lines.length
  const more = rest === 0 ? '' : `… and ${rest} more, see stdio\n`
  await context.write(`warnings (${count})`, 'stdout', lines.map((line) => `${line}\n`).join('') + more)
}

function isPattern(value: unknown): boolean {
  try {
    return (typeof value === 'string' || value instanceof RegExp) && warningTest(value) !== undefined
  } catch {
    return false // the message above says what a pattern is
  }
}
