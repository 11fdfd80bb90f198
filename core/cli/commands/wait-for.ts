import { isGood, type Result } from 'boltbot/plugin-sdk'
import { callMaster } from '../control-client.ts'
import { print } from '../output.ts'

/** Waits for what was asked for, says how it ended; a bad result is exit code 1. */
export async function waitForBuildset(basedir: string, buildset: number): Promise<void> {
  const { result } = await callMaster<{ result: Result }>(basedir, 'wait', { buildset })
  print(`It ended: ${result}.`)
  if (!isGood(result)) process.exitCode = 1
}
