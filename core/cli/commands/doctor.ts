import { styleText } from 'node:util'
import type { Finding, Log } from 'boltbot/plugin-sdk'
import { Command } from 'commander'
import { openMasterBasedir } from '../basedir.ts'
import { examine } from '../doctor/doctor.ts'
import { oneLine, print, printJson } from '../output.ts'

export function doctorCommand(): Command {
  return new Command('doctor')
    .description("look from the master's place whether all it needs works; exit code 1 when something does not")
    .argument('[basedir]', 'its base directory', '.')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  $ boltbot doctor ci')
    .action(async (given: string, { json }: { json?: true }) => {
      const findings: Finding[] = []
      for await (const finding of examine(openMasterBasedir(given), SILENT)) {
        findings.push(finding)
        if (!json) tell(finding)
      }
      const count = (verdict: Finding['verdict']) => findings.filter((one) => one.verdict === verdict).length
      if (json) printJson(findings)
      else print(`\n${count('ok')} good, ${count('warn')} to look at, ${count('fail')} broken.`)
      if (count('fail') > 0) process.exitCode = 1
    })
}

const STYLES = { ok: 'green', warn: 'yellow', fail: 'red' } as const

function tell({ what, verdict, text, cure }: Finding): void {
  const word = styleText(STYLES[verdict], verdict.padEnd(4), { stream: process.stdout })
  print(`${word}  ${oneLine(what)}: ${oneLine(text)}`)
  if (cure !== undefined) print(`      ${oneLine(cure)}`)
}

/** What is wrong is in the findings. */
const SILENT: Log = { error() {}, warn() {}, info() {}, debug() {}, child: () => SILENT }
