import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { until } from 'boltbot/plugin-sdk/testing'
import { configText } from './rig/config.ts'
import { reservePort } from './rig/ports.ts'
import { runBoltbot } from './rig/processes.ts'
import { story } from './rig.ts'

story(
  'a plugin in the config folder is used, and changed while a build runs, and a bad change is refused',
  async (world) => {
    const port = await reservePort()
    const lit = world.file('lit')
    const wait = `
    const { existsSync, writeFileSync } = require('node:fs')
    writeFileSync(process.argv[1], '')
    const timer = setInterval(() => { if (existsSync(process.argv[2])) clearInterval(timer) }, 20)`
    const command = ['node', '-e', wait, world.file('began'), world.file('go')]
    const config = (options: string) =>
      configText({
        slavePort: port,
        imports: `import { lamp } from './lamp.ts'`,
        steps: `shellCommand({ name: 'wait', command: ${JSON.stringify(command)} })`,
        status: `lamp({ file: ${JSON.stringify(lit)}${options} }),`,
      })
    const master = await world.master(config(''), { files: { 'lamp.ts': lamp('first') } })
    await world.slave('bot-1', port)
    await master.event('slaveConnected')
    const force = (reason: string) => master.call('force', { builder: 'full', who: 'joe', reason })
    const reconfig = () => runBoltbot(['reconfig', master.basedir])

    await force('to be under way')
    await until(() => existsSync(world.file('began')), { what: 'the command to begin', deadline: 20_000 })
    await writeFile(join(master.basedir, 'lamp.ts'), lamp('second'))
    const changed = await reconfig()
    assert.equal(changed.code, 0, changed.stderr)
    assert.match(changed.stdout, /lamp/)
    const inForce = () => master.events('configApplied').length

    const applied = inForce()
    const refused = async (config_: string, plugin: string, complaint: RegExp) => {
      await master.writeConfig(config_)
      await writeFile(join(master.basedir, 'lamp.ts'), plugin)
      const { code, stderr } = await reconfig()
      assert.equal(code, 1, 'a bad config was taken')
      assert.match(stderr, complaint)
      assert.equal(inForce(), applied)
    }
    await refused(config(`, colour: 'red'`), lamp('third'), /colour/)
    await refused(config(''), `${lamp('third')}\nthrow new Error('lamp is broken')\n`, /lamp is broken/)
    const mistaken = lamp('third').replace("'buildFinished'", "'buildFinish' as never")
    await refused(
      config(''),
      mistaken,
      /has a problem\. \S*\/lamp\.ts:10:10: status\[1\] "lamp": Plugin "lamp" taps "buildFinish", which is no hook\. Did you mean "buildFinished"\?$/m,
    )

    await writeFile(world.file('go'), '')
    assert.equal((await master.finished(0)).result, 'success')
    assert.equal(master.events('slaveLost').length, 0)
    await until(() => existsSync(lit), { what: 'the lamp', deadline: 10_000 })
    assert.equal(await readFile(lit, 'utf8'), 'second: full #0 success\n')
  },
)

/** A plugin as a user would write it. */
const lamp = (text: string) => `
import { appendFile } from 'node:fs/promises'
import { definePlugin } from 'boltbot/plugin-sdk'
import { z } from ${JSON.stringify(import.meta.resolve('zod'))}

export const lamp = definePlugin({
  name: 'lamp', kind: 'status',
  schema: z.strictObject({ file: z.string() }),
  apply(host, options) {
    host.tap('buildFinished', async ({ builder, number, result }) => {
      await appendFile(options.file, \`${text}: \${builder} #\${number} \${result}\\n\`)
    })
  },
})
`
