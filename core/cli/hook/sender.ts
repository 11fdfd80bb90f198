import { type ChangeInput, CiError, messageOf } from 'boltbot/plugin-sdk'
import { dictionaryOf } from '../../../wire/pb/jelly.ts'
import { RemoteError } from '../../../wire/pb/remote-error.ts'
import { connectPb, type PbClient, remoteProblem } from '../pb-client.ts'
import { hookHttpFailed, hookSettingsWrong } from './errors.ts'
import type { QueuedChange } from './queue.ts'
import { type HookSettings, secretOf } from './settings.ts'

/** The way to a master. */
export interface Sender extends Disposable {
  /** For people: where it goes. */
  readonly master: string
  /** @returns why it will never be taken; `null`: it is taken. @throws when it is to be tried again later. */
  send(item: QueuedChange): Promise<string | null>
}

/** @throws CiError `BOLT_CLI_HOOK_SETTINGS`. */
export function createSender(folder: string, settings: HookSettings, signal: AbortSignal): Sender {
  if (settings.pb !== undefined) return pbSender(folder, settings.pb, settings, signal)
  if (settings.url !== undefined) return httpSender(settings.url, secretOf(folder, settings, 'secret'), signal)
  throw hookSettingsWrong(`${folder}/settings.json`, 'it says neither pb nor url, and neither does the command line')
}

function pbSender(folder: string, master: string, settings: HookSettings, signal: AbortSignal): Sender {
  const login = { master, user: settings.user ?? 'change', password: secretOf(folder, settings, 'passwd'), signal }
  let client: PbClient | undefined
  return {
    master,
    async send({ change }) {
      client ??= await connectPb(login)
      const add = (more: Readonly<Record<string, string>>) =>
        Promise.race([
          client!.perspective.call('addChange', [dictionaryOf({ ...pbFields(change), ...more })]),
          client!.lost,
        ])
      try {
        // A Buildbot knows no key, and says so before it does anything.
        if (change.key === undefined) await add({})
        else await add({ key: change.key }).catch((error) => (isNoKey(error) ? add({}) : Promise.reject(error)))
        return null
      } catch (error) {
        if (error instanceof RemoteError && error.is(REFUSAL)) return error.message
        throw remoteProblem(master, error)
      }
    },
    [Symbol.dispose]: () => client?.[Symbol.dispose](),
  }
}

const REFUSAL = 'builtins.ValueError'
const isNoKey = (error: unknown) =>
  error instanceof RemoteError && /unexpected keyword argument 'key'/.test(error.message)

/** As `sendchange` has them. */
function pbFields(change: ChangeInput) {
  return {
    who: change.who,
    files: [...change.files],
    comments: change.comments,
    branch: change.branch ?? null,
    revision: change.revision ?? null,
    repository: change.repository ?? '',
    project: change.project ?? '',
    category: change.category ?? null,
    revlink: change.revlink ?? '',
    when: change.when === undefined ? null : change.when / 1000,
    properties: new Map(),
    codebase: change.codebase,
  }
}

function httpSender(url: string, secret: string, signal: AbortSignal): Sender {
  const master = withoutSecrets(url)
  return {
    master,
    async send({ id, change: { when, ...change } }) {
      const body = JSON.stringify({ id, ...change, ...(when !== undefined && { when: when / 1000 }) })
      let response: Response
      try {
        const headers = { authorization: `Bearer ${secret}`, 'content-type': 'application/json' }
        response = await fetch(url, { method: 'POST', headers, body, signal, redirect: 'error' })
      } catch (error) {
        throw hookHttpFailed(master, causeOf(error))
      }
      const text = (await response.text()).slice(0, 10_000)
      if (response.ok) return refusedOf(text)
      if ([400, 413, 415].includes(response.status)) return text.trim()
      throw hookHttpFailed(master, `${response.status} ${text.trim() || response.statusText}`)
    },
    [Symbol.dispose]() {},
  }
}

/** @throws CiError when somebody else answered. */
function refusedOf(text: string): string | null {
  try {
    const { refused } = JSON.parse(text) as { readonly refused: readonly unknown[] }
    return refused.length === 0
      ? null
      : refused.map((reason) => (typeof reason === 'string' ? reason : JSON.stringify(reason))).join(' ')
  } catch {
    throw hookHttpFailed('the address', 'what answers there is no webhook of Boltbot')
  }
}

function causeOf(error: unknown): string {
  if (error instanceof CiError) return error.message
  const { cause } = error as { readonly cause?: unknown }
  return messageOf(cause instanceof Error ? cause : error).replace(/\.$/, '')
}

const withoutSecrets = (url: string) => url.replace(/^(\w+:\/\/)[^/@]*@/, '$1')
