import { join } from 'node:path'
import { branchTest, type Json } from 'boltbot/plugin-sdk'
import { hookMisused } from '../errors.ts'
import type { HookRoom } from '../hook-room.ts'
import { createHg } from './hg-process.ts'
import { parseCommit, TEMPLATE } from './history.ts'

/**
 * The hooks `changegroup`, `incoming`, `commit` and `txnclose`: hg sets `HG_NODE`, and for several changesets `HG_NODE_LAST`. Its
 * position is the newest changeset that was read: one whose hook ran late comes before the next.
 */
export const hgHook: HookRoom = {
  report({ env, cwd }) {
    const { HG_NODE: first, HG_NODE_LAST: last = first } = env
    if (!isNode(first) || !isNode(last))
      throw hookMisused('hg', 'HG_NODE in its environment, as a changegroup hook has')
    return { home: join(cwd, '.hg'), repository: cwd, event: { path: cwd, first, last } satisfies Told }
  },

  async begin(path, { signal }) {
    const tip = await createHg('hg')(['log', '--repository', path, '--rev', 'tip', '--template', '{node}'], { signal })
    return tip.toString() // of an empty repository one that is never met
  },

  async read(events, { position, branches, signal }) {
    const told = events as unknown as readonly Told[] // as given above
    const path = told[0]!.path
    const hg = createHg('hg')
    const log = async (revisions: string, template: string, ...more: readonly string[]) =>
      (
        await hg(['log', '--repository', path, ...more, '--rev', revisions, '--template', template], { signal })
      ).toString()
    const named = [
      ...told.flatMap(({ first, last }) => [first, last]),
      ...(position === undefined ? [] : [String(position)]),
    ]
    const lines = await log(named.map((node) => `present(${node})`).join(' + '), '{rev} {node}\\n', '--hidden')
    const numbers = new Map(
      lines
        .split('\n')
        .map((line) => line.split(' '))
        .map(([rev, node]) => [node ?? '', Number(rev)]),
    )
    const known = told.flatMap(({ first, last }) => [first, last].flatMap((node) => numbers.get(node) ?? []))
    if (known.length === 0) return { commits: [] } // stripped meanwhile
    const newest = Math.max(...known)
    const before = numbers.get(String(position))
    const from = before === undefined ? Math.min(...known) : before + 1
    if (from > newest) return { commits: [] }
    const isWanted = branchTest(branches ?? true)
    const found = (await log(`${from}:${newest}`, TEMPLATE)).split('\n').filter(Boolean).map(parseCommit)
    const [tip] = [...numbers].find(([, number]) => number === newest)!
    return { commits: found.filter(({ branch }) => isWanted(branch ?? '')), position: tip }
  },
}

interface Told {
  readonly [name: string]: Json
  readonly path: string
  readonly first: string
  readonly last: string
}

const isNode = (text: string | undefined): text is string => /^[0-9a-f]{40}$/.test(text ?? '')
