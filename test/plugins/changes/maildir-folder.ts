import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const FIXTURES = join(import.meta.dirname, '../../fixtures/mails')

/** A maildir in a folder of its own. */
export interface TestMaildir extends AsyncDisposable {
  readonly path: string
  /** Delivers a mail as an agent does; gives the name of its file. */
  deliver(mail: string | Buffer, name?: string): Promise<string>
  /** Names in one of its folders, sorted; none when there is no such folder. */
  names(folder: 'new' | 'cur' | 'failed'): Promise<readonly string[]>
  read(folder: 'cur' | 'failed', name: string): Promise<string>
}

export async function createMaildir(): Promise<TestMaildir> {
  const folder = await mkdtemp(join(tmpdir(), 'boltbot-maildir-'))
  const path = join(folder, 'Maildir')
  let delivered = 0
  await layOut(path)
  return {
    path,
    async deliver(mail, name = deliveredName(delivered++)) {
      await writeFile(join(path, 'tmp/one'), mail)
      await rename(join(path, 'tmp/one'), join(path, 'new', name))
      return name
    },
    names: async (part) => (await readdir(join(path, part)).catch((): string[] => [])).sort(),
    read: (part, name) => readFile(join(path, part, name), 'utf8'),
    async [Symbol.asyncDispose]() {
      await rm(folder, { recursive: true, force: true, maxRetries: 3 })
    },
  }
}

export async function layOut(path: string): Promise<void> {
  for (const part of ['new', 'cur', 'tmp']) await mkdir(join(path, part), { recursive: true })
}

export const fixture = (name: string): Promise<Buffer> => readFile(join(FIXTURES, `${name}.eml`))

/** A commit mail in the format of syncmail. */
export function commitMail(number: number, extra = ''): string {
  return [
    'From: Jane <jane@example.org>',
    `Subject: hello/src file-${number}.c,1.1,1.2`,
    `Message-ID: <${number}@example.org>`,
    ...(extra === '' ? [] : [extra]),
    '',
    'Modified Files:',
    `\tfile-${number}.c `,
    'Log Message:',
    `commit ${number}`,
    '',
  ].join('\n')
}

export const deliveredName = (number: number) => `${1_700_000_000 + number}.M${100_000 + number}P1.host`

/** Delivers so many commit mails from a process of its own, by rename, as fast as it can. */
export async function deliverElsewhere(path: string, count: number): Promise<void> {
  const script = `
    import { renameSync, writeFileSync } from 'node:fs'
    const { commitMail, deliveredName } = await import(process.argv[1])
    for (let i = 0; i < ${count}; i++) {
      writeFileSync(process.argv[2] + '/tmp/x', commitMail(i))
      renameSync(process.argv[2] + '/tmp/x', process.argv[2] + '/new/' + deliveredName(i))
    }`
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', '--input-type=module', '--eval', script, import.meta.filename, path],
    { stdio: ['ignore', 'inherit', 'inherit'] },
  )
  const [code] = await once(child, 'exit')
  if (code !== 0) throw new Error(`the delivering process ended with ${code}`)
}
