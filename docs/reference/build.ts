// `npm run docs [FOLDER]`: makes docs/site, a static site of the SDK and the guides: open index.html, no server needed.
import { readFileSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { fileURLToPath } from 'node:url'
import type { ProjectReflection } from 'typedoc'

// TypeScript 7 has no compiler API: the documentation alone is made with TypeScript 6, under a name of its own.
registerHooks({
  resolve: (name, context, next) => next(name === 'typescript' ? 'typescript-6' : name, context),
})
const { Application } = await import('typedoc')

const root = fileURLToPath(new URL('../..', import.meta.url))
const app = await Application.bootstrap({
  name: 'Boltbot plugins',
  tsconfig: `${root}docs/reference/tsconfig.json`,
  basePath: root,
  entryPoints: ['plugin-sdk/index.ts', 'plugin-sdk/testing/index.ts'].map((file) => `${root}${file}`),
  readme: `${root}docs/reference/welcome.md`,
  projectDocuments: [
    'docs/guides/*.md',
    'docs/writing-plugins.md',
    'docs/hooks.md',
    'docs/errors.md',
    'docs/glossary.md',
  ].map((file) => `${root}${file}`),
  customCss: `${root}docs/reference/style.css`,
  highlightLanguages: ['typescript', 'javascript', 'sh', 'json', 'text', 'sql'],
  intentionallyNotExported: ['Id', 'FieldOf', 'Opened', 'KnownSlaves', 'HttpWith', 'MembersOf'],
  hideGenerator: true,
  disableSources: true,
  disableGit: true,
  excludeInternal: true,
  includeVersion: true,
  searchInComments: true,
  searchInDocuments: true,
  sort: ['kind', 'alphabetical'],
  kindSortOrder: ['Document', 'Module', 'Function', 'Interface', 'TypeAlias', 'Variable', 'Class'],
  visibilityFilters: {},
  sourceLinkExternal: false,
  lightHighlightTheme: 'github-light',
  darkHighlightTheme: 'github-dark',
  navigation: { includeGroups: false, includeCategories: false, excludeReferences: true },
  logLevel: 'Warn',
  treatWarningsAsErrors: true,
})
const project = await app.convert()
if (project === undefined) process.exit(1)
nameByTitle(project)
app.validate(project)
await app.generateDocs(project, process.argv[2] ?? `${root}docs/site`)
process.exit(app.logger.hasErrors() || app.logger.hasWarnings() ? 1 : 0)

/** Pages are called as their headings say, guides in their order first; modules as they are imported. */
function nameByTitle(project: ProjectReflection): void {
  const index = readFileSync(`${root}docs/guides/README.md`, 'utf8')
  const places = new Map<unknown, number>()
  for (const page of project.documents ?? []) {
    const title = /^# (.*)$/m.exec(page.content.map(({ text }) => text).join(''))?.[1] ?? page.name
    const line = new RegExp(`^(\\d+)\\. .*\\(${page.name.split('/').at(-1)}\\.md\\)`, 'm').exec(index)
    places.set(page, title === 'Guides' ? 0 : Number(line?.[1] ?? 99))
    page.name = line === null ? title : `${line[1]}. ${title}`
  }
  for (const module of project.children ?? []) module.name = `boltbot/${module.name}`
  const place = (one: unknown) => places.get(one) ?? 100
  for (const list of [project.documents, project.childrenIncludingDocuments])
    list?.sort((one, other) => place(one) - place(other) || (one.name < other.name ? -1 : 1))
}
