import { type ChildProcess, spawn } from 'node:child_process'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { createBroker } from '../../../wire/pb/broker.ts'
import { logIn } from '../../../wire/pb/login.ts'
import { itemsOf } from '../../../wire/pb/plain.ts'
import { type Dictionary, Referenceable, type RemoteReference, type Value } from '../../../wire/pb/values.ts'

/** A stock worker as far as it runs commands: each as a process of this machine. Disposing it ends them and its link. */
export function startShellWorker(port: number, name: string, password: string): Disposable {
  const socket = connect(port, '127.0.0.1')
  const broker = createBroker({
    role: 'client',
    send: (bytes) => void socket.write(bytes),
    broken: (reason) => socket.destroy(new Error(reason)),
    trouble: () => {},
  })
  const running = new Map<unknown, ChildProcess>()
  const endAll = () => {
    for (const child of running.values()) child.kill('SIGKILL')
  }
  socket.on('data', (bytes) => broker.receive(bytes as Buffer)) // no encoding was set
  socket.on('close', () => {
    endAll()
    broker.lost(new Error('closed'))
  })
  socket.on('error', () => {})
  const builder = new Referenceable({
    startBuild: () => null,
    interruptCommand([number]) {
      running.get(number)?.kill('SIGKILL')
      return null
    },
    startCommand([command, number, what, args]) {
      if (what !== 'shell') throw new Error(`it knows no ${String(what)}`)
      running.set(
        number,
        runShell(command as RemoteReference, args as Dictionary, () => running.delete(number)),
      )
      return null
    },
  })
  const mind = new Referenceable({
    print: () => null,
    getWorkerInfo: () =>
      new Map<Value, Value>([
        ['basedir', tmpdir()],
        ['system', 'posix'],
        ['version', '3.7.0'],
        ['worker_commands', new Map<Value, Value>([['shell', '3.1']])],
      ]),
    setBuilderList: ([list]) => new Map(itemsOf(list).map((pair) => [itemsOf(pair)[0]!, builder])),
  })
  logIn(broker, name, password, mind).catch(() => {}) // the master says so
  return { [Symbol.dispose]: () => socket.destroy() }
}

function runShell(command: RemoteReference, args: Dictionary, ended: () => void): ChildProcess {
  const given = args.get('command')
  const [program, ...words] = typeof given === 'string' ? ['/bin/sh', '-c', given] : itemsOf(given).map(String)
  const child = spawn(program!, words, { stdio: ['ignore', 'pipe', 'pipe'] })
  let updates = 0
  const update = (what: string, value: Value) =>
    void command.call('update', [[[new Map<Value, Value>([[what, value]]), updates++]]]).catch(() => {}) // the link is gone
  child.stdout.on('data', (text) => update('stdout', String(text)))
  child.stderr.on('data', (text) => update('stderr', String(text)))
  child.on('error', (error) => update('header', `${error.message}\n`))
  child.on('close', (code) => {
    ended()
    update('rc', code ?? -1)
    command.call('complete', [null]).catch(() => {}) // as above
  })
  return child
}
