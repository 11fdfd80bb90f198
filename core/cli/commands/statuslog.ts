import { type Command, Option } from 'commander'
import type { StoredEvent } from '../../store/store.ts'
import { callMaster } from '../control-client.ts'
import { badArgument } from '../errors.ts'
import { eventLine } from '../event-line.ts'
import { type LiveOptions, listCommand, wholeNumber } from '../live-command.ts'
import { print } from '../output.ts'
import { remoteProblem } from '../pb-client.ts'
import { createStatusTarget, remoteEventLines } from '../status-lines.ts'
import { connectStatusPort } from '../status-port.ts'
import { readUserOptions } from '../user-options.ts'

interface Options extends LiveOptions {
  readonly after?: number
  readonly master?: string
  readonly username?: string
  readonly passwd?: string
  readonly passwdFile?: string
  readonly mode: string
}

const MODES = ['builders', 'builds', 'steps', 'logs', 'full']
/** Seconds between two estimates. */
const INTERVAL = 60

export function statuslogCommand(): Command {
  return listCommand('statuslog', 'print what happens, a line each, until Ctrl-C', 'statuslog --json | jq .name')
    .option('--after <event>', 'from an event of the past on, by its id; default: from now on', wholeNumber)
    .option('-m, --master <host:port>', 'a master elsewhere: where its pbListener listens')
    .option('-u, --username <name>', 'what to log in with there; default statusClient')
    .option('--passwd <password>', 'the password there; asked for when left out')
    .option('--passwd-file <file>', 'a file with the password: others see what stands on a command line')
    .addOption(new Option('--mode <mode>', 'how much a master elsewhere tells').choices(MODES).default('steps'))
    .action(async (options: Options) => {
      if (options.master === undefined) return followHere(options)
      if (options.after !== undefined)
        throw badArgument('--after', `${options.after}`, 'left out: a master elsewhere tells what happens from now on')
      await followElsewhere(options)
    })
}

async function followHere({ basedir, json, after }: Options): Promise<void> {
  await callMaster(basedir, 'events', { ...(after !== undefined && { after }) }, (item) => {
    const event = item as StoredEvent // what the method gives
    print(json ? JSON.stringify(event) : eventLine(event))
  })
}

async function followElsewhere(options: Options): Promise<void> {
  const { username, json, mode } = options
  const saved = readUserOptions(process.cwd())
  using client = await connectStatusPort({ ...options, ...(username !== undefined && { user: username }) }, saved)
  const target = createStatusTarget((event) => {
    for (const line of json ? [JSON.stringify(event)] : remoteEventLines(event)) print(line)
  }, client.drop)
  try {
    await client.perspective.call('subscribe', [mode, INTERVAL, target])
    await client.lost
  } catch (error) {
    throw remoteProblem(client.master, error)
  }
}
