import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { until } from 'boltbot/plugin-sdk/testing'
import type { PluginStatus } from '../../core/host/plugin-scope.ts'
import { configText } from './rig/config.ts'
import { reservePort } from './rig/ports.ts'
import { runBoltbot } from './rig/processes.ts'
import { story } from './rig.ts'

/** A durable plugin in a file beside the config: writes down each request, with its own version. */
const teller = (version: string, more = '') => `
import { appendFile } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { definePlugin } from 'boltbot/plugin-sdk'
import { note } from './note.ts'

export const teller = definePlugin({
  name: 'teller', kind: 'status', durable: true,
  apply(host, { file, hold }: { file: string, hold: string }) {
    host.tap('requestQueued', async ({ eventId }, { signal }) => {
      while ('${version}' === 'v1' && existsSync(hold)) await host.clock.sleep(20, signal)
      await appendFile(file, note('${version}', eventId))
    })
  },
  ${more}
})
`
const note = (mark: string) =>
  `export const note = (version: string, event: number) => \`${mark}\${version} \${event}\\n\`\n`

for (const isolation of ['none', 'worker']) {
  story(
    `a plugin's new code takes over without losing an event, and one that does not start leaves the old one; isolation ${isolation}`,
    async (world) => {
      const [file, hold] = [world.file('told'), world.file('hold')]
      const port = await reservePort()
      const config = (more = '') =>
        configText({
          slavePort: port,
          imports: `import { teller } from './teller.ts'`,
          steps: `shellCommand({ command: ['true'] })`,
          status: `teller(${JSON.stringify({ file, hold, isolation })}),`,
          builderOptions: 'mergeRequests: false,',
          masterOptions: more,
        })
      const master = await world.master(config(), { files: { 'teller.ts': teller('v1'), 'note.ts': note('') } })
      const write = (name: string, text: string) => writeFile(join(master.basedir, name), text)
      const force = () => master.call('force', { builder: 'full', who: 'joe', reason: 'x' })
      const reconfig = () => runBoltbot(['reconfig', master.basedir])
      const told = () => (existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n') : [])
      const eventIds = () => master.events('requestQueued').map(({ eventId }) => eventId)
      const toldLines = (count: number) =>
        until(() => told().length >= count, { what: `${count} lines`, seen: () => told().join(', ') })

      await force()
      await force()
      await toldLines(2)
      await writeFile(hold, '')
      for (let i = 0; i < 3; i++) await force() // one in the hands of the old version, two behind it

      // Both files at once, as an editor of both would.
      await write('teller.ts', teller('v2'))
      await write('master.cfg.ts', config('properties: { edition: 2 },'))
      const swapped = reconfig()
      await force()
      const { code, stdout, stderr } = await swapped
      assert.equal(code, 0, stderr)
      assert.match(stdout, /plugin "teller" restarted: its code changed/)
      await force()
      await toldLines(7)
      await rm(hold)
      const expected = () => eventIds().map((id, i) => `${i < 2 ? 'v1' : 'v2'} ${id}`)
      assert.deepEqual(
        told(),
        expected(),
        'the event in the hands of the old one was given up at the deadline, and told by the new one',
      )

      await write('teller.ts', teller('v3', `start() { throw new Error('v3 cannot start') },`))
      const refused = await reconfig()
      assert.equal(refused.code, 1)
      assert.match(refused.stdout, /Nothing of this is in force, the old config stays:\n$/)
      assert.match(refused.stderr, /v3 cannot start\. It was thrown at .*teller\.ts:\d+:\d+\)\./)
      await force()
      await toldLines(8)
      assert.deepEqual(told(), expected(), 'the old one goes on')
      const [status] = (await master.call<readonly PluginStatus[]>('plugins')).filter(({ id }) => id === 'teller')
      assert.deepEqual([status!.state, status!.isolation, status!.suspended], ['running', isolation, false])

      // What a plugin imports is its code as well.
      await write('teller.ts', teller('v2'))
      await write('note.ts', note('new '))
      assert.match((await reconfig()).stdout, /plugin "teller" restarted: its code changed/)
      await force()
      await toldLines(9)
      assert.equal(told().at(-1), `new v2 ${eventIds().at(-1)}`)
    },
  )
}
