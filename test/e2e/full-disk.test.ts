import assert from 'node:assert/strict'
import { mkdir, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createSmallDisk } from '../core/store/small-disk.ts'
import { configText } from './rig/config.ts'
import { reservePort } from './rig/ports.ts'
import { story } from './rig.ts'

story(
  'a disk that gets full while a build logs ends the build with the reason, and the master lives on',
  async (world, t) => {
    const disk = await createSmallDisk(t, 8)
    if (disk === undefined) return
    world.use(disk)
    const ballast = join(disk.path, 'ballast')
    await writeFile(ballast, Buffer.alloc(6 * 1024 * 1024))
    const port = await reservePort()
    const print = `process.stdout.write('0123456789abcde\\n'.repeat(200_000))` // 3.2 MB
    const master = await world.master(
      configText({
        slavePort: port,
        steps: `shellCommand({ name: 'print', command: ['node', '-e', ${JSON.stringify(print)}] })`,
      }),
      {
        async prepare(basedir) {
          await mkdir(join(disk.path, 'logs'))
          await rm(join(basedir, 'logs'), { recursive: true, force: true })
          await symlink(join(disk.path, 'logs'), join(basedir, 'logs'))
        },
      },
    )
    await world.slave('bot-1', port)
    await master.event('slaveConnected')
    const force = (reason: string) => master.call('force', { builder: 'full', who: 'joe', reason })
    await force('to fill it')
    const full = await master.finished(0)
    assert.equal(full.result, 'exception')
    const { steps, text } = await master.build(0)
    assert.match([...text, steps[0]?.text].join(' '), /no space|ENOSPC|disk .*full/i)
    assert.equal(master.isGone(), false)

    await rm(ballast)
    await force('with room again')
    assert.equal((await master.finished(1)).result, 'success')
    assert.equal((await master.log(1, 'print')).length, 3_200_000)
  },
)
