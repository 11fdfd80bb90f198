import type { BuildFinished, BuildView, Change } from 'boltbot/plugin-sdk'
import { changeOf } from '../schedulers/follow.ts'

export const AT = 1_700_000_000_000

export function change(fields: Partial<Change> = {}): Change {
  return changeOf({
    who: 'Jane Doe <jane@example.org>',
    files: ['hello.c', 'hello.h'],
    comments: 'Break the build\n\nOn purpose.',
    revision: '1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d',
    repository: '/r',
    when: AT,
    source: 'git',
    ...fields,
  })
}

export function finished(fields: Partial<BuildFinished> = {}): BuildFinished {
  return {
    eventId: 40,
    at: AT + 72_000,
    build: 7,
    builder: 'full',
    number: 12,
    slave: 'bot-linux',
    requests: [1],
    changes: [1],
    blamelist: ['Jane Doe <jane@example.org>'],
    reason: 'scheduler "tests"',
    branch: 'main',
    revision: '1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d',
    result: 'failure',
    previousResult: 'success',
    text: ['failed', 'compile'],
    startedAt: AT,
    ...fields,
  }
}

export function buildView(fields: Partial<BuildView> = {}): BuildView {
  const { branch, revision } = change()
  return {
    id: 7,
    builder: 'full',
    number: 12,
    requests: [1],
    reason: 'scheduler "tests"',
    sourceStamp: { branch, revision, repository: '/r', project: '', codebase: '', patch: null, changes: [1] },
    changes: [change()],
    blamelist: ['Jane Doe <jane@example.org>'],
    slave: 'bot-linux',
    epoch: 1,
    startedAt: AT,
    finishedAt: AT + 72_000,
    result: 'failure',
    text: ['failed', 'compile'],
    properties: {},
    steps: [
      { number: 0, name: 'git', text: 'update', startedAt: AT, finishedAt: AT, result: 'success', logs: ['stdio'] },
      {
        number: 1,
        name: 'compile',
        text: 'compile failed',
        startedAt: AT,
        finishedAt: AT,
        result: 'failure',
        logs: ['stdio', 'warnings (2)'],
      },
    ],
    ...fields,
  }
}
