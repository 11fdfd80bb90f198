import assert from 'node:assert/strict'
import { resolve } from 'node:path'
import { until } from 'boltbot/plugin-sdk/testing'
import { configText } from './rig/config.ts'
import { reservePort } from './rig/ports.ts'
import { startBoltbot } from './rig/processes.ts'
import { story } from './rig.ts'

const pty = await import('@lydell/node-pty').catch(() => undefined)
const BIN = resolve(import.meta.dirname, '../../core/cli/boltbot.js')

/** A terminal as wide as we like, with what is on it. */
function openTerminal(args: readonly string[]) {
  const size = { cols: 100, rows: 20 }
  const child = pty!.spawn(process.execPath, ['--disable-warning=ExperimentalWarning', BIN, ...args], {
    ...size,
    name: 'xterm-256color',
  })
  let raw = ''
  const lines = Array<string>(size.rows).fill('')
  child.onData((data) => {
    raw += data
    for (const part of raw.split('\u001b[').reduce<Write[]>(toWrites, [])) lines[part.row - 1] = part.text
  })
  const exited = new Promise<number>((done) => child.onExit(({ exitCode }) => done(exitCode)))
  return {
    type: (text: string) => child.write(text),
    raw: () => raw,
    exited,
    shows: (pattern: RegExp) =>
      until(() => pattern.test(lines.join('\n')), { what: `${pattern} on the screen`, seen: () => lines.join('\n') }),
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await exited
    },
  }
}

interface Write {
  readonly row: number
  text: string
}

/** What was written where: a line begins with the place of the cursor, colours are left out. */
function toWrites(writes: Write[], part: string): Write[] {
  const place = /^(\d+);1H/.exec(part)
  if (place) writes.push({ row: Number(place[1]), text: '' })
  else if (writes.length > 0) writes.at(-1)!.text += part.replace(/^[?\d;]*[A-Za-z]/, '')
  return writes
}

story('the dashboard shows what happens, and forces, stops and opens logs by keys', async (world, t) => {
  if (pty === undefined) return t.skip('node-pty is not installed')
  const port = await reservePort()
  const command = ['node', '-e', "console.log('hello from the build'); setTimeout(() => {}, 60_000)"]
  const steps = `shellCommand({ name: 'wait', command: ${JSON.stringify(command)} })`
  const master = await world.master(configText({ slavePort: port, steps }))
  const log = world.use(
    startBoltbot({ name: 'statuslog', args: ['statuslog', '--basedir', master.basedir, '--after', '0'] }),
  )
  await using terminal = openTerminal(['watch', '--basedir', master.basedir])
  await terminal.shows(/▸ .*full .*(no slave is here|not built yet)/)
  await world.slave('bot-1', port)
  await terminal.shows(/bot-1 +idle/)

  terminal.type('f')
  await terminal.shows(/Build full; why\?/)
  terminal.type('just because\r')
  await terminal.shows(/#0 [\s\S]*bot-1 +building, 1/)
  assert.equal((await master.build(0)).reason, 'just because')
  terminal.type('l')
  await terminal.shows(/hello from the build/)
  terminal.type('q')
  await terminal.shows(/↑↓ choose/)
  terminal.type('s')
  await terminal.shows(/Stop full #0\? y\/n/)
  terminal.type('y')
  assert.equal((await master.finished(0)).result, 'cancelled')
  await terminal.shows(/bot-1 +idle/)
  terminal.type('q')
  assert.equal(await terminal.exited, 0)
  assert.ok(terminal.raw().endsWith('\u001b[?25h\u001b[?1049l'), 'the terminal is not given back as it was')
  await log.line(/buildStarted {2}full\/0 {2}on bot-1: just because/)
  await log.line(/buildFinished {2}full\/0 {2}cancelled/)
})
