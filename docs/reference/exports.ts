// What plugins can import, read from the sources with TypeScript 6: for the snapshot of the interface, and for the test of its documentation.
import { fileURLToPath } from 'node:url'
import ts from 'typescript-6'

/** What one import path gives. */
export interface Entry {
  /** `boltbot/plugin-sdk`. */
  readonly path: string
  readonly exports: readonly Export[]
  /** Types of the same files that those are made of: to change one changes them. */
  readonly inside: readonly Export[]
}

export interface Export {
  readonly name: string
  readonly kind: 'function' | 'class' | 'interface' | 'type' | 'const'
  /** Its declaration without bodies and comments. */
  readonly text: string
  readonly doc: Doc
  /** Of interfaces, classes and types that are made of members; of functions: themselves. */
  readonly members: readonly Member[]
  /** Of functions: there is a `throw` in it, not in a function inside. */
  readonly throws: boolean
}

export interface Member {
  readonly name: string
  readonly doc: Doc
  /** As the compiler prints it. */
  readonly type: string
  readonly isAsync: boolean
}

export interface Doc {
  readonly text: string
  readonly tags: readonly string[]
}

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const ENTRIES = {
  'boltbot/plugin-sdk': 'plugin-sdk/index.ts',
  'boltbot/plugin-sdk/testing': 'plugin-sdk/testing/index.ts',
}
const printer = ts.createPrinter({ removeComments: true, newLine: ts.NewLineKind.LineFeed })
const FLAGS = ts.TypeFormatFlags.NoTruncation

export function readExports(): readonly Entry[] {
  const config = ts.getParsedCommandLineOfConfigFile(
    `${ROOT}docs/reference/tsconfig.json`,
    {},
    {
      ...ts.sys,
      onUnRecoverableConfigFileDiagnostic(problem) {
        throw new Error(ts.flattenDiagnosticMessageText(problem.messageText, '\n'))
      },
    },
  )
  const files = Object.values(ENTRIES).map((file) => ROOT + file)
  const program = ts.createProgram(files, config?.options ?? {})
  const checker = program.getTypeChecker()
  const known = new Set<ts.Symbol>()
  return Object.entries(ENTRIES).map(([path, file]) => {
    const module = checker.getSymbolAtLocation(program.getSourceFile(ROOT + file)!)!
    const symbols = checker.getExportsOfModule(module).map((symbol) => [symbol.name, meant(symbol, checker)] as const)
    const exports = symbols.map(([name, symbol]) => exportOf(name, symbol, checker))
    for (const [, symbol] of symbols) known.add(symbol)
    const inside = helpersOf(known, checker)
    const byName = (a: Export, b: Export) => (a.name < b.name ? -1 : 1)
    return { path, exports: exports.sort(byName), inside: inside.sort(byName) }
  })
}

/** All of it as a page for reviews: a change of the interface is a change of this. */
export function snapshotOf(entries: readonly Entry[]): string {
  const sections = entries.map(
    ({ path, exports, inside }) =>
      `## ${path}\n\n${codeOf(exports)}${inside.length === 0 ? '' : `\nMade of, not exported:\n\n${codeOf(inside)}`}`,
  )
  return `# The interface of plugins

All that can be imported. Made by \`npm run api\`: run it when you mean to change the interface, and look at what changed. What goes away is deprecated
first; see [the version policy](../docs/writing-plugins.md#versions).

${sections.join('\n')}`
}

const codeOf = (exports: readonly Export[]) => `\`\`\`ts\n${exports.map(({ text }) => text).join('\n\n')}\n\`\`\`\n`

const meant = (symbol: ts.Symbol, checker: ts.TypeChecker) =>
  symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol

/** What types of the SDK mention and nobody can import. */
function helpersOf(known: Set<ts.Symbol>, checker: ts.TypeChecker): Export[] {
  const found: ts.Symbol[] = []
  const visit = (node: ts.Node): void => {
    if (ts.isBlock(node)) return
    const name = ts.isTypeReferenceNode(node) ? checker.getSymbolAtLocation(node.typeName) : undefined
    if (name !== undefined) look(meant(name, checker))
    ts.forEachChild(node, visit)
  }
  const look = (symbol: ts.Symbol): void => {
    const [first] = symbol.declarations ?? []
    if (first === undefined || known.has(symbol) || ts.isTypeParameterDeclaration(first)) return
    if (!/\/plugin-sdk\/[^/]+$/.test(first.getSourceFile().fileName)) return
    known.add(symbol)
    found.push(symbol)
    visit(first)
  }
  for (const { declarations = [] } of [...known]) for (const one of declarations) visit(one)
  return found.map((symbol) => exportOf(symbol.name, symbol, checker))
}

