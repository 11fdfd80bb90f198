import { createInterface, type Interface } from 'node:readline/promises'
import type { Command } from 'commander'
import { callMaster } from '../control-client.ts'
import { type LiveOptions, liveCommand } from '../live-command.ts'
import { print, printError, whoAmI } from '../output.ts'

export function chatCommand(): Command {
  return liveCommand(
    'chat',
    'talk with the chat bot as on IRC; without a line, until "bye" or Ctrl-D',
    'chat "status all"',
  )
    .argument('[line...]', 'one command; default: a talk')
    .action(async (line: readonly string[], { basedir }: LiveOptions) => {
      // One argument is a line as it stands; several were quoted by the shell already.
      const text = line.length === 1 ? (line[0] ?? '') : line.map(quoted).join(' ')
      if (line.length > 0) await say(basedir, text)
      else await talk(basedir)
    })
}

const quoted = (word: string) => (/^[\w@%+=:,./#-]+$/.test(word) ? word : `"${word.replace(/["\\]/g, '\\$&')}"`)

async function say(basedir: string, text: string, place?: string): Promise<void> {
  const params = { who: whoAmI(), text, ...(place !== undefined && { place }) }
  const { lines } = await callMaster<{ lines: readonly string[] }>(basedir, 'chat', params)
  for (const answer of lines) print(answer)
}

/** Reads lines until the end, and prints meanwhile what the bot says by itself. */
async function talk(basedir: string): Promise<void> {
  const place = `${process.pid}-${Date.now()}`
  const isTerminal = process.stdin.isTTY === true
  const ready = Promise.withResolvers<void>()
  const over = new AbortController()
  let input: Interface | undefined
  /** Lines that were read before the end of the input are still answered; nothing is asked for then. */
  let isEnded = false
  const prompt = (again?: boolean) => {
    if (!isEnded) input?.prompt(again)
  }
  const onItem = (item: unknown) => {
    const { line } = item as { readonly line?: string } // what the method gives
    if (line === undefined) return ready.resolve()
    print(`${isTerminal ? '\r' : ''}${line}`)
    prompt(true)
  }
  const listening = callMaster(basedir, 'chat-listen', { place, who: whoAmI() }, onItem, over.signal)
  listening.catch((error: unknown) => {
    ready.reject(error)
    if (over.signal.aborted) return
    printError(error) // the master has gone
    process.exitCode = 1
    input?.close()
  })
  try {
    await ready.promise
    input = createInterface({ input: process.stdin, output: process.stdout, prompt: isTerminal ? '> ' : '' })
    input.once('close', () => {
      isEnded = true
    })
    prompt()
    for await (const line of input) {
      if (/^\s*(bye|quit|exit)\s*$/i.test(line)) return
      if (line.trim() !== '') await say(basedir, line, place)
      prompt()
    }
  } finally {
    over.abort(new Error('the talk is over'))
    input?.close()
  }
}
