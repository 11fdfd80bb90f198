import { createHash } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { WebSocket } from 'ws'
import { isPackedMap, MAX_MESSAGE, type Message, type Packed } from '../../wire/msgpack/envelope.ts'
import { createPeer, type Peer, PeerError, textIn } from '../../wire/msgpack/peer.ts'
import { backOff, type Info } from '../connector.ts'
import type { SlaveLog } from '../log.ts'
import { reasonOf } from '../problem.ts'
import { killMarked } from '../processes.ts'
import { COMMANDS, isKnown } from './command-of.ts'
import { type RunningCommand, runForMaster, type Surroundings } from './running.ts'

export interface BuildbotWorkerDeps {
  readonly url: string
  readonly name: string
  readonly password: () => Promise<string>
  readonly maxdelay: number
  readonly random: () => number
  readonly log: SlaveLog
  readonly info: () => Promise<Pick<Info, 'admin' | 'host' | 'program'>>
  /** `directory`: the base directory. */
  readonly surroundings: Omit<Surroundings, 'mark'>
  /** The master told it to exit. */
  readonly shutdown: () => void
}

/** Our agent as a worker of a Buildbot master. Such a master takes up nothing after a broken link, so commands end with it. */
export interface BuildbotWorker {
  start(): void
  stop(reason: string): Promise<void>
}

const PATIENCE_MS = 30_000

export function createBuildbotWorker(deps: BuildbotWorkerDeps): BuildbotWorker {
  const { url, name, log } = deps
  const { clock, directory } = deps.surroundings
  const mark = createHash('sha256').update(directory).digest('hex').slice(0, 16)
  const running = new Map<string, RunningCommand>()
  let attempt = 0
  let stopped = false
  let waiting: Disposable | undefined
  let current: WebSocket | undefined

  async function dial(): Promise<void> {
    const password = await deps.password()
    if (stopped) return
    const socket = new WebSocket(url, {
      perMessageDeflate: false,
      maxPayload: MAX_MESSAGE,
      handshakeTimeout: PATIENCE_MS,
      headers: { authorization: `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}` },
    })
    socket.binaryType = 'nodebuffer'
    current = socket
    let problem: string | undefined
    const peer: Peer = createPeer({
      send: (bytes) => socket.readyState === WebSocket.OPEN && socket.send(bytes),
      handle: (message) => handle(message, peer),
      trouble: (op, error) => log.error('call of the master failed', { op, error }),
    })
    socket.on('open', () => {
      attempt = 0
      log.info('linked to the master', { url })
    })
    socket.on('message', (data) => {
      try {
        peer.receive(data as Buffer) // binaryType: one buffer each
      } catch (error) {
        problem ??= reasonOf(error)
        socket.terminate()
      }
    })
    socket.on('error', (error) => {
      problem ??= error.message
    })
    socket.on('close', (code) => {
      const reason = problem ?? `the link was closed (${code})`
      peer.lost(new Error(reason))
      for (const command of running.values())
        command.end({ cause: 'interrupted', reason: 'the link to the master is lost' })
      if (stopped) return
      const delay = backOff(attempt++, deps.maxdelay, deps.random)
      log.warn('no link to the master', { url, reason, retryMs: Math.round(delay) })
      waiting = clock.timer(delay, () => void again())
    })
  }

  async function again(): Promise<void> {
    await dial().catch((error: unknown) => {
      log.error('cannot dial the master', { url, error })
      waiting = clock.timer(deps.maxdelay, () => void again())
    })
  }

  async function handle(message: Message, peer: Peer): Promise<Packed> {
    switch (message.op) {
      case 'print':
        log.info('message of the master', { text: textIn(message.message).slice(0, 1000) })
        return null
      case 'keepalive':
      case 'set_worker_settings': // output goes as it comes, in whole lines
        return null
      case 'get_worker_info':
        return await workerInfo()
      case 'start_command':
        return start(message, peer)
      case 'interrupt_command':
        running
          .get(textIn(message.command_id))
          ?.end({ cause: 'interrupted', reason: `interrupted: ${textIn(message.why)}` })
        return null
      case 'shutdown':
        clock.timer(200, deps.shutdown) // after the answer
        return null
      default:
        throw new PeerError(`Command ${message.op} does not exist.`)
    }
  }

  async function workerInfo(): Promise<Packed> {
    const { admin, host, program } = await deps.info()
    const { HOME = '', PATH = '' } = deps.surroundings.environment
    return {
      ...(admin !== null && { admin }),
      ...(host !== null && { host }),
      version: program ?? 'boltbot',
      system: 'posix',
      basedir: directory,
      numcpus: availableParallelism(),
      environ: { HOME, PATH },
      worker_commands: COMMANDS,
      delete_leftover_dirs: false,
    }
  }

  function start(message: Message, peer: Peer): null {
    const id = textIn(message.command_id)
    const command = textIn(message.command_name)
    if (!isKnown(command) || !isPackedMap(message.args))
      throw new PeerError(`(command ${id}): unrecognized WorkerCommand '${command}'`)
    const surroundings = { ...deps.surroundings, mark: `${mark}/${id}/` }
    const mine = runForMaster(peer, id, command, message.args, surroundings)
    running.set(id, mine)
    void mine.ended.then(() => running.delete(id))
    return null
  }

  return {
    start: () => void again(),
    async stop(reason) {
      stopped = true
      waiting?.[Symbol.dispose]()
      current?.terminate()
      const ends = [...running.values()]
      for (const command of ends) command.end({ cause: 'interrupted', reason: `the slave is stopped: ${reason}` })
      await Promise.all(ends.map(({ ended }) => ended))
      await killMarked(`${mark}/`)
    },
  }
}
