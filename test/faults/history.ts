import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { BuildView, Change } from 'boltbot/plugin-sdk'
import { until } from 'boltbot/plugin-sdk/testing'
import type { Mail } from '../e2e/rig/mail-server.ts'
import type { MasterProcess } from '../e2e/rig.ts'

export interface Outside {
  readonly master: MasterProcess
  /** Of the commits, oldest first, as the repository tells. */
  readonly revisions: readonly string[]
  /** What the commands themselves noted. */
  readonly record: string
  readonly mails: readonly Mail[]
  /** Of masters. */
  readonly kills: number
}

/** Compares what the master knows with what the outside saw: nothing lost, nothing doubled beyond the delivery promise. */
export async function checkHistory({ master, revisions, record, mails, kills }: Outside) {
  const changes = await master.call<readonly Change[]>('changes', { limit: 1000 })
  assert.deepEqual(
    changes.map(({ revision }) => revision).toReversed(),
    revisions,
    'each commit is one change, in order',
  )
  const builds = await master.call<readonly BuildView[]>('builds', { limit: 1000 })
  const good = builds.filter(({ result }) => result === 'success')
  assert.deepEqual(good.map(revisionOf).toSorted(), revisions.toSorted(), 'each commit has one good build')
  const others = builds.filter(({ result }) => result !== 'success' && result !== 'retry')
  assert.deepEqual(others.map(describe), [], 'nothing ended in another way')
  await checkRecord(master, builds, record)
  await checkMails(good, mails, kills)
  return { builds: builds.length, retried: builds.length - good.length }
}

/** Each command ran once in its build; those of good builds to their end, and every byte of them is in the log. */
async function checkRecord(master: MasterProcess, builds: readonly BuildView[], record: string): Promise<void> {
  const noted = (await readFile(record, 'utf8')).trim().split('\n')
  assert.equal(new Set(noted).size, noted.length, `a command ran twice: ${twice(noted).join('; ')}`)
  for (const build of builds.filter(({ result }) => result === 'success')) {
    for (const step of ['compile', 'test']) {
      const log = await master.log(build.number, step)
      const digest = createHash('sha256').update(log).digest('hex')
      const line = `${revisionOf(build)} ${build.number} ${step} ${digest}`
      assert.ok(
        noted.includes(line),
        `the log of ${describe(build)} ${step} is what the command said: ${log.length} bytes`,
      )
    }
  }
}

/** A mail for each good build; a second copy only where a kill came in between, with the same id. */
async function checkMails(good: readonly BuildView[], mails: readonly Mail[], kills: number): Promise<void> {
  const of = ({ number }: BuildView) =>
    mails.filter(({ parsed }) => parsed.subject?.match(/^\[success\] .*: full \(\S+\), #(\d+)$/)?.[1] === `${number}`)
  const without = () => good.filter((build) => of(build).length === 0)
  await until(() => without().length === 0, {
    what: 'a mail for each good build',
    deadline: 60_000,
    seen: () => without().map(describe).join(', '),
  })
  for (const build of good) {
    const ids = new Set(of(build).map(({ parsed }) => parsed.messageId))
    assert.equal(ids.size, 1, `copies of one mail have one id: ${describe(build)}`)
  }
  // Each recipient gets a mail of their own.
  const people = (build: BuildView) => new Set(of(build).flatMap(({ to }) => to)).size
  const copies = good.reduce((sum, build) => sum + of(build).length - people(build), 0)
  assert.ok(copies <= kills, `${copies} second copies of mails in ${kills} kills`)
}

const revisionOf = ({ sourceStamp }: BuildView) => sourceStamp.revision ?? ''
const describe = (build: BuildView) => `#${build.number} (${build.result}, ${revisionOf(build).slice(0, 8)})`
const twice = (lines: readonly string[]) => lines.filter((line, index) => lines.indexOf(line) !== index)
