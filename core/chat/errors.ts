import { CiError, listNames, suggest } from 'boltbot/plugin-sdk'

/** What the bot says to what it cannot do. Only message and hint are shown to people. */

export const openQuote = (quote: string) =>
  new CiError({
    code: 'BOLT_CHAT_QUOTE',
    message: `A quote (${quote}) is not closed.`,
    details: { quote },
    hint: 'Close it, or write \\ in front of it.',
  })

export const missingValue = (option: string) =>
  new CiError({
    code: 'BOLT_CHAT_OPTION_VALUE',
    message: `The option "--${option}" needs a value.`,
    details: { option },
    hint: `Write --${option}=VALUE.`,
  })

export const unknownOption = (
  option: string,
  known: readonly string[],
  hint = `Known: ${known.map((name) => `--${name}`).join(', ')}.`,
) =>
  new CiError({
    code: 'BOLT_CHAT_OPTION',
    message: `"${option}" is not an option here.`,
    details: { option },
    hint,
  })

export const unknownCommand = (word: string, near: string | undefined) =>
  new CiError({
    code: 'BOLT_CHAT_COMMAND',
    message: `"${word}" is not a command.`,
    details: { word },
    hint: `${near === undefined ? '' : `Did you mean "${near}"? `}Say "commands" for all there are.`,
  })

export const wrongUsage = (usage: string) =>
  new CiError({ code: 'BOLT_CHAT_USAGE', message: `Usage: ${usage}.`.replace(/\.\.$/, '.'), details: { usage } })

export const unknownName = (kind: string, name: string, known: readonly string[]) => {
  // Who forgets the quotes names the first word only.
  const near = suggest(name, known) ?? known.find((one) => one.toLowerCase().startsWith(`${name.toLowerCase()} `))
  const all = known.length > MOST_NAMES ? `"list ${kind}s" lists all ${known.length}.` : `Known: ${listNames(known)}.`
  return new CiError({
    code: 'BOLT_CHAT_NAME',
    message: `There is no ${kind} "${name}".`,
    details: { kind, name },
    hint: near === undefined ? all : `Did you mean "${near}"?`,
  })
}

/** More builders or slaves are no answer to somebody who mistyped; there are not as many of anything else. */
const MOST_NAMES = 12

/** `last`: the number of the newest one. */
export const noBuild = (builder: string, number: number | undefined, last: number | null) =>
  new CiError({
    code: 'BOLT_CHAT_NO_BUILD',
    message:
      number === undefined || last === null
        ? `${builder} was never built.`
        : `There is no build ${builder} #${number}.`,
    details: { builder, number: number ?? null },
    hint: last === null ? `Say "force build ${builder} REASON" for the first one.` : `The last one is #${last}.`,
  })

export const notHere = (what: string, why: string) =>
  new CiError({ code: 'BOLT_CHAT_NOT_HERE', message: `"${what}" makes no sense here: ${why}.`, details: { what } })

/** For news: the answer is the end of this place. */
export const nobodyStays = (what: string) => notHere(what, 'nobody listens behind this one answer')

export const nothingRuns = (builder: string) =>
  new CiError({
    code: 'BOLT_CHAT_NOTHING_RUNS',
    message: `No build of "${builder}" runs.`,
    details: { builder },
    hint: `Say "why ${builder}" for what waits, "last ${builder}" for the last one.`,
  })

export const lineTooLong = (limit: number) =>
  new CiError({
    code: 'BOLT_CHAT_TOO_LONG',
    message: `A line of more than ${limit} characters is not read.`,
    details: { limit },
  })

export const commandTwice = (name: string, plugin: string) =>
  new CiError({
    code: 'BOLT_CHAT_COMMAND_TWICE',
    message: `The chat command "${name}" of "${plugin}" is there already.`,
    details: { name, plugin },
    hint: 'Give it another name.',
  })

export const badCommand = (name: unknown, plugin: string) =>
  new CiError({
    code: 'BOLT_CHAT_COMMAND_NAME',
    message: `The chat command ${JSON.stringify(name) ?? 'without a name'} of "${plugin}" has no usable name or no run function.`,
    details: { plugin },
    hint: 'A name is one or two words of small letters, digits and "-".',
  })
