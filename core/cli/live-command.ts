import { resolve } from 'node:path'
import { Command } from 'commander'
import { badArgument } from './errors.ts'

export interface LiveOptions {
  readonly basedir: string
  readonly json?: true
}

/** A command that talks to a running master. */
export function liveCommand(name: string, description: string, example: string): Command {
  return new Command(name)
    .description(description)
    .option(
      '--basedir <dir>',
      "the master's base directory; also by BOLTBOT_BASEDIR",
      (dir) => resolve(dir),
      resolve(defaultBasedir()),
    )
    .addHelpText('after', `\nExample:\n  $ boltbot ${example}`)
}

/** One that lists: `--json` gives it to programs. */
export function listCommand(name: string, description: string, example: string): Command {
  return liveCommand(name, description, example).option('--json', 'print JSON')
}

/** For commander: collects `--prop name=value`. Values that are JSON are taken as such, others as text. */
export function collectProperty(text: string, before: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  const cut = text.indexOf('=')
  if (cut < 1) throw badArgument('property', text, 'name=value')
  return { ...before, [text.slice(0, cut)]: jsonOrText(text.slice(cut + 1)) }
}

/** For commander: collects an option that may be given several times. */
export const collect = (text: string, before: readonly string[] = []): string[] => [...before, text]

/** For commander: a whole number. */
export function wholeNumber(text: string): number {
  const value = Number(text)
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value)) throw badArgument('number', text, 'a whole number')
  return value
}

function defaultBasedir(): string {
  return process.env.BOLTBOT_BASEDIR ?? '.'
}

function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text // most values are plain words
  }
}
