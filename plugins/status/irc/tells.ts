import type { Onlooker, PastBuild } from 'boltbot/plugin-sdk'
import type { Bot } from './options.ts'
import { newsFor } from './subscribers.ts'

/** What channels of the config would have been told of a finished build. What people turned on or off there is not known here. */
export async function tellsOf(looker: Onlooker, { networks }: Bot, past: PastBuild): Promise<readonly string[]> {
  const lines: string[] = []
  for (const { name, channels } of networks) {
    for (const channel of channels) {
      const line = await looker.chatNews(past, channel)
      if (line !== null) lines.push(`${name} ${channel.name}: ${line}`)
    }
  }
  const { to, text } = await newsFor(looker, past.event)
  return [...lines, ...to.map((who) => `${who}, in private: ${text}`)]
}
