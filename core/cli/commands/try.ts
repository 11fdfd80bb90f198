import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import { FRIEND, SENDABLE } from '../../../wire/pb/limits.ts'
import { textsOf } from '../../../wire/pb/plain.ts'
import { RemoteReference } from '../../../wire/pb/values.ts'
import { badArgument, fileUnreadable, optionMissing, patchTooLarge, tryNoBuilder } from '../errors.ts'
import { findPassword } from '../find-password.ts'
import { collect } from '../live-command.ts'
import { oneLine, print, whoAmI } from '../output.ts'
import { connectPb, type PbClient, remoteProblem } from '../pb-client.ts'
import { readStandardInput } from '../standard-input.ts'
import { connectStatusPort } from '../status-port.ts'
import { deliverBySsh } from '../try/deliver-ssh.ts'
import { findJob } from '../try/find-job.ts'
import { followTry } from '../try/follow.ts'
import { jobFile, newJobId, type TryJob, tryArguments } from '../try/job.ts'
import { readTree } from '../try/tree.ts'
import { KINDS, type Kind, type TreeState } from '../try/tree-reader.ts'
import { listOption, readUserOptions, textOption, type UserOptions } from '../user-options.ts'

interface Options {
  readonly connect?: string
  readonly master?: string
  readonly username?: string
  readonly passwd?: string
  readonly passwdFile?: string
  readonly statusUsername?: string
  readonly host?: string
  readonly port?: string
  readonly jobdir?: string
  readonly ssh?: string
  readonly buildbotbin?: string
  readonly vc?: string
  readonly branch?: string
  readonly baserev?: string
  readonly topdir?: string
  readonly topfile?: string
  readonly repository?: string
  readonly project?: string
  readonly diff?: string
  readonly patchlevel: string
  readonly builder?: readonly string[]
  readonly who?: string
  readonly comment?: string
  readonly property?: readonly string[]
  readonly properties?: readonly string[]
  readonly wait?: true
  readonly dryrun?: true
  readonly quiet?: true
  readonly getBuilderNames?: true
}

export function tryCommand(): Command {
  return new Command('try')
    .description('have a master build what is not committed yet')
    .option('-c, --connect <way>', 'pb, or ssh')
    .option('-m, --master <host:port>', 'where its tryUserpass listens (pb); its pbListener, for --wait (ssh)')
    .option('-u, --username <name>', 'who you are there')
    .option('--passwd <password>', 'your password there; asked for when left out')
    .option('--passwd-file <file>', 'a file with it: others see what stands on a command line')
    .option('--status-username <name>', 'what to log in with at its pbListener (ssh); default statusClient')
    .option('--host <name>', 'the machine of the master (ssh)')
    .option('--port <number>', 'of its ssh')
    .option('--jobdir <dir>', 'the jobdir of its tryJobdir (ssh)')
    .option('--ssh <command>', 'instead of "ssh"')
    .option('--buildbotbin <program>', 'what takes the job over there; default boltbot')
    .option('--vc <kind>', `${KINDS.join(', ')}; default: what the tree looks like`)
    .option('--branch <name>', 'the branch, if the tree does not say it')
    .option('--baserev <id>', 'what to compare with, instead of what the tree is based on')
    .option('--topdir <dir>', 'the top of the tree (svn, cvs)')
    .option('--topfile <name>', 'a file that only the top of the tree has (svn, cvs)')
    .option('--repository <name>', 'the repository')
    .option('--project <name>', 'the project')
    .option('--diff <file>', 'a patch instead of what the tree says; - for standard input')
    .option('-p, --patchlevel <number>', 'folders to take off the paths of --diff', '0')
    .option('-b, --builder <name>', 'a builder; may be given several times; default: all that are offered', collect)
    .option('-w, --who <name>', 'who is responsible')
    .option('-C, --comment <text>', 'shown with the builds')
    .option('--property <name=value>', 'of the builds; may be given several times', collect)
    .option('--properties <list>', 'name=value,name=value', collect)
    .option('--wait', 'wait until all builds have ended; exit code 1 when one was not good')
    .option('-n, --dryrun', 'show what would be sent')
    .option('-q, --quiet', 'say nothing while waiting')
    .option('--get-builder-names', 'print the builders: those that are offered (pb), or all (ssh)')
    .addHelpText('after', '\nExample:\n  $ boltbot try --connect=pb -m ci.example.org:9989 -u jane -b full --wait')
    .action(async (options: Options) => {
      const saved = readUserOptions(process.cwd())
      const way = options.connect ?? textOption(saved, 'try_connect') ?? 'pb'
      if (way !== 'pb' && way !== 'ssh') throw badArgument('--connect', way, 'pb or ssh')
      if (options.getBuilderNames) return printBuilderNames(way, options, saved)
      const job = await jobOf(options, saved)
      if (options.dryrun) return printJob(job)
      if (way === 'ssh') await bySsh(job, options, saved)
      else await byPb(job, options, saved)
    })
}

async function jobOf(options: Options, saved: UserOptions): Promise<TryJob> {
  const tree = await treeOf(options, saved)
  return {
    ...tree,
    repository: options.repository ?? textOption(saved, 'try_repository') ?? '',
    project: options.project ?? '',
    builders: options.builder ?? listOption(saved, 'try_builders') ?? [],
    who: options.who ?? textOption(saved, 'try_who') ?? whoAmI(),
    comment: options.comment ?? textOption(saved, 'try_comment') ?? null,
    properties: new Map(
      [...(options.properties ?? []).flatMap((list) => list.split(',')), ...(options.property ?? [])].map(propertyOf),
    ),
  }
}

