import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import { dictionaryOf } from '../../../wire/pb/jelly.ts'
import type { Value } from '../../../wire/pb/values.ts'
import { askPassword } from '../ask-password.ts'
import { badArgument, fileUnreadable, optionMissing } from '../errors.ts'
import { collect } from '../live-command.ts'
import { print } from '../output.ts'
import { connectPb, remoteProblem } from '../pb-client.ts'
import { readStandardInput } from '../standard-input.ts'
import { readUserOptions, textOption } from '../user-options.ts'
import { createWordDecoder } from '../words.ts'

interface Options {
  readonly master?: string
  readonly auth?: string
  readonly who?: string
  readonly repository: string
  readonly project: string
  readonly branch?: string
  readonly category?: string
  readonly codebase?: string
  readonly revision?: string
  readonly revision_file?: string
  readonly property?: readonly string[]
  readonly comments?: string
  readonly logfile?: string
  readonly when?: string
  readonly revlink: string
  readonly encoding: string
  readonly vc?: string
}

const KINDS = ['cvs', 'svn', 'darcs', 'hg', 'bzr', 'git', 'mtn', 'p4']

export function sendchangeCommand(): Command {
  return new Command('sendchange')
    .description('send a change to a master, here or elsewhere, over Perspective Broker')
    .argument('[files...]', 'the files that were changed')
    .option('-m, --master <host:port>', 'where its pbChangeSource listens')
    .option('-a, --auth <user:password>', 'without a password it is asked for; default change:changepw')
    .option('-W, --who <name>', 'the author')
    .option('-R, --repository <name>', 'the repository', '')
    .option('-P, --project <name>', 'the project', '')
    .option('-b, --branch <name>', 'the branch')
    .option('-C, --category <name>', 'the category')
    .option('--codebase <name>', 'the codebase')
    .option('-r, --revision <id>', 'the revision')
    .option('--revision_file <file>', 'a file that holds the revision')
    .option('-p, --property <name:value>', 'of the change; may be given several times', collect)
    .option('-c, --comments <text>', 'the log message')
    .option('-F, --logfile <file>', 'a file that holds the log message; - for standard input')
    .option('-w, --when <seconds>', 'when it was made, since 1970')
    .option('-l, --revlink <url>', 'the page of the revision', '')
    .option('-e, --encoding <name>', 'of the words and the file of the message', 'utf8')
    .option('-s, --vc <kind>', `the version control system: ${KINDS.join(', ')}`)
    .addHelpText(
      'after',
      "\nExample:\n  $ boltbot sendchange -m ci.example.org:9989 -W jane -b main -c 'Mend it' src/main.c",
    )
    .action(async (files: readonly string[], options: Options) => {
      const saved = readUserOptions(process.cwd())
      const word = createWordDecoder(options.encoding)
      const master = options.master ?? textOption(saved, 'master')
      const who = options.who === undefined ? textOption(saved, 'who', 'username') : word(options.who)
      if (master === undefined) throw optionMissing('--master', '--master ci.example.org:9989')
      if (who === undefined) throw optionMissing('--who', '--who "Jane Doe <jane@example.org>"')
      const change = dictionaryOf({ who, files: files.map(word), ...fieldsOf(options, word) })
      const [user, password] = await credentials(options.auth ?? textOption(saved, 'auth') ?? 'change:changepw')
      using client = await connectPb({ master, user, password })
      try {
        await client.perspective.call('addChange', [change])
      } catch (error) {
        throw remoteProblem(master, error)
      }
      print('change sent successfully')
    })
}

function fieldsOf(options: Options, word: (text: string) => string): Record<string, Value | undefined> {
  const given = (text: string | undefined) => (text === undefined ? null : word(text))
  if (options.vc !== undefined && !KINDS.includes(options.vc)) throw badArgument('--vc', options.vc, KINDS.join(', '))
  return {
    project: word(options.project),
    repository: word(options.repository),
    comments: commentsOf(options, word),
    branch: given(options.branch),
    revision:
      options.revision_file === undefined ? given(options.revision) : read(options.revision_file, 'utf8').trim(),
    category: given(options.category),
    when: options.when === undefined ? null : secondsOf(options.when),
    properties: new Map((options.property ?? []).map((property) => propertyOf(word(property)))),
    revlink: word(options.revlink),
    src: given(options.vc),
    // Masters before 0.8.7 do not know it.
    codebase: options.codebase === undefined ? undefined : word(options.codebase),
  }
}

function commentsOf({ comments, logfile, encoding }: Options, word: (text: string) => string): string {
  if (comments !== undefined) return word(comments)
  return logfile === undefined ? '' : read(logfile, encoding)
}

function read(file: string, encoding: string): string {
  try {
    return new TextDecoder(encoding).decode(file === '-' ? readStandardInput() : readFileSync(file))
  } catch (error) {
    throw fileUnreadable(file, error)
  }
}

function secondsOf(text: string): number {
  const seconds = Number(text)
  if (text.trim() === '' || !Number.isFinite(seconds)) throw badArgument('--when', text, 'seconds since 1970')
  return seconds
}

function propertyOf(text: string): readonly [string, string] {
  const cut = text.indexOf(':')
  if (cut < 1) throw badArgument('property', text, 'name:value')
  return [text.slice(0, cut), text.slice(cut + 1)]
}

async function credentials(auth: string): Promise<readonly [user: string, password: string]> {
  const cut = auth.indexOf(':')
  return cut === -1 ? [auth, await askPassword(auth)] : [auth.slice(0, cut), auth.slice(cut + 1)]
}
