import { durationMs, formatDuration } from 'boltbot/plugin-sdk'
import type { Call, ChatTools, Command } from '../command.ts'
import { wrongUsage } from '../errors.ts'
import type { Finder } from '../find.ts'
import { personOf, reasonOf } from '../order.ts'

/** What can be asked of slaves; each act passes the one guard, as `pause`. */
export function slaveCommands({ actions }: Pick<ChatTools, 'actions'>, find: Finder): readonly Command[] {
  async function ordered(call: Call, usage: string, words = call.words.slice(1)) {
    const slave = await find.slave(call.words[0], usage)
    return { slave, reason: reasonOf(words, call), ...personOf(call) }
  }

  async function away(call: Call): Promise<string> {
    const usage = 'away SLAVE DURATION [REASON], the duration as 90m, 2h or 3d'
    const ms = call.words[1] === undefined ? undefined : durationMs(call.words[1])
    if (ms === undefined || ms === 0) throw wrongUsage(usage)
    const order = await ordered(call, usage, call.words.slice(2))
    await actions.slaveAway({ ...order, ms }, call.asker.via)
    return `Slave ${order.slave} is not missing before ${formatDuration(ms)} are over.`
  }

  return [
    {
      name: 'pause',
      usage: 'SLAVE [REASON]',
      summary: 'gives a slave no builds until it is resumed',
      example: 'pause bot-linux the disk is being replaced',
      async run(call) {
        const order = await ordered(call, 'pause SLAVE [REASON]')
        await actions.pauseSlave(order, call.asker.via)
        return `Slave ${order.slave} is given no builds until it is resumed.`
      },
    },
    {
      name: 'resume',
      usage: 'SLAVE [REASON]',
      summary: 'gives a paused slave builds again',
      example: 'resume bot-linux',
      async run(call) {
        const order = await ordered(call, 'resume SLAVE [REASON]')
        await actions.resumeSlave(order, call.asker.via)
        return `Slave ${order.slave} is given builds again.`
      },
    },
    {
      name: 'graceful',
      usage: 'SLAVE [REASON]',
      summary: 'has a slave finish what it runs, and then exit',
      example: 'graceful bot-linux new kernel',
      async run(call) {
        const order = await ordered(call, 'graceful SLAVE [REASON]')
        await actions.releaseSlave(order, call.asker.via)
        return `Slave ${order.slave} exits when it has finished what it runs.`
      },
    },
    {
      name: 'away',
      usage: 'SLAVE DURATION [REASON]',
      summary: 'says that a slave will be away: nobody is told that it is missing meanwhile',
      example: 'away bot-linux 2h new disk',
      run: away,
    },
    {
      name: 'back',
      usage: 'SLAVE',
      summary: 'says that a slave is away no longer',
      example: 'back bot-linux',
      async run(call) {
        const order = await ordered(call, 'back SLAVE')
        await actions.slaveAway({ ...order, ms: 0 }, call.asker.via)
        return `Slave ${order.slave} is expected again.`
      },
    },
  ]
}
