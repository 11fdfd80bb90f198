import { readFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Node, Position, Property } from 'acorn'
import { parseSource } from './parse-source.ts'

export interface Place {
  readonly file: string
  readonly line: number
  readonly column: number
}

/** Keys from the arguments of a factory call inwards: `[0, 'slaves', 1]`. */
export type KeyPath = readonly (string | number)[]

export interface Positions {
  /** The place of the value at `path` in the factory call that `stack` tells of; as near to it as the source shows. */
  locate(stack: string | undefined, path: KeyPath): Place
  /** The innermost place of a stack that is in the config's folder. */
  inStack(stack: string | undefined): Place | undefined
}

/** Finds places in the sources of a config; each file is parsed once, and only when it is asked for. */
export function createPositions(configFile: string): Positions {
  const folder = dirname(configFile)
  const trees = new Map<string, Node | undefined>()
  const treeOf = (file: string) => {
    if (!trees.has(file)) trees.set(file, parseFile(file))
    return trees.get(file)
  }
  const inStack = (stack: string | undefined) => framesOf(stack).find((frame) => isBelow(frame.file, folder))
  return {
    inStack,
    locate(stack, path) {
      const frame = inStack(stack)
      if (!frame) return { file: configFile, line: 1, column: 1 }
      const tree = treeOf(frame.file)
      const call = tree && findCall(tree, frame)
      if (!tree || !call) return frame
      const found = walkPath(tree, call.arguments, path)
      const start = found?.loc?.start
      return start ? placeOf(frame.file, start) : frame
    },
  }
}

/** True for files of the folder that are the user's own, not installed. */
export function isBelow(file: string, folder: string): boolean {
  const inside = folder.endsWith('/') ? folder : `${folder}/`
  return file.startsWith(inside) && !file.slice(inside.length).split(/[\\/]/).includes('node_modules')
}

/** The file of a module URL, without the generation behind it; `undefined` for anything but files. */
export function fileOfUrl(url: string): string | undefined {
  return url.startsWith('file:') ? fileURLToPath(url.replace(/[?#].*$/, '')) : undefined
}

/** The file of the innermost place of a stack, wherever it is. */
export function innermostFile(stack: string | undefined): string | undefined {
  return framesOf(stack)[0]?.file
}

/** Frames of a stack that name files, innermost first. */
function framesOf(stack: string | undefined): readonly Place[] {
  const frames: Place[] = []
  for (const text of stack?.split('\n') ?? []) {
    const match = /(file:\/\/[^\s()]+|\/[^\s():]+):(\d+):(\d+)\)?$/.exec(text)
    if (!match) continue
    const file = match[1]!.startsWith('file:') ? fileOfUrl(match[1]!) : match[1]!
    if (file !== undefined) frames.push({ file, line: Number(match[2]), column: Number(match[3]) })
  }
  return frames
}

function parseFile(file: string): Node | undefined {
  try {
    const source = readFileSync(file, 'utf8')
    const plain = /\.[cm]?ts$/.test(file) ? stripTypeScriptTypes(source) : source
    return parseSource(plain, {
      ecmaVersion: 'latest',
      sourceType: 'module',
      locations: true,
      allowHashBang: true,
      allowAwaitOutsideFunction: true,
    })
  } catch {
    return undefined // without a tree, places are as good as the stack's
  }
}

/** What acorn calls a call; the fields used here. */
interface Call extends Node {
  readonly callee: Node & { readonly property?: Node }
  readonly arguments: readonly Node[]
}

/** The call whose callee V8 reports at this place: the name before the bracket. */
function findCall(tree: Node, { line, column }: Place): Call | undefined {
  for (const node of nodesOf(tree)) {
    if (node.type !== 'CallExpression') continue
    const call = node as Call // acorn's nodes are told apart by `type`
    const name = call.callee.type === 'MemberExpression' ? call.callee.property : call.callee
    if (name?.loc?.start.line === line && name.loc.start.column === column - 1) return call
  }
  return undefined
}

/** The deepest node on the path, or `undefined` when not even its first argument is there. */
function walkPath(tree: Node, args: readonly Node[], path: KeyPath): Node | undefined {
  const [index, ...rest] = path
  let shown = typeof index === 'number' ? args[index] : undefined
  let node = shown && followName(tree, shown)
  for (const key of rest) {
    const child: Step | undefined = node && childOf(node, key)
    if (!child) break
    shown = child.shown
    node = followName(tree, child.value)
  }
  return shown
}

interface Step {
  readonly shown: Node
  readonly value: Node
}

function childOf(node: Node, key: string | number): Step | undefined {
  if (node.type === 'ObjectExpression') {
    const { properties } = node as Node & { readonly properties: readonly Node[] } // see `type`
    for (const item of properties) {
      if (item.type !== 'Property') continue
      const property = item as Property // see `type`
      const name = property.key as Node & { readonly name?: string; readonly value?: unknown } // an Identifier or a Literal
      if (!property.computed && String(name.name ?? name.value) === String(key))
        return { shown: property, value: property.value }
    }
  }
  if (node.type === 'ArrayExpression' && typeof key === 'number') {
    const { elements } = node as Node & { readonly elements: readonly (Node | null)[] } // see `type`
    const element = elements[key]
    if (element && !elements.slice(0, key).some((item) => item?.type === 'SpreadElement'))
      return { shown: element, value: element }
  }
  return undefined
}

/** What a name of this file stands for, when it is declared once with a value. */
function followName(tree: Node, node: Node): Node {
  if (node.type !== 'Identifier') return node
  const { name } = node as Node & { readonly name: string } // see `type`
  for (const candidate of nodesOf(tree)) {
    if (candidate.type !== 'VariableDeclarator') continue
    const { id, init } = candidate as Node & { readonly id: Node & { readonly name?: string }; readonly init?: Node }
    if (id.name === name && init) return init
  }
  return node
}

function* nodesOf(node: Node): Generator<Node> {
  yield node
  for (const value of Object.values(node)) {
    for (const child of Array.isArray(value) ? value : [value]) if (isNode(child)) yield* nodesOf(child)
  }
}

const isNode = (value: unknown): value is Node => typeof (value as Node | null)?.type === 'string'

const placeOf = (file: string, { line, column }: Position): Place => ({ file, line, column: column + 1 })
