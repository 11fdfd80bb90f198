import { durationMs, formatDuration } from 'boltbot/plugin-sdk'
import type { Call, ChatTools, Command } from '../command.ts'
import { wrongUsage } from '../errors.ts'
import type { Finder } from '../find.ts'
import { personOf, reasonOf } from '../order.ts'

/** What can be asked of slaves; each act passes the one guard, as `pause`. */
export function slaveCommands({ actions }: Pick<ChatTools, 'actions'>, find: Finder): readonly Command[] {
  const order = async (call: Call, usage: string, why: readonly string[]) => ({
    slave: await find.slave(call.words[0], usage),
    reason: reasonOf(why, call),
    ...personOf(call),
  })
  type Order = Awaited<ReturnType<typeof order>>

  /** A command that is told a slave and a reason, and no more. `said`: what the slave does from now on. */
  function command(
    about: Pick<Command, 'name' | 'summary' | 'example'>,
    act: (order: Order, via: string) => Promise<unknown>,
    said: string,
  ): Command {
    const usage = 'SLAVE [REASON]'
    return {
      ...about,
      usage,
      async run(call) {
        const given = await order(call, `${about.name} ${usage}`, call.words.slice(1))
        await act(given, call.asker.via)
        return `Slave ${given.slave} ${said}.`
      },
    }
  }

  async function away(call: Call): Promise<string> {
    const usage = 'away SLAVE DURATION [REASON], the duration as 90m, 2h or 3d'
    const [slave, duration, ...why] = call.words
    const ms = duration === undefined ? undefined : durationMs(duration)
    if (slave === undefined || ms === undefined || ms === 0) throw wrongUsage(usage)
    const given = await order(call, usage, why)
    await actions.slaveAway({ ...given, ms }, call.asker.via)
    return `Slave ${given.slave} is not missing before ${formatDuration(ms)} are over.`
  }

  return [
    command(
      {
        name: 'pause',
        summary: 'gives a slave no builds until it is resumed',
        example: 'pause bot-linux the disk is being replaced',
      },
      actions.pauseSlave,
      'is given no builds until it is resumed',
    ),
    command(
      { name: 'resume', summary: 'gives a paused slave builds again', example: 'resume bot-linux' },
      actions.resumeSlave,
      'is given builds again',
    ),
    command(
      {
        name: 'graceful',
        summary: 'has a slave finish what it runs, and then exit',
        example: 'graceful bot-linux new kernel',
      },
      actions.releaseSlave,
      'exits when it has finished what it runs',
    ),
    {
      name: 'away',
      usage: 'SLAVE DURATION [REASON]',
      summary: 'says that a slave will be away: nobody is told that it is missing meanwhile',
      example: 'away bot-linux 2h new disk',
      run: away,
    },
    command(
      { name: 'back', summary: 'says that a slave is away no longer', example: 'back bot-linux' },
      (given, via) => actions.slaveAway({ ...given, ms: 0 }, via),
      'is expected again',
    ),
  ]
}
