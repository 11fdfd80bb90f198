import { builder, buildFactory, type Chat, type ChatPlace, slave } from 'boltbot/plugin-sdk'
import { each, sh } from '../../rig/parts.ts'
import { createRig, type Rig, type RigOptions } from '../../rig/rig.ts'

/** Two builders on two slaves; `full` asks for `make`, `docs` is of another category. */
export const chatConfig = (over: Partial<RigOptions> = {}): RigOptions => ({
  slaves: [slave({ name: 'bot-1', password: 'x' }), slave({ name: 'bot-2', password: 'x' })],
  builders: [
    builder({ name: 'full', slaves: ['bot-1'], category: 'active', factory: buildFactory([sh({ command: 'make' })]) }),
    builder({ name: 'docs', slaves: ['bot-2'], category: 'slow', factory: buildFactory([sh({ command: 'tex' })]) }),
  ],
  schedulers: [each({ builders: ['full'] })],
  ...over,
})

export interface ChatRig extends AsyncDisposable {
  readonly rig: Rig
  readonly chat: Chat
  /** All that was said in the place, answers and news. */
  readonly said: string[]
  /** Says a line as jane and gives the answer. */
  ask(text: string, who?: string): Promise<string>
  /** What was said since it was last looked at. */
  news(): Promise<readonly string[]>
}

/** A whole master with one open place. */
export async function createChatRig(
  options: RigOptions = chatConfig(),
  place: Partial<ChatPlace> = {},
): Promise<ChatRig> {
  const rig = await createRig(options)
  return openPlace(rig, place)
}

export function openPlace(rig: Rig, place: Partial<ChatPlace> = {}): ChatRig {
  const said: string[] = []
  let looked = 0
  const chat = rig.master.openChat({
    id: 'test/#hello',
    via: 'test',
    announce: (text) => void said.push(text),
    ...place,
  })
  return {
    rig,
    chat,
    said,
    async ask(text, who = 'jane') {
      const before = said.length
      await chat.hear({ speaker: { name: who, who }, text, reply: (line) => void said.push(`${who}: ${line}`) })
      looked = said.length
      return said
        .slice(before)
        .map((line) => (line.startsWith(`${who}: `) ? line.slice(who.length + 2) : line))
        .join('\n')
    },
    async news() {
      await rig.settle()
      const fresh = said.slice(looked)
      looked = said.length
      return fresh
    },
    [Symbol.asyncDispose]: () => rig[Symbol.asyncDispose](),
  }
}
