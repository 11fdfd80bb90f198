/** A checked out tree: names and texts of its top folder. */
export interface Tree {
  has(file: string): boolean
  /** `''` when there is none. */
  read(file: string): string
}

/** A step of a first config: which kind of `boltbot/plugins/steps`, and its command. */
export interface GuessedStep {
  readonly kind: 'shellCommand' | 'configure' | 'compile' | 'test'
  /** Only for what is not named by its kind. */
  readonly name?: string
  readonly command: readonly string[]
}

export interface Guess {
  /** The file that told. */
  readonly from: string
  readonly steps: readonly GuessedStep[]
}

/** What builds and tests this tree, by the first build file that is known; `undefined` when there is none. */
export function guessSteps(tree: Tree): Guess | undefined {
  for (const [from, steps] of KNOWN) {
    const found = tree.has(from) ? steps(tree) : []
    if (found.length > 0) return { from, steps: found }
  }
  return undefined
}

const compile = (...command: readonly string[]): GuessedStep => ({ kind: 'compile', command })
const test = (...command: readonly string[]): GuessedStep => ({ kind: 'test', command })
const other = (name: string, ...command: readonly string[]): GuessedStep => ({ kind: 'shellCommand', name, command })

/** Those of languages before those of make, which projects often have beside as a door for people. */
const KNOWN: readonly (readonly [file: string, steps: (tree: Tree) => readonly GuessedStep[]])[] = [
  ['package.json', node],
  ['Cargo.toml', () => [compile('cargo', 'build', '--all-targets'), test('cargo', 'test')]],
  ['go.mod', () => [compile('go', 'build', './...'), test('go', 'test', './...')]],
  ['pyproject.toml', python],
  ['setup.py', python],
  ['pom.xml', (tree) => [test(tree.has('mvnw') ? './mvnw' : 'mvn', '--batch-mode', 'verify')]],
  ['build.gradle', gradle],
  ['build.gradle.kts', gradle],
  ['Gemfile', () => [other('install', 'bundle', 'install'), test('bundle', 'exec', 'rake')]],
  ['mix.exs', () => [other('dependencies', 'mix', 'deps.get'), compile('mix', 'compile'), test('mix', 'test')]],
  ['CMakeLists.txt', cmake],
  [
    'meson.build',
    () => [configured('meson', 'setup', 'out'), compile('ninja', '-C', 'out'), test('ninja', '-C', 'out', 'test')],
  ],
  ['configure', () => autotools([])],
  ['configure.ac', () => autotools([other('autoreconf', 'autoreconf', '--install')])],
  ['Makefile.PL', () => [configured('perl', 'Makefile.PL'), compile('make'), test('make', 'test')]],
  ['Makefile', make],
  ['GNUmakefile', make],
  ['makefile', make],
]

function configured(...command: readonly string[]): GuessedStep {
  return { kind: 'configure', command }
}

function node(tree: Tree): readonly GuessedStep[] {
  const [tool, install] = tree.has('pnpm-lock.yaml')
    ? ['pnpm', ['pnpm', 'install', '--frozen-lockfile']]
    : tree.has('yarn.lock')
      ? ['yarn', ['yarn', 'install', '--immutable']]
      : ['npm', ['npm', tree.has('package-lock.json') ? 'ci' : 'install']]
  const scripts = scriptsOf(tree.read('package.json'))
  const steps = [other('install', ...install)]
  if (scripts.lint) steps.push(other('lint', tool, 'run', 'lint'))
  if (scripts.build) steps.push(compile(tool, 'run', 'build'))
  // What `npm init` writes fails on purpose.
  if (scripts.test && !scripts.test.includes('no test specified')) steps.push(test(tool, 'test'))
  return steps
}

function scriptsOf(text: string): Readonly<Record<string, string | undefined>> {
  try {
    const { scripts } = JSON.parse(text)
    return typeof scripts === 'object' && scripts !== null ? scripts : {}
  } catch {
    return {} // the build will say so
  }
}

function python(tree: Tree): readonly GuessedStep[] {
  if (tree.has('tox.ini')) return [test('tox')]
  const steps = [
    other('environment', 'python3', '-m', 'venv', '.venv'),
    other('install', '.venv/bin/pip', 'install', '--editable', '.', 'pytest'),
  ]
  return tree.has('tests') || tree.has('test') ? [...steps, test('.venv/bin/python', '-m', 'pytest')] : steps
}

function gradle(tree: Tree): readonly GuessedStep[] {
  return [test(tree.has('gradlew') ? './gradlew' : 'gradle', 'build')]
}

function cmake(): readonly GuessedStep[] {
  return [
    configured('cmake', '-S', '.', '-B', 'out'),
    compile('cmake', '--build', 'out'),
    test('ctest', '--test-dir', 'out', '--output-on-failure'),
  ]
}

function autotools(before: readonly GuessedStep[]): readonly GuessedStep[] {
  return [...before, configured('./configure'), compile('make'), test('make', 'check')]
}

function make(tree: Tree): readonly GuessedStep[] {
  const text = ['GNUmakefile', 'makefile', 'Makefile'].map((file) => tree.read(file)).join('\n')
  const target = ['check', 'test', 'tests'].find((name) => new RegExp(`^${name}\\s*:(?!=)`, 'm').test(text))
  return target === undefined ? [compile('make')] : [compile('make'), test('make', target)]
}
