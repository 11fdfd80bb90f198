// Claim: 10,000 commit mails become changes, each stored durably and put away, at half the rate or more at which mailparser alone
// decodes them from memory.
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { builder, buildFactory, definePlugin, slave } from 'boltbot/plugin-sdk'
import { simpleParser } from 'mailparser'
import { maildir, syncmail } from '../plugins/changes/maildir/index.ts'
import { shellCommand } from '../plugins/steps/index.ts'
import { startBenchMaster } from './bench-master.ts'
import { median, report } from './report.ts'

const ROUNDS = 3
const MAILS = 10_000
const LOG_LINES = 20

const ours: number[] = []
const bare: number[] = []
for (let round = 0; round < ROUNDS; round++) {
  bare.push(await rate(decodeAll))
  ours.push(await drained())
}
report({
  name: 'maildir, mails drained',
  ours: median(ours),
  against: median(bare),
  unit: 'mails/s',
  limit: 'bare mailparser',
  aim: { atLeast: 0.5 },
})

async function decodeAll(): Promise<void> {
  for (let i = 0; i < MAILS; i++) {
    await simpleParser(Buffer.from(mail(i)))
  }
}

/** From the first change to the last mail in `cur`: the master's own start is not what is measured. */
async function drained(): Promise<number> {
  const path = await mkdtemp(join(tmpdir(), 'boltbot-bench-maildir-'))
  try {
    for (const part of ['new', 'cur', 'tmp']) await mkdir(join(path, part))
    for (let i = 0; i < MAILS; i++) await writeFile(join(path, 'new', `${1_700_000_000 + i}.M1P1.host`), mail(i))
    const all = Promise.withResolvers<void>()
    const first = Promise.withResolvers<number>()
    let seen = 0
    const counter = definePlugin({
      name: 'bench/counter',
      kind: 'service',
      apply(host) {
        host.tap('changeAccepted', () => {
          if (seen++ === 0) first.resolve(performance.now())
          if (seen === MAILS) all.resolve()
        })
      },
    })
    await using _bench = await startBenchMaster({
      config: {
        slaves: [slave({ name: 'bot', password: 'x' })],
        builders: [
          builder({ name: 'full', slaves: ['bot'], factory: buildFactory([shellCommand({ command: 'true' })]) }),
        ],
        plugins: [counter()],
        sources: [maildir({ path, parser: syncmail })],
      },
    })
    const from = await first.promise
    await all.promise
    while ((await readdir(join(path, 'new'))).length > 0) await new Promise((resolve) => setTimeout(resolve, 5))
    return (MAILS / (performance.now() - from)) * 1000
  } finally {
    await rm(path, { recursive: true, force: true, maxRetries: 3 })
  }
}

async function rate(work: () => Promise<void>): Promise<number> {
  const from = performance.now()
  await work()
  return (MAILS / (performance.now() - from)) * 1000
}

/** 1.2 kB, as commit mails are. */
function mail(number: number): string {
  return [
    'Return-Path: <jane@users.example.org>',
    'Received: from cvs.example.org (cvs.example.org [192.0.2.7]) by mail.example.org; Tue, 14 Nov 2023 22:13:20 +0000',
    'From: Jane Doe <jane@users.example.org>',
    'To: hello-commits@example.org',
    `Subject: [Hello-commits] hello/src file-${number}.c,1.1,1.2`,
    `Message-ID: <${number}.bench@example.org>`,
    'Date: Tue, 14 Nov 2023 22:13:20 +0000',
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=iso-8859-1',
    'Content-Transfer-Encoding: quoted-printable',
    '',
    'Update of /cvsroot/hello/hello/src',
    'In directory cvs1:/tmp/cvs-serv14867/src',
    '',
    'Modified Files:',
    `\tfile-${number}.c `,
    'Log Message:',
    `commit ${number}`,
    ...Array.from({ length: LOG_LINES }, () => 'A line of words gr=FC=DFt the reader'),
    '',
  ].join('\n')
}
