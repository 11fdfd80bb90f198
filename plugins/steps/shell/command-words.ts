import { type Interpolation, isSecretRef, type Renderable } from 'boltbot/plugin-sdk'
import type { ShellCommandLine } from './options.ts'

/**
 * A command as a short description: its first two words in quotes.
 * @example commandWords(['tar', 'czf', 'a.tgz', '.']) // ["'tar", 'czf', "...'"]
 */
export function commandWords(command: ShellCommandLine): readonly string[] {
  const words = isList(command) ? command.map(shown) : shown(command).trim().split(/\s+/)
  const [first = '', second] = words.map((word) => word.replace(/\s+/g, ' '))
  if (second === undefined) return [`'${first}'`]
  return words.length === 2 ? [`'${first}`, `${second}'`] : [`'${first}`, second, "...'"]
}

/** As far as it is known before the build: properties by their names, secrets not at all. */
function shown(text: Renderable<string>): string {
  if (typeof text === 'string') return text
  if (isSecretRef(text)) return '***'
  const { pieces, names } = text as Interpolation // the only third form
  return pieces.map((piece, i) => (i === 0 ? piece : `<${names[i - 1]}>${piece}`)).join('')
}

function isList(command: ShellCommandLine): command is readonly Renderable<string>[] {
  return Array.isArray(command)
}
