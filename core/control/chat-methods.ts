import type { Chat } from 'boltbot/plugin-sdk'
import { z } from 'zod'
import type { Master } from '../master-api.ts'
import { controlBadParams } from './errors.ts'
import type { ControlMethod } from './server.ts'

const said = z.object({ who: z.string().min(1), text: z.string().min(1), place: z.string().optional() })
const listening = z.object({ place: z.string().regex(/^[\w-]{1,64}$/), who: z.string().min(1).optional() })

/** Lines that wait for a terminal that does not read; older ones go first. */
const MOST_WAITING = 1000
/** Of an answer: a terminal scrolls. */
const MOST_LINES = 1000

/**
 * The chat bot over the control socket. `chat` answers one line. With a `place` it belongs to a talk: `chat-listen` of the same place,
 * on another connection, gives what is said in it later.
 */
export function createChatMethods(master: Pick<Master, 'openChat'>): Readonly<Record<string, ControlMethod>> {
  const talks = new Map<string, { readonly chat: Chat; readonly say: (line: string) => void }>()
  return {
    async chat(params) {
      const given = said.safeParse(params)
      if (!given.success) throw controlBadParams('chat', 'who and text must be text that is not empty')
      const { who, text, place } = given.data
      const speaker = { name: who, who }
      const talk = place === undefined ? undefined : talks.get(place)
      const lines: string[] = []
      let answered = false
      const reply = (line: string) => (answered ? talk?.say(`${who}: ${line}`) : void lines.push(line))
      if (talk) await talk.chat.hear({ speaker, text, reply })
      else {
        using chat = master.openChat({ id: 'cli', via: 'cli', stays: false, mostLines: MOST_LINES, announce: () => {} })
        await chat.hear({ speaker, text, reply })
      }
      answered = true
      return { lines }
    },
    async *'chat-listen'(params, { signal }) {
      const given = listening.safeParse(params)
      if (!given.success) throw controlBadParams('chat-listen', 'place must be a word')
      const { place, who = 'nobody' } = given.data
      const waiting: string[] = []
      let wake = () => {}
      const say = (line: string) => {
        waiting.push(line)
        if (waiting.length > MOST_WAITING) waiting.shift()
        wake()
      }
      signal.addEventListener('abort', () => wake(), { once: true })
      using chat = master.openChat({
        id: `cli/${who}`,
        via: 'cli',
        personal: true,
        mostLines: MOST_LINES,
        announce: say,
      }) // what is set is kept for the next talk
      talks.set(place, { chat, say })
      try {
        yield { open: true }
        while (!signal.aborted) {
          const line = waiting.shift()
          if (line !== undefined) yield { line }
          else await new Promise<void>((resolve) => (wake = resolve))
        }
      } finally {
        talks.delete(place)
      }
    },
  }
}
