// `npm run build [FOLDER]`: makes dist/, the folder that is published (`npm pack ./dist`). It stands beside the test that proves it, as
// nothing of the product needs it.
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
const dist = resolve(root, process.argv[2] ?? 'dist')

rmSync(dist, { recursive: true, force: true })
const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
execFileSync(process.execPath, [tsc, '-p', join(root, 'test', 'package', 'tsconfig.json'), '--outDir', dist], {
  stdio: 'inherit',
})
for (const file of [
  'core/cli/boltbot.js',
  'slave/boltbot-slave.js',
  'plugin-sdk/templates',
  'plugins/status/web/assets',
  'README.md',
  'LICENSE',
  'master.cfg.example.ts',
])
  if (existsSync(join(root, file))) cpSync(join(root, file), join(dist, file), { recursive: true })
const source = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
writeFileSync(join(dist, 'package.json'), `${JSON.stringify(published(source), null, 2)}\n`)

interface Package {
  readonly exports: Readonly<Record<string, string>>
  readonly dependencies: Readonly<Record<string, string>>
  readonly devDependencies: Readonly<Record<string, string>>
}

/** The package.json of the staged folder: built files, and nothing only developers need. */
function published(source: Package): object {
  const {
    scripts,
    allowScripts,
    devDependencies,
    overrides,
    private: _private,
    ...kept
  } = { scripts: 0, allowScripts: 0, overrides: 0, private: 0, ...source }
  return {
    ...kept,
    exports: Object.fromEntries(
      Object.entries(source.exports).map(([name, file]) => [
        name,
        { types: file.replace(/\.ts$/, '.d.ts'), default: file.replace(/\.ts$/, '.js') },
      ]),
    ),
    // Configs are TypeScript: the editor needs Node's types wherever the package is.
    dependencies: { ...source.dependencies, '@types/node': source.devDependencies['@types/node'] },
  }
}
