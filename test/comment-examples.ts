// The `@example`s in the comments of plugin-sdk and plugins, made into modules that can be compiled: for docs.test.ts.
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript-6'

export interface Example {
  readonly file: string
  readonly line: number
  /** What it is an example of. */
  readonly name: string
  readonly of: 'value' | 'type' | 'member'
  readonly code: string
}

export function readExamples(root: string): readonly Example[] {
  const files = globSync('{plugin-sdk,plugins}/**/*.ts', { cwd: root, exclude: ['plugin-sdk/templates/**'] })
  return files
    .sort()
    .flatMap((file) => examplesOf(file, readFileSync(join(root, file), 'utf8')))
    .filter(isForReaders)
}

/**
 * An example of a type is a value of it, if it looks like one; any other is statements, which may await. Beside what it is an example of,
 * it may use what `AROUND` has. `root` is where the module finds the project.
 */
export function moduleOf({ file, name, of, code }: Example, root: string): { before: string; code: string } {
  const isTesting = file.startsWith('plugin-sdk/testing/')
  const own = of === 'member' ? '' : `import ${of === 'type' ? 'type ' : ''}{ ${name} } from '${root}/${file}'`
  const steps = isTesting ? { 'node:test': 'test' } : { 'boltbot/plugins/steps': 'compile, shellCommand, test' }
  const imports = Object.entries({ ...AROUND, ...steps }).map(([module, all]) => {
    const names = all.split(/, */).filter((one) => of === 'member' || one.replace(/^type /, '') !== name)
    return names.length === 0 ? '' : `import { ${names.join(', ')} } from '${module}'`
  })
  const isValue = of === 'type' && /^(?:\{|\(|async \()/.test(code)
  const [open, close] = isValue ? [`export const example: ${name} =`, ''] : ['export async function example() {', '}']
  const before = [own, ...imports, isTesting ? IN_TESTS : IN_PLUGINS, open, ''].join('\n')
  const statements = code
    .replace(/^import .* from 'node:test'.*$/gm, '')
    .replace(/^export default /gm, 'void ')
    .replace(/^export /gm, '')
  return { before, code: `${statements}\n${close}\n` }
}

/** Of an example as `worst('success', 'failure') // 'failure'`: what is asked, and what should come of it; else `undefined`. */
export function claimOf({
  name,
  of,
  code,
}: Example): { readonly asked: string; readonly expected: string } | undefined {
  const [, asked, expected] = /^(.+?) +\/\/ ((?:true|false|null|[\d_]+|'.*'|\{.*\}|\[.*\]))$/.exec(code) ?? []
  if (asked === undefined || expected === undefined) return undefined
  const isWhole = of === 'value' && asked.startsWith(`${name}(`) && /^["'[{\d]/.test(asked.slice(name.length + 1))
  return isWhole ? { asked, expected } : undefined
}

/** Members of what is inside a plugin are nobody's to call. */
const isForReaders = ({ file, of }: Example) => of !== 'member' || file.startsWith('plugin-sdk/')

/** What an example may take for granted, as its reader does. */
const AROUND: Readonly<Record<string, string>> = {
  'node:events': 'once',
  'node:fs/promises': 'writeFile',
  'node:net': 'type Server',
  'node:path': 'join',
  'boltbot/plugin-sdk':
    'builder, buildFactory, defineMaster, interpolate, secret, slave, type BuildFinished, type BuildView, type ChangeInput, type Host, type HttpRequestFacts, type Json, type Log, type MasterConfig, type Patch, type PluginInstance, type PropertyMap, type Renderable, type SecretRef, type Step, type StepContext',
  'boltbot/plugin-sdk/testing':
    'withRig, type FakeClock, type MemoryLog, type Rig, type SourceUnderTest, type ServiceUnderTest, type StatusUnderTest, type TestHost, type TransportUnderTest',
  'boltbot/plugins/changes/maildir': 'ignore, syncmail',
  'boltbot/plugins/schedulers': 'scheduler, triggerable',
  'boltbot/plugins/slaves/local': 'local',
  'boltbot/plugins/slaves/websocket': 'agents',
  'boltbot/plugins/vc/git': 'git',
  'boltbot/plugins/vc/svn': 'trunkAndBranches',
  zod: 'z',
}
const BOTH = `
declare const config: MasterConfig
declare const event: BuildFinished
declare const names: string[]
declare const url: string
declare function countFiles(): Step
declare function lamp(options: { readonly url: string }): PluginInstance<'status'>
`
const IN_PLUGINS = `${BOTH}
const linux = slave({ name: 'bot-linux' })
const here = slave({ name: 'here' })
const full = builder({ name: 'full', slaves: [here], factory: buildFactory([]) })
const tarball = builder({ name: 'tarball', slaves: [here], factory: buildFactory([]) })
declare const build: BuildView
declare const bytes: Uint8Array
declare const change: ChangeInput
declare const context: StepContext
declare const definition: object
declare const error: unknown
declare const eventId: number
declare const facts: HttpRequestFacts
declare const given: string
declare const hash: string
declare const host: Host
declare const ldap: { search(filter: string, how: { signal: AbortSignal }): Promise<{ mail: string } | null> }
declare const log: Log
declare const options: { readonly title: Renderable<string> }
declare const patch: Patch
declare const properties: PropertyMap
declare const repourl: string
declare const value: unknown
declare function checkTexts(): Step
declare function openLampPort(port: number, log: Log): Promise<Disposable>
declare function secretOf(ref: SecretRef): string
declare function tell(event: BuildFinished): Promise<void>
`
const IN_TESTS = `${BOTH}
import assert from 'node:assert/strict'
declare const clock: FakeClock
declare const fired: number[]
declare const host: TestHost & Host
declare const log: MemoryLog
declare const rig: Rig
declare const server: Server
declare const sink: { readonly mails: readonly string[] }
declare function thirds(options: { name: string; builders: readonly string[] }): PluginInstance<'scheduler'>
declare function startLamp(): Promise<StatusUnderTest>
declare function startPigeons(): Promise<TransportUnderTest>
declare function startGate(): Promise<ServiceUnderTest>
declare function startReleasesPage(): Promise<SourceUnderTest>
`

function examplesOf(file: string, text: string): Example[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true)
  const found: Example[] = []
  const visit = (node: ts.Node): void => {
    for (const tag of ts.getJSDocTags(node)) {
      if (tag.tagName.text !== 'example' || tag.parent.parent !== node) continue
      const code = ts.getTextOfJSDocComment(tag.comment) ?? ''
      const first = source.getLineAndCharacterOfPosition(text.indexOf(code.split('\n')[0]!, tag.getStart())).line + 1
      found.push({ file, line: first, name: nameOf(node), of: kindOf(node, source), code })
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
  return found
}

function nameOf(node: ts.Node): string {
  const named = ts.isVariableStatement(node) ? node.declarationList.declarations[0] : node
  return (named as ts.NamedDeclaration | undefined)?.name?.getText() ?? ''
}

function kindOf(node: ts.Node, source: ts.SourceFile): Example['of'] {
  if (node.parent !== source) return 'member'
  return ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node) ? 'type' : 'value'
}
