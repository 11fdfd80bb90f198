import type { ChatSpeaker, Clock } from 'boltbot/plugin-sdk'
import type { Client, Message } from './client.ts'
import type { Members } from './members.ts'
import { accountIn, whois } from './whois.ts'

export interface SpeakerDeps {
  readonly client: Client
  readonly clock: Clock
  readonly members: Members
  /** Put behind every proof, so that an account of one network proves nothing on another. */
  readonly network: string
  /** True where it is the only network: proofs without its name hold too. */
  readonly isOnly: boolean
  /** Channels whose status counts. */
  readonly channels: () => readonly string[]
}

/** Who said it, by what the server vouches for: the services account, the host, the status in channels. Never by the nick. */
export async function speakerOf(message: Message, deps: SpeakerDeps): Promise<ChatSpeaker> {
  const { members, network, isOnly } = deps
  const { nick, ident, hostname } = message
  const account = await accountOf(deps, message)
  const status = deps
    .channels()
    .flatMap((channel) => members.statusOf(channel, nick).map((kind) => `${kind}:${channel}`))
  const proofs = [...(account === undefined ? [] : [`account:${account}`]), ...status]
  const qualified = proofs.map((proof) => `${proof}@${network}`)
  return {
    name: nick,
    who: account ?? `${nick}!${ident}@${hostname}`,
    proofs: [...(isOnly ? proofs : []), ...qualified, `host:${ident}@${hostname}`],
  }
}

/** `account:jane@libera` is `account:jane` on libera, and nobody elsewhere; without a network it is of the only one. */
export function identityHere(
  identity: string,
  { network, isOnly }: Pick<SpeakerDeps, 'network' | 'isOnly'>,
): string | undefined {
  if (!/^(account|nick):/.test(identity)) return identity
  if (identity.endsWith(`@${network}`)) return identity.slice(0, -network.length - 1)
  return isOnly && !identity.includes('@') ? identity : undefined
}

/** As the server tagged the line; where servers do not tag, it is asked. */
async function accountOf(
  { client, clock }: SpeakerDeps,
  { nick, ident, hostname, account }: Message,
): Promise<string | undefined> {
  if (client.network.cap.isEnabled('account-tag')) return accountIn(account)
  const answer = await whois(client, clock, nick)
  // Without an answer nothing is proved, and somebody else may have the nick by now.
  const isSame = answer?.ident === ident && answer.hostname === hostname
  return isSame ? accountIn(answer.account) : undefined
}
