import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { RealRepository } from './real-repositories.ts'

/**
 * Puts commits `many 1`, `many 2` … into a repository at once: by one push, or as its own programs bring history in. None of it takes
 * a program for each commit.
 */
export function commitMany(kind: keyof typeof WAYS, repository: RealRepository, count: number): Promise<void> {
  return WAYS[kind](repository, count)
}

type Way = (repository: RealRepository, count: number) => Promise<void>

const SECONDS = 1_700_000_000
const JANE = 'Jane Doe <jane@example.org>'
const all = (count: number, text: (i: number) => string) => Array.from({ length: count }, (_, i) => text(i)).join('')

const git: Way = async ({ folder, run }, count) => {
  await writeFile(join(folder, 'stream'), fastImport('main', count, 'from refs/heads/main^0\n'))
  await run('sh', '-c', 'git fast-import --quiet < ../stream && git reset -q --hard && git push -q origin main')
}

const svn: Way = async ({ folder, run }, count) => {
  await writeFile(join(folder, 'dump'), `SVN-fs-dump-format-version: 2\n\n${all(count, svnRevision)}`)
  await run('sh', '-c', `svnadmin load --quiet --no-flush-to-disk '${join(folder, 'repo')}' < ../dump && svn -q update`)
}

const hg: Way = async ({ folder, run }, count) => {
  const patch = (i: number) => {
    const [mode, from, old] = i === 0 ? ['new file mode 100644\n', '/dev/null', '-0,0'] : ['', 'a/many', '-1,1']
    const lines = `${i === 0 ? '' : `-${i - 1}\n`}+${i}\n`
    const diff = `diff --git a/many b/many\n${mode}--- ${from}\n+++ b/many\n@@ ${old} +1,1 @@\n${lines}`
    return `# HG changeset patch\n# User ${JANE}\n# Date ${SECONDS + i} 0\nmany ${i + 1}\n\n${diff}\n`
  }
  await writeFile(join(folder, 'patches'), all(count, patch))
  await run('sh', '-c', 'hg -q import --bypass ../patches && hg -q update && hg -q push')
}

const bzr: Way = async ({ folder, run }, count) => {
  // Its own commands take long for each commit; in one write group all are there at once.
  const script = `
import sys, breezy, breezy.bzr
from breezy.branch import Branch
from breezy.revision import Revision
with breezy.initialize():
    branch = Branch.open(sys.argv[1])
    with branch.lock_write():
        repository, parent, number = branch.repository, branch.last_revision(), branch.revno()
        repository.start_write_group()
        for i in range(${count}):
            name = b'many-%d' % i
            repository.add_inventory_by_delta(parent, [], name, [parent])
            sha1 = repository.inventories.get_sha1s([(name,)])[(name,)]
            repository.add_revision(name, Revision(name, parent_ids=[parent], committer='${JANE}',
                message='many %d' % (i + 1), timestamp=${SECONDS} + i, timezone=0, inventory_sha1=sha1, properties={}))
            parent = name
        repository.commit_write_group()
        branch.set_last_revision_info(number + ${count}, parent)
`
  await writeFile(join(folder, 'many.py'), script)
  const other = join(folder, 'other')
  await run('brz', 'branch', '-q', join(folder, 'repo'), other)
  await run('/usr/bin/python3', join(folder, 'many.py'), other)
  await run('brz', 'push', '-q', '-d', other, join(folder, 'repo'))
  await run('brz', 'update', '-q')
}

const darcs: Way = async ({ folder, run }, count) => {
  const other = join(folder, 'other')
  await writeFile(join(folder, 'stream'), fastImport('master', count, ''))
  await run('sh', '-c', `darcs convert import '${other}' < ../stream > /dev/null`)
  await run('darcs', 'pull', '-q', '-a', '--allow-unrelated-repos', '--patches=^many', other)
}

/** A file with so many revisions, as CVS itself keeps it. */
const cvs: Way = async ({ folder, run }, count) => {
  const path = join(folder, 'repo', 'hello', 'many,v')
  const begin = Date.now() - 2000 * count // its poller looks back an hour
  const date = (i: number) => new Date(begin + i * 2000).toISOString().replace(/[-T:]/g, '.').slice(0, 19)
  const revision = (i: number) => `1.${i + 1}`
  const tree = Array.from({ length: count }, (_, n) => {
    const i = count - 1 - n
    const next = i === 0 ? '' : revision(i - 1)
    return `${revision(i)}\ndate\t${date(i)};\tauthor jane;\tstate Exp;\nbranches;\nnext\t${next};\ncommitid\tmany${i};\n\n`
  })
  const texts = Array.from({ length: count }, (_, n) => {
    const i = count - 1 - n
    const text = n === 0 ? `${i}\n` : `d1 1\na1 1\n${i}\n`
    return `${revision(i)}\nlog\n@many ${i + 1}\n@\ntext\n@${text}@\n\n\n`
  })
  const head = `head\t${revision(count - 1)};\naccess;\nsymbols;\nlocks; strict;\ncomment\t@# @;\n\n\n`
  await mkdir(join(folder, 'repo', 'hello'), { recursive: true })
  await writeFile(path, `${head}${tree.join('')}\ndesc\n@@\n\n\n${texts.join('')}`)
  await run('cvs', '-Q', 'update')
}

const WAYS = { git, svn, hg, bzr, darcs, cvs } satisfies Readonly<Record<string, Way>>

function fastImport(branch: string, count: number, parent: string): string {
  return all(count, (i) => {
    const message = `many ${i + 1}`
    const head = `commit refs/heads/${branch}\nmark :${i + 1}\ncommitter ${JANE} ${SECONDS + i} +0000\n`
    return `${head}data ${message.length}\n${message}\n${i === 0 ? parent : ''}M 644 inline many\ndata ${`${i}`.length}\n${i}\n`
  })
}

function svnRevision(i: number): string {
  const stamp = new Date((SECONDS + i) * 1000).toISOString().replace('Z', '000Z')
  const property = (name: string, value: string) => `K ${name.length}\n${name}\nV ${value.length}\n${value}\n`
  const named = [property('svn:log', `many ${i + 1}`), property('svn:author', 'jane'), property('svn:date', stamp)]
  const properties = `${named.join('')}PROPS-END\n`
  const text = `${i}\n`
  const node = `Node-path: trunk/many ${i}\nNode-kind: file\nNode-action: add\nProp-content-length: 10\nText-content-length: ${text.length}\nContent-length: ${10 + text.length}\n\nPROPS-END\n${text}\n`
  return `Revision-number: ${100_000 + i}\nProp-content-length: ${properties.length}\nContent-length: ${properties.length}\n\n${properties}\n${node}\n`
}
