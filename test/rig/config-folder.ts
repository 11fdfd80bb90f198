import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export interface ConfigFolder extends AsyncDisposable {
  readonly path: string
  /** Writes a file and gives its absolute path. */
  write(name: string, text: string): Promise<string>
}

/** A temporary folder for config files, removed at the end of the test. */
export async function createConfigFolder(files: Readonly<Record<string, string>> = {}): Promise<ConfigFolder> {
  const path = await mkdtemp(join(tmpdir(), 'boltbot-test-'))
  const write = async (name: string, text: string) => {
    const file = join(path, name)
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, text)
    return file
  }
  await mkdir(join(path, 'node_modules'))
  await symlink(fileURLToPath(new URL('../../node_modules/zod', import.meta.url)), join(path, 'node_modules', 'zod'))
  for (const [name, text] of Object.entries(files)) await write(name, text)
  return { path, write, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}

/** Plugins for configs under test: they do nothing, but have every kind and a schema. */
export const PLUGINS = `
import { definePlugin, defineStep } from 'boltbot/plugin-sdk'
import { z } from 'zod'
export const network = definePlugin({ name: 'network', kind: 'slave', apply() {} })
export const local = definePlugin({ name: 'local', kind: 'slave', startsSlaves: true, apply() {} })
export const poller = definePlugin({ name: 'poller', kind: 'source', apply() {} })
export const tree = definePlugin({
  name: 'tree', kind: 'scheduler', id: (options: { name: string; builders: readonly unknown[]; upstream?: unknown }) => options.name,
  apply(_host, _options: { name: string; builders: readonly unknown[]; upstream?: unknown }) {},
})
export const mail = definePlugin({
  name: 'mail', kind: 'status', schema: z.strictObject({ fromaddr: z.string(), mode: z.enum(['all', 'failing']).default('all'), relay: z.strictObject({ host: z.string() }).optional(), password: z.string().max(3).optional() }),
  apply(_host, _options) {},
})
export const slow = definePlugin({ name: 'slow', kind: 'service', schema: { '~standard': { version: 1, vendor: 'test', validate: async (value: object) => ({ value }) } }, apply() {} })
export const step = defineStep({ name: 'step', schema: z.strictObject({ command: z.string().default('true') }), async run() { return { result: 'success' } } })
`

/** A small good config over {@link PLUGINS}. */
export const GOOD = `
import { builder, buildFactory, defineMaster, slave } from 'boltbot'
import { local, mail, poller, step, tree } from './plugins.ts'

const bot = slave({ name: 'bot' })
const full = builder({ name: 'full', slaves: [bot], factory: buildFactory([step()]) })
const tests = tree({ name: 'tests', builders: [full] })
export default defineMaster({
  projectName: 'Hello',
  transports: [local()],
  slaves: [bot],
  builders: [full],
  sources: [poller()],
  schedulers: [tests],
  status: [mail({ fromaddr: 'ci@example.org' })],
})
`
