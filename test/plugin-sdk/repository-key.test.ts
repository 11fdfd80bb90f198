import assert from 'node:assert/strict'
import { test } from 'node:test'
import { repositoryKey } from 'boltbot/plugin-sdk'

test('the ways one repository is written come out as one, others do not', () => {
  const ways = [
    'https://git.example.org/jane/hello.git',
    'https://jane@Git.Example.org/jane/hello',
    'git@git.example.org:jane/hello.git',
    'ssh://git@git.example.org:22/jane/hello/',
    'git://git.example.org/jane/hello.git',
  ]
  assert.deepEqual([...new Set(ways.map(repositoryKey))], ['git.example.org/jane/hello'])
  assert.equal(repositoryKey('file:///srv/hello.git'), repositoryKey('/srv/hello/'))
  const others = [
    'git.example.org/Jane/hello',
    '/srv/hello',
    'C:\\hello',
    ':pserver:anonymous@cvs.example.org:/cvsroot',
    '',
  ]
  assert.equal(new Set([...others, ways[0]!].map(repositoryKey)).size, others.length + 1)
})
