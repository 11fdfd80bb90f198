import { suggest } from 'boltbot/plugin-sdk'
import type { Command } from './command.ts'
import { unknownCommand } from './errors.ts'

/** All commands by name; plugins add theirs. */
export interface CommandTable {
  /** The command the words begin with, and the words behind its name. @throws CiError `BOLT_CHAT_COMMAND` with the nearest one. */
  find(words: readonly string[]): { readonly command: Command; readonly rest: readonly string[] }
  list(): readonly Command[]
  /** False: there is one of that name. */
  add(command: Command): boolean
  remove(command: Command): void
}

export function createTable(builtIn: readonly Command[]): CommandTable {
  const commands = [...builtIn]
  const namesOf = (command: Command) => [command.name, ...(command.also ?? [])]
  const known = (name: string) => commands.find((command) => namesOf(command).includes(name))
  return {
    find(words) {
      const [first = '', second = ''] = words.map((word) => word.toLowerCase())
      const two = known(`${first} ${second}`)
      if (two) return { command: two, rest: words.slice(2) }
      const one = known(first)
      if (one) return { command: one, rest: words.slice(1) }
      const names = commands.flatMap(namesOf)
      const longer = names.find((name) => name.startsWith(`${first} `))
      // `forc build`: the first word is as wrong as the two together.
      const mistyped = longer === undefined ? first : `${first} ${second}`.trim()
      const near = suggest(mistyped, [...names, ...names.map((name) => name.split(' ')[0]!)])
      // A word that is only the beginning of a name is no command yet.
      const whole = near === undefined || known(near) ? near : names.find((name) => name.startsWith(`${near} `))
      throw unknownCommand(mistyped, whole)
    },
    list: () => commands.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    add(command) {
      if (namesOf(command).some((name) => known(name))) return false
      commands.push(command)
      return true
    },
    remove: (command) => void commands.splice(commands.indexOf(command) >>> 0, 1),
  }
}

/** `force build [--branch NAME] BUILDER REASON`. */
export const usageOf = ({ name, usage }: Command) => (usage === '' ? name : `${name} ${usage}`)
