import { copyFileSync, existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, extname, join, resolve } from 'node:path'
import { configMissing } from '../config/errors.ts'
import { CONFIG_NAMES } from '../config/names.ts'
import { badArgument, basedirTaken, basedirUnusable } from './errors.ts'
import { EXAMPLE_CONFIG } from './example-config.ts'
import { installation } from './installation.ts'
import { makeFolders } from './make-folders.ts'

export interface MadeDirectory {
  readonly path: string
  readonly configFile: string
}

/**
 * Makes a base directory that stands alone: `node`, `tsc` and the editor find `boltbot` there, as this installation, without
 * anything being fetched. @throws CiError `BOLT_CLI_ARGUMENT`, `BOLT_CLI_EXISTS`, `BOLT_CLI_UNUSABLE`, `BOLT_CONFIG_MISSING`.
 */
export function makeMasterDirectory(
  basedir: string,
  config: string | undefined,
  secrets: Readonly<Record<string, string>> = {},
): MadeDirectory {
  const path = resolve(basedir)
  const source = config === undefined ? undefined : resolve(config)
  if (source !== undefined && !existsSync(source)) throw configMissing(source)
  const name = `master.cfg${source === undefined ? '.ts' : extname(source)}`
  if (!CONFIG_NAMES.some((one) => one === name)) throw badArgument('config', config ?? '', 'a .ts, .js or .mjs file')
  const configFile = join(path, name)
  const taken = [...CONFIG_NAMES, 'slave.json', 'package.json'].find((file) => existsSync(join(path, file)))
  if (taken !== undefined) throw basedirTaken(path, taken)
  try {
    makeFolders(path)
    mkdirSync(join(path, 'node_modules', '@types'), { recursive: true })
    mkdirSync(join(path, 'secrets'), { recursive: true, mode: 0o700 })
    for (const [name, value] of Object.entries(secrets))
      writeFileSync(join(path, 'secrets', name), `${value}\n`, { mode: 0o600 })
    if (source === undefined) writeFileSync(configFile, EXAMPLE_CONFIG)
    else copyFileSync(source, configFile)
    const packageName = basename(path)
      .toLowerCase()
      .replace(/[^a-z0-9-]+/g, '-')
      .replace(/^-+|-+$/g, '')
    const types = nodeTypes()
    write(join(path, 'package.json'), {
      name: packageName || 'master',
      private: true,
      type: 'module',
      // Both as links, so that an "npm install" of something else leaves them there.
      dependencies: { boltbot: `file:${installation()}` },
      ...(types !== undefined && { devDependencies: { '@types/node': `file:${types}` } }),
    })
    write(join(path, 'tsconfig.json'), TSCONFIG)
    writeFileSync(join(path, '.gitignore'), IGNORED.join('\n').concat('\n'))
    linkPackages(path, types)
  } catch (error) {
    throw basedirUnusable(path, 'made', error)
  }
  return { path, configFile }
}

/** `node_modules/boltbot`, and Node's own types beside it, for the editor. */
function linkPackages(path: string, types: string | undefined): void {
  const link = (from: string, name: string) => {
    const to = join(path, 'node_modules', name)
    if (!readdirSync(dirname(to)).includes(basename(to))) symlinkSync(from, to, 'junction') // a folder link Windows allows to everybody
  }
  link(installation(), 'boltbot')
  if (types !== undefined) link(types, '@types/node')
}

/** Where Node's types are installed. Without them configs still run; only the editor knows less. */
function nodeTypes(): string | undefined {
  try {
    return dirname(createRequire(join(installation(), 'package.json')).resolve('@types/node/package.json'))
  } catch {
    return undefined
  }
}

const TSCONFIG = {
  compilerOptions: {
    target: 'esnext',
    module: 'nodenext',
    lib: ['esnext'],
    types: ['node'],
    strict: true,
    noEmit: true,
    erasableSyntaxOnly: true,
    verbatimModuleSyntax: true,
    allowImportingTsExtensions: true,
    noUncheckedIndexedAccess: true,
    exactOptionalPropertyTypes: true,
    skipLibCheck: true,
  },
  include: ['*.ts', 'plugins'],
}

const IGNORED = [
  'node_modules/',
  'secrets/',
  'logs/',
  '.configs/',
  'data/',
  'state.sqlite*',
  '*.log',
  '*.log.*',
  '*.pid',
  'control.*',
]

function write(file: string, value: object): void {
  writeFileSync(file, `${JSON.stringify(value, null, 2)}\n`)
}
