// Many scripted stock workers in one process: `PORT COUNT`.
import { connect } from 'node:net'
import { createBroker } from '../wire/pb/broker.ts'
import { logIn } from '../wire/pb/login.ts'
import { itemsOf } from '../wire/pb/plain.ts'
import { Referenceable, type Value } from '../wire/pb/values.ts'

const [port, count] = process.argv.slice(2).map(Number)
for (let number = 0; number < count!; number++) startWorker(`bot-${number}`)

function startWorker(name: string): void {
  const socket = connect(port!, '127.0.0.1')
  const broker = createBroker({
    role: 'client',
    send: (bytes) => void socket.write(bytes),
    broken: () => socket.destroy(),
    trouble: () => {},
  })
  socket.on('data', (bytes) => broker.receive(bytes as Buffer))
  socket.on('error', () => {}) // told by `close`
  socket.on('close', () => {
    broker.lost(new Error('closed'))
    setTimeout(() => startWorker(name), 100)
  })
  const builder = new Referenceable({ startBuild: () => null })
  const mind = new Referenceable({
    print: () => null,
    getWorkerInfo: () =>
      new Map<Value, Value>([
        ['basedir', '/srv/bot'],
        ['system', 'posix'],
        ['version', '3.7.0'],
        ['worker_commands', new Map<Value, Value>([['shell', '3.1']])],
      ]),
    setBuilderList: ([list]) => new Map(itemsOf(list).map((pair) => [itemsOf(pair)[0]!, builder])),
  })
  logIn(broker, name, 'x', mind).catch(() => {}) // the master is stopped
}