function exportOf(name: string, symbol: ts.Symbol, checker: ts.TypeChecker): Export {
  const [first] = symbol.declarations ?? []
  if (first === undefined) throw new Error(`"${name}" has no declaration.`)
  const about = { name, doc: docOf(symbol, checker) }
  if (ts.isFunctionDeclaration(first)) {
    const signatures = checker.getTypeOfSymbolAtLocation(symbol, first).getCallSignatures()
    const texts = signatures.map((one) => checker.signatureToString(one, first, FLAGS))
    const members = signatures.map((one, i) => ({
      name: about.name,
      doc: signatureDoc(one, checker, about.doc),
      type: texts[i]!,
      isAsync: isPromise(one.getReturnType()),
    }))
    return {
      ...about,
      kind: 'function',
      throws: throwsIn(first.body),
      text: texts.map((text) => `function ${about.name}${text}`).join('\n'),
      members,
    }
  }
  if (ts.isInterfaceDeclaration(first) || ts.isClassDeclaration(first)) {
    const members = first.members.flatMap((member) => memberOf(member, checker))
    const kind = ts.isClassDeclaration(first) ? 'class' : 'interface'
    return { ...about, kind, text: printed(first), members, throws: false }
  }
  if (ts.isTypeAliasDeclaration(first)) {
    const members = ts.isTypeLiteralNode(first.type) ? first.type.members.flatMap((one) => memberOf(one, checker)) : []
    return { ...about, kind: 'type', text: printed(first), members, throws: false }
  }
  const type = checker.getTypeOfSymbolAtLocation(symbol, first)
  return {
    ...about,
    kind: 'const',
    text: `const ${about.name}: ${checker.typeToString(type, first, FLAGS)}`,
    members: [],
    throws: false,
  }
}

function throwsIn(node: ts.Node | undefined): boolean {
  if (node === undefined || ts.isFunctionLike(node)) return false
  return ts.isThrowStatement(node) || (ts.forEachChild(node, throwsIn) ?? false)
}

function memberOf(member: ts.TypeElement | ts.ClassElement, checker: ts.TypeChecker): Member[] {
  const symbol = member.name && checker.getSymbolAtLocation(member.name)
  if (symbol === undefined) return []
  const type = checker.getTypeOfSymbolAtLocation(symbol, member)
  return [
    {
      name: symbol.name,
      doc: docOf(symbol, checker),
      type: checker.typeToString(type, member, FLAGS),
      isAsync: type.getCallSignatures().some((one) => isPromise(one.getReturnType())),
    },
  ]
}

/** Without bodies, and of classes without what is private. */
function printed(node: ts.InterfaceDeclaration | ts.ClassDeclaration | ts.TypeAliasDeclaration): string {
  let shown: ts.Node = node
  if (ts.isClassDeclaration(node)) {
    const members = node.members.map((member) =>
      ts.isConstructorDeclaration(member)
        ? ts.factory.updateConstructorDeclaration(member, member.modifiers, member.parameters, undefined)
        : member,
    )
    shown = ts.factory.updateClassDeclaration(
      node,
      node.modifiers,
      node.name,
      node.typeParameters,
      node.heritageClauses,
      members,
    )
  }
  const text = printer.printNode(ts.EmitHint.Unspecified, shown, node.getSourceFile())
  return text
    .replace(/^export /, '')
    .replace(/;$/gm, '')
    .replaceAll('    ', '  ')
}

const docOf = (symbol: ts.Symbol, checker: ts.TypeChecker): Doc =>
  textOf(symbol.getDocumentationComment(checker), symbol.getJsDocTags(checker))

/** Of an overload: its own, or that of the others. */
function signatureDoc(signature: ts.Signature, checker: ts.TypeChecker, whole: Doc): Doc {
  const own = textOf(signature.getDocumentationComment(checker), signature.getJsDocTags())
  return own.text === '' ? whole : own
}

function textOf(parts: ts.SymbolDisplayPart[], tags: readonly ts.JSDocTagInfo[]): Doc {
  const texts = [parts, ...tags.map((tag) => tag.text)].map((text) => ts.displayPartsToString(text))
  return { text: texts.join('\n').trim(), tags: tags.map(({ name }) => name) }
}

const isPromise = (type: ts.Type) => type.symbol?.name === 'Promise'
