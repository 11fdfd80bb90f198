import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { until } from 'boltbot/plugin-sdk/testing'
import { reservePort } from '../../e2e/rig/ports.ts'

/** A real Buildbot master. Its worker port also takes changes (`change`, `changepw`) and patches (`alice`, `wonder`). */
export interface BuildbotMaster extends AsyncDisposable {
  readonly port: number
  readonly msgpackPort: number
  readonly basedir: string
  /** The changes it accepted so far. */
  changes(): readonly Record<string, unknown>[]
  log(): string
}

export async function startBuildbotMaster(): Promise<BuildbotMaster> {
  const basedir = realpathSync(mkdtempSync(join(tmpdir(), 'boltbot-buildbot-')))
  const port = await reservePort()
  const msgpackPort = await reservePort()
  writeFileSync(join(basedir, 'master.cfg'), config(port, msgpackPort, basedir))
  execFileSync('buildbot', ['create-master', '-q', basedir], { stdio: 'pipe' })
  const child = spawn('buildbot', ['start', '--nodaemon', basedir], { stdio: 'ignore' })
  const exited = once(child, 'exit')
  const log = () => readIfThere(join(basedir, 'twistd.log'))
  await until(() => log().includes('BuildMaster is running'), { what: 'Buildbot to run', deadline: 60_000, seen: log })
  return {
    port,
    msgpackPort,
    basedir,
    log,
    changes: () =>
      readIfThere(join(basedir, 'changes.jsonl'))
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line)),
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await exited
      rmSync(basedir, { recursive: true, force: true })
    },
  }
}

const readIfThere = (file: string) => (existsSync(file) ? readFileSync(file, 'utf8') : '')

const config = (port: number, msgpackPort: number, basedir: string) => `
import json
from buildbot.plugins import *

def note(change):
    with open('${basedir}/changes.jsonl', 'a') as out:
        out.write(json.dumps({
            'who': change.who, 'files': list(change.files), 'comments': change.comments, 'branch': change.branch,
            'revision': change.revision, 'repository': change.repository, 'project': change.project,
            'codebase': change.codebase, 'category': change.category, 'revlink': change.revlink,
            'when': change.when, 'properties': {k: v[0] for k, v in change.properties.properties.items()} if hasattr(change.properties, 'properties') else {},
        }) + '\\n')
    return False

ok = util.BuildFactory([
    steps.ShellCommand(command=['sh', '-c', 'echo "built with $(cat patched 2>/dev/null)"; echo oops >&2']),
])
bad = util.BuildFactory([steps.ShellCommand(command=['sh', '-c', 'exit 3'])])
slow = util.BuildFactory([steps.ShellCommand(command=['sleep', '600'], timeout=2)])
files = util.BuildFactory([
    steps.StringDownload('from the master', workerdest='down.txt'),
    steps.ShellCommand(command=['sh', '-c', 'wc -c < down.txt; printf "%s" up > up.txt']),
    steps.FileUpload(workersrc='up.txt', masterdest='${basedir}/uploaded.txt'),
    steps.MakeDirectory(dir='build/some/where'),
    steps.FileExists(file='build/up.txt'),
    steps.CopyDirectory(src='build/some', dest='build/other'),
    steps.RemoveDirectory(dir='build/other'),
])

c = BuildmasterConfig = {}
c['protocols'] = {'pb': {'port': 'tcp:${port}:interface=127.0.0.1'}, 'msgpack_experimental_v7': {'port': ${msgpackPort}}}
c['workers'] = [worker.Worker('bot', 'pass1')]
c['change_source'] = [changes.PBChangeSource(port='tcp:${port}:interface=127.0.0.1', user='change', passwd='changepw')]
c['schedulers'] = [
    schedulers.Try_Userpass(name='try', builderNames=['good', 'bad', 'slow', 'files'], port='tcp:${port}:interface=127.0.0.1', userpass=[('alice', 'wonder')]),
    schedulers.SingleBranchScheduler(name='note', change_filter=util.ChangeFilter(filter_fn=note), builderNames=['good']),
]
c['builders'] = [
    util.BuilderConfig(name='good', workernames=['bot'], factory=ok),
    util.BuilderConfig(name='bad', workernames=['bot'], factory=bad),
    util.BuilderConfig(name='slow', workernames=['bot'], factory=slow),
    util.BuilderConfig(name='files', workernames=['bot'], factory=files),
]
c['db'] = {'db_url': 'sqlite:///state.sqlite'}
c['buildbotNetUsageData'] = None
`
