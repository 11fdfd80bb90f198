import type { Stage } from '../../stage.ts'
import { listNames } from '../../suggest.ts'
import { misused } from '../errors.ts'
import { connectIrc, type IrcConnection } from './irc-network.ts'
import { parseMail, type RigMail } from './mails.ts'

/** The IRC networks of a rig. People in them are logged in: the account of `jane` is `jane`. */
export interface RigIrc {
  /**
   * What the bot said, oldest first: in a channel (`#hello`), or to somebody in private (`jane`). It says four lines at once and then one
   * each 2 s of the clock, unless its `lineRate` is another.
   */
  lines(where: string): readonly string[]
  /**
   * Somebody says a line in a channel, or in private to the bot when `where` is their own nick. Resolves with what the bot said there in
   * answer, as far as the clock let it. @throws CiError `BOLT_TESTING_MISUSED` when no bot is there.
   * @example const answer = await rig.irc.say('#hello', 'jane', 'hellobot: status full')
   */
  say(where: string, who: string, text: string): Promise<readonly string[]>
}

/** The world outside of a rig, over all lives of its master. */
export interface RigStage {
  readonly stage: Stage
  readonly mails: readonly RigMail[]
  readonly took: (mail: RigMail) => void
  readonly irc: RigIrc
  /** Resolves when nothing is being composed or read. */
  settled(): Promise<void>
  /** The master is dead, and with it its connections. */
  kill(): void
}

export function createRigStage(settle: () => Promise<void>): RigStage {
  const mails: RigMail[] = []
  const pending = new Set<Promise<unknown>>()
  const said = new Map<string, string[]>()
  let connections: IrcConnection[] = []

  const linesOf = (where: string) => {
    const key = where.toLowerCase()
    if (!said.has(key)) said.set(key, [])
    return said.get(key)!
  }
  const stage: Stage = {
    mail(mail) {
      const arrived = mail.then(async (staged) => void mails.push(...(await parseMail(staged))))
      pending.add(arrived)
      const over = () => void pending.delete(arrived)
      arrived.then(over, over)
      return arrived
    },
    irc(network, events) {
      const connection = connectIrc(network, events, (target, text) => void linesOf(target).push(text))
      connections.push(connection)
      return connection
    },
  }
  return {
    stage,
    mails,
    took: (mail) => void mails.push(mail),
    irc: {
      lines: (where) => [...linesOf(where)],
      async say(where, who, text) {
        await settle()
        const isChannel = where.startsWith('#')
        const there = connections.find(({ nick, channels }) =>
          isChannel ? channels.has(where.toLowerCase()) : nick !== undefined,
        )
        if (there?.nick === undefined) {
          const known = connections.flatMap(({ channels }) => [...channels])
          throw misused(
            'rig',
            `was to hear somebody in "${where}", where no bot is; there is one in ${listNames(known)}`,
          )
        }
        const before = linesOf(where).length
        there.says(who, isChannel ? where : there.nick, text)
        await settle()
        return linesOf(where).slice(before)
      },
    },
    async settled() {
      while (pending.size > 0) await Promise.allSettled(pending)
    },
    kill() {
      for (const connection of connections) connection.kill()
      connections = []
    },
  }
}
