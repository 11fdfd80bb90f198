import type { Client } from './client.ts'

/** Who has which status in the channels the bot is in: what the server said, from the list at the join on. */
export interface Members {
  /** `op`, `voice`: of a member. */
  statusOf(channel: string, nick: string): readonly ('op' | 'voice')[]
  /** In one of the channels. */
  has(nick: string): boolean
}

export function watchMembers(client: Client): Members {
  const channels = new Map<string, Map<string, Set<string>>>()
  const lower = (text: string) => client.caseLower(text)
  const of = (channel: string) => channels.get(lower(channel))
  client.on('userlist', ({ channel, users }) => {
    channels.set(lower(channel), new Map(users.map(({ nick, modes }) => [lower(nick), new Set(modes)])))
  })
  client.on('join', ({ channel, nick }) => {
    if (client.caseCompare(nick, client.user.nick)) channels.set(lower(channel), new Map())
    of(channel)?.set(lower(nick), new Set())
  })
  const gone = (channel: string, nick: string) => {
    // Of a channel that the bot is not in nothing is known any more.
    if (client.caseCompare(nick, client.user.nick)) channels.delete(lower(channel))
    else of(channel)?.delete(lower(nick))
  }
  client.on('part', ({ channel, nick }) => gone(channel, nick))
  client.on('kick', ({ channel, kicked }) => gone(channel, kicked))
  client.on('quit', ({ nick }) => {
    for (const members of channels.values()) members.delete(lower(nick))
  })
  client.on('nick', ({ nick, new_nick }) => {
    for (const members of channels.values()) {
      const modes = members.get(lower(nick))
      members.delete(lower(nick))
      if (modes) members.set(lower(new_nick), modes)
    }
  })
  client.on('mode', ({ target, modes }) => {
    for (const { mode, param } of modes) {
      const member = param ? of(target)?.get(lower(param)) : undefined
      if (mode.startsWith('+')) member?.add(mode.slice(1))
      else member?.delete(mode.slice(1))
    }
  })
  return {
    has: (nick) => channels.values().some((members) => members.has(lower(nick))),
    statusOf(channel, nick) {
      const modes = of(channel)?.get(lower(nick)) ?? new Set()
      const isOp = ['q', 'a', 'o'].some((mode) => modes.has(mode))
      return [...(isOp ? (['op'] as const) : []), ...(modes.has('v') || isOp ? (['voice'] as const) : [])]
    },
  }
}
