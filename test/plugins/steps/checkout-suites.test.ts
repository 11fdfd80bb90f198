import { test } from 'node:test'
import type { Step } from 'boltbot/plugin-sdk'
import { type ScriptedAnswer, stepSuite } from 'boltbot/plugin-sdk/testing'
import { bzr } from 'boltbot/plugins/vc/bzr'
import { cvs } from 'boltbot/plugins/vc/cvs'
import { darcs } from 'boltbot/plugins/vc/darcs'
import { git } from 'boltbot/plugins/vc/git'
import { hg } from 'boltbot/plugins/vc/hg'
import { svn } from 'boltbot/plugins/vc/svn'

const HASH = '0123456789abcdef0123456789abcdef01234567'

/** What the program on the slave says the tree is at. */
const KINDS: readonly { name: string; step: (mode: 'update' | 'copy' | 'export') => Step; says: ScriptedAnswer[] }[] = [
  {
    name: 'git',
    step: (mode) => git({ repourl: 'https://git.example.org/hello.git', branch: 'main', mode }),
    says: [{ match: 'rev-parse', output: `${HASH}\n` }],
  },
  {
    name: 'hg',
    step: (mode) => hg({ repourl: 'https://hg.example.org/hello', mode }),
    says: [{ match: 'hg log', output: HASH }],
  },
  {
    name: 'svn',
    step: (mode) => svn({ svnurl: 'https://svn.example.org/hello/trunk', mode }),
    says: [{ match: 'svn info', output: '17' }],
  },
  {
    name: 'bzr',
    step: (mode) => bzr({ repourl: 'https://bzr.example.org/hello/trunk', mode }),
    says: [{ match: 'revno', output: '17\n' }],
  },
  {
    name: 'darcs',
    step: (mode) => darcs({ repourl: 'https://darcs.example.org/hello', mode }),
    says: [{ match: 'darcs log', output: `patch ${HASH}\nAuthor: jane@example.org\n` }],
  },
  {
    name: 'cvs',
    step: (mode) => cvs({ cvsroot: ':pserver:anonymous@cvs.example.org:/cvsroot', cvsmodule: 'hello', mode }),
    says: [],
  },
]

const NO_TREE: ScriptedAnswer = { match: 'stat ', result: { data: null } }
const TREE: ScriptedAnswer = { match: 'stat ', result: { data: { size: 1 } } }
const NO_PATCH: ScriptedAnswer = { match: /stat .*boltbot-patched/, result: { data: null } }

for (const { name, step, says } of KINDS) {
  stepSuite(test, {
    name: `${name}, for the first time`,
    step: () => step('update'),
    answers: [NO_TREE, ...says],
  })
  stepSuite(test, {
    name: `${name}, with a tree there`,
    step: () => step('copy'),
    answers: [NO_PATCH, TREE, ...says],
  })
  if (name !== 'svn') continue // the frame of all exports
  stepSuite(test, {
    name: `${name}, as an export`,
    step: () => step('export'),
    answers: [NO_TREE, { match: 'glob', result: { data: ['build/a/.meta'] } }, ...says],
  })
}