async function treeOf(options: Options, saved: UserOptions): Promise<TreeState> {
  const branch = options.branch ?? textOption(saved, 'try_branch')
  if (options.diff !== undefined) {
    if (!/^\d{1,2}$/.test(options.patchlevel)) throw badArgument('--patchlevel', options.patchlevel, 'a whole number')
    const level = Number(options.patchlevel)
    return { branch: branch ?? null, revision: options.baserev ?? null, level, patch: read(options.diff) }
  }
  const kind = options.vc ?? textOption(saved, 'try_vc')
  if (kind !== undefined && !(KINDS as readonly string[]).includes(kind))
    throw badArgument('--vc', kind, KINDS.join(', '))
  return readTree(kind as Kind | undefined, {
    folder: process.cwd(),
    top: options.topdir ?? textOption(saved, 'try_topdir'),
    topFile: options.topfile ?? textOption(saved, 'try_topfile'),
    branch,
    baseRevision: options.baserev,
  })
}

function read(file: string): Uint8Array {
  try {
    return file === '-' ? readStandardInput() : readFileSync(file)
  } catch (error) {
    throw fileUnreadable(file, error)
  }
}

function propertyOf(text: string): readonly [string, string] {
  const cut = text.indexOf('=')
  if (cut < 1) throw badArgument('property', text, 'name=value')
  return [text.slice(0, cut), text.slice(cut + 1)]
}

async function login(options: Options, saved: UserOptions): Promise<PbClient & { readonly master: string }> {
  const master = options.master ?? textOption(saved, 'try_master', 'master')
  const user = options.username ?? textOption(saved, 'try_username')
  if (master === undefined) throw optionMissing('--master', '--master ci.example.org:9989')
  if (user === undefined) throw optionMissing('--username', '--username jane')
  const password = await findPassword(user, options, saved, 'try_password')
  return Object.assign(await connectPb({ master, user, password, longest: FRIEND.string }), { master })
}

async function printBuilderNames(way: 'pb' | 'ssh', options: Options, saved: UserOptions): Promise<void> {
  using client = way === 'pb' ? await login(options, saved) : await statusPort(options, saved)
  const method = way === 'pb' ? 'getAvailableBuilderNames' : 'getBuilderNames'
  for (const name of textsOf(await client.perspective.call(method))) print(oneLine(name))
}

/** A job directory tells nothing of the builds: the status port does. */
const statusPort = ({ statusUsername, ...options }: Options, saved: UserOptions) =>
  connectStatusPort({ ...options, ...(statusUsername !== undefined && { user: statusUsername }) }, saved)

async function byPb(job: TryJob, options: Options, saved: UserOptions): Promise<void> {
  const words = tryArguments(job)
  using client = await login(options, saved)
  try {
    await checkSize(job.patch.length, client)
    const buildset = await client.perspective.call('try', words)
    if (!(buildset instanceof RemoteReference)) throw tryNoBuilder(job.builders)
    print('The job is delivered.')
    if (waits(options, saved)) await waitFor(buildset, client, options.quiet === true)
  } catch (error) {
    throw remoteProblem(client.master, error)
  }
}

/** Buildbot's masters take no string of more than 640 KiB and drop who sends one; ours say what they take. */
async function checkSize(size: number, { perspective }: PbClient): Promise<void> {
  if (size <= SENDABLE) return
  const most = await perspective.call('getLongestString').catch(() => SENDABLE) // no such method
  if (typeof most !== 'number' || size > most) throw patchTooLarge(size, Number(most))
}

async function waitFor(buildset: RemoteReference, client: PbClient, quiet: boolean): Promise<void> {
  const say = (builder: string, what: string) => quiet || print(oneLine(`${builder}: ${what}`))
  const ends = await Promise.race([followTry(buildset, say), client.lost])
  for (const { builder, result, text } of ends)
    print(oneLine(`${builder}: ${result}${text === '' ? '' : ` (${text})`}`))
  if (ends.some(({ result }) => result !== 'success')) process.exitCode = 1
}

const waits = (options: Options, saved: UserOptions) => options.wait ?? saved.try_wait === true

async function bySsh(job: TryJob, options: Options, saved: UserOptions): Promise<void> {
  const host = options.host ?? textOption(saved, 'try_host')
  const jobdir = options.jobdir ?? textOption(saved, 'try_dir', 'try_jobdir')
  if (host === undefined) throw optionMissing('--host', '--host ci.example.org')
  if (jobdir === undefined) throw optionMissing('--jobdir', '--jobdir /srv/boltbot/ci/jobdir')
  // What cannot be followed is not begun.
  using client = waits(options, saved) ? await statusPort(options, saved) : undefined
  const id = newJobId()
  await deliverBySsh(jobFile(job, id), {
    ssh: options.ssh ?? textOption(saved, 'try_ssh') ?? 'ssh',
    host,
    port: options.port ?? textOption(saved, 'try_port'),
    user: options.username ?? textOption(saved, 'try_username'),
    jobdir,
    program: options.buildbotbin ?? textOption(saved, 'try_buildbotbin') ?? 'boltbot',
  })
  print('The job is delivered.')
  if (client === undefined) return
  try {
    await waitFor(await findJob(client, id), client, options.quiet === true)
  } catch (error) {
    throw remoteProblem(client.master, error)
  }
}

function printJob(job: TryJob): void {
  const { patch, properties, ...rest } = job
  print(JSON.stringify({ ...rest, properties: Object.fromEntries(properties), patchBytes: patch.length }, null, 2))
  process.stdout.write(patch)
}
