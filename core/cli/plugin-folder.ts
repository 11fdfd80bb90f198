import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { CONFIG_NAMES } from '../config/names.ts'
import { badArgument, basedirTaken, basedirUnusable } from './errors.ts'
import { installation } from './installation.ts'

/** The kinds of plugins there are templates for, each a folder of `plugin-sdk/templates`, with the config's line for it. */
const KINDS = {
  'change-source': (name: string) => `sources: [${name}({ file: '/srv/releases/VERSION' })],`,
  scheduler: (name: string) => `schedulers: [${name}({ name: 'tenths', builders: ['full'] })],`,
  step: (name: string) => `factory: buildFactory([${name}({ atMost: 1000 })]),`,
  status: (name: string) => `status: [${name}({ url: 'http://localhost:8000/' })],`,
  slave: (name: string) => `transports: [${name}({ slave: 'here' })],`,
  service: (name: string) => `plugins: [${name}({ port: 9999 })],`,
} as const

export type PluginTemplate = keyof typeof KINDS
export const PLUGIN_KINDS = Object.keys(KINDS) as readonly PluginTemplate[]

export interface PluginOrder {
  /** In lower case, words joined by `-`. */
  readonly name: string
  readonly kind: PluginTemplate
  /** With what npm needs of a package. */
  readonly inPackage: boolean
}

export interface MadePlugin {
  /** From here. */
  readonly folder: string
  readonly files: readonly string[]
  /** How to run its test. */
  readonly test: string
  /** Lines for the config. */
  readonly use: readonly string[]
}

/**
 * Makes a plugin out of the template of its kind: in `plugins/` of a base directory, else in a folder here.
 * @throws CiError `BOLT_CLI_ARGUMENT`, `BOLT_CLI_EXISTS`, `BOLT_CLI_UNUSABLE`.
 */
export function makePluginFolder({ name, kind, inPackage }: PluginOrder): MadePlugin {
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name))
    throw badArgument('name', name, 'lower case letters, digits and "-", such as "release-feed"')
  const beside = CONFIG_NAMES.some((file) => existsSync(file))
  const folder = !inPackage && beside ? join('plugins', name) : name
  const words = name.split('-')
  const pascal = words.map((word) => word[0]!.toUpperCase() + word.slice(1)).join('')
  const camel = pascal[0]!.toLowerCase() + pascal.slice(1)
  const from = inPackage ? name : `./${beside ? `plugins/${name}` : name}/index.ts`
  const made: MadePlugin = {
    folder,
    files: [],
    test: inPackage ? `cd ${folder} && npm install && npm test` : `node --test ${folder}/index.test.ts`,
    use: [`import { ${camel} } from '${from}'`, KINDS[kind](camel)],
  }
  const named = (text: string) =>
    text.replaceAll('my-plugin', name).replaceAll('myPlugin', camel).replaceAll('MyPlugin', pascal)
  const template = join(installation(), 'plugin-sdk', 'templates', kind)
  const files: Record<string, string> = {}
  for (const file of readdirSync(template)) files[file] = named(readFileSync(join(template, file), 'utf8'))
  if (inPackage) Object.assign(files, packageFiles(name))
  files['README.md'] = readme(name, kind, made)
  if (existsSync(folder)) throw basedirTaken('.', folder)
  try {
    mkdirSync(folder, { recursive: true })
    for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, file), text)
  } catch (error) {
    throw basedirUnusable(folder, 'made', error)
  }
  return { ...made, files: Object.keys(files).sort() }
}

/** Node strips no types below `node_modules`: a package is published as JavaScript. */
function packageFiles(name: string): Record<string, string> {
  const { version } = JSON.parse(readFileSync(join(installation(), 'package.json'), 'utf8'))
  const json = (value: object) => `${JSON.stringify(value, null, 2)}\n`
  return {
    'package.json': json({
      name,
      version: '0.1.0',
      type: 'module',
      keywords: ['boltbot-plugin'],
      exports: { '.': { types: './dist/index.d.ts', default: './dist/index.js' } },
      files: ['dist'],
      scripts: { test: 'node --test *.test.ts', build: 'tsc', prepack: 'npm run build' },
      peerDependencies: { boltbot: `^${version}` },
      devDependencies: { '@types/node': '^26.0.0', boltbot: `file:${installation()}`, typescript: '^7.0.0' },
    }),
    'tsconfig.json': json({
      compilerOptions: {
        target: 'esnext',
        module: 'nodenext',
        lib: ['esnext'],
        types: ['node'],
        strict: true,
        erasableSyntaxOnly: true,
        verbatimModuleSyntax: true,
        rewriteRelativeImportExtensions: true,
        exactOptionalPropertyTypes: true,
        skipLibCheck: true,
        declaration: true,
        outDir: 'dist',
      },
      include: ['*.ts'],
      exclude: ['*.test.ts'],
    }),
    '.gitignore': 'node_modules/\ndist/\n',
  }
}

function readme(name: string, kind: PluginTemplate, { test, use }: MadePlugin): string {
  return `# ${name}

A ${kind} for [Boltbot](https://www.npmjs.com/package/boltbot). What it does is in \`index.ts\`, what it promises in \`index.test.ts\`.

## Use

In \`master.cfg.ts\`:

\`\`\`ts
${use.join('\n')}
\`\`\`

Then \`boltbot checkconfig\`, and \`boltbot reconfig\` for a master that runs.

## Test

\`\`\`
${test}
\`\`\`
`
}
