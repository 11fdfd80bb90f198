import { CiError, type Host, type Json, messageOf } from 'boltbot/plugin-sdk'
import { dictionaryOrNone, plainOf, textOf, textOrNull } from '../../../wire/pb/plain.ts'
import { RaisedError } from '../../../wire/pb/remote-error.ts'
import { type Method, Referenceable, type Value } from '../../../wire/pb/values.ts'
import type { PbSession } from '../../ports/pb/account.ts'
import { changeOf } from '../../ports/pb/change-of.ts'

/** What is logged of a text at most. */
const MOST_TEXT = 1000

/** What who knows the debug password may call. Each act is logged with its peer; those that the guard knows are in the audit too. */
export function createDebugPerspective(host: Host, { user, peer }: PbSession): Referenceable {
  const by = (reason: string) => ({ who: user, reason: `${reason} (debug port)` })

  /** Refusals are told as they are; what is ours alone stays here. */
  const logged =
    (act: string, method: Method): Method =>
    async (args, keywords) => {
      host.log.info('asked on the debug port', { act, peer })
      try {
        return await method(args, keywords)
      } catch (error) {
        host.log.warn('not done on the debug port', { act, peer, reason: messageOf(error) })
        throw error instanceof CiError ? new RaisedError('builtins.ValueError', sentences(error)) : error
      }
    }

  async function requestBuild(args: readonly Value[]): Promise<Value> {
    const [builder, reason, branch, revision, properties] = args
    const given = properties === undefined || properties === null ? {} : plainOf(properties)
    const { requests, warning } = await host.force({
      ...by(textOf(reason) || 'forced'),
      builder: textOf(builder) ?? '',
      branch: textOrNull(branch) || null,
      revision: textOrNull(revision) || null,
      ...(isObject(given) && { properties: given }),
    })
    return new Map<Value, Value>([
      ['requests', [...requests]],
      ['warning', warning],
    ])
  }

  async function addChange(given: ReturnType<typeof changeOf>): Promise<Value> {
    const { change, duplicate } = await host.submitChange(given)
    return new Map<Value, Value>([
      ['change', change.id],
      ['duplicate', duplicate],
    ])
  }

  /** The chat bot knows where it is. */
  async function pokeIRC(): Promise<Value> {
    const lines: string[] = []
    using chat = host.openChat({ id: `debug/${peer}`, via: 'debug', stays: false, announce: () => {} })
    await chat.hear({ speaker: { name: user, who: user }, text: 'poke', reply: (line) => void lines.push(line) })
    return lines
  }

  return new Referenceable({
    requestBuild: logged('requestBuild', requestBuild),
    fakeChange: logged('fakeChange', ([file, revision, who, branch, repository, project]) =>
      addChange({
        who: textOf(who) || 'fakeUser',
        files: [textOf(file) ?? ''],
        comments: 'some fake comments\n',
        revision: revisionOf(revision),
        branch: textOrNull(branch) || null,
        repository: textOf(repository) ?? '',
        project: textOf(project) ?? '',
      }),
    ),
    /** As of a change source: for changes of more files, with what their author says. */
    addChange: logged('addChange', ([given]) => addChange(changeOf(dictionaryOrNone(given), ''))),
    reload: logged('reload', async () => [...(await host.reconfigure(by('reload')))]),
    pokeIRC: logged('pokeIRC', pokeIRC),
    pingBuilder: logged('pingBuilder', async ([name]) => {
      const builder = await host.query.builder(textOf(name) ?? '')
      if (builder === undefined) throw new RaisedError('builtins.KeyError', `There is no builder "${textOf(name)}".`)
      return builder.state !== 'offline'
    }),
    setCurrentState: logged('setCurrentState', () => {
      throw new RaisedError('builtins.ValueError', 'What a builder does cannot be set.')
    }),
    print([text]) {
      host.log.info('said on the debug port', { peer, text: (textOf(text) ?? '').slice(0, MOST_TEXT) })
      return null
    },
  })
}

const sentences = ({ message, hint }: CiError) => (hint === undefined ? message : `${message} ${hint}`)

/** Old clients send what looks like a number as one. */
const revisionOf = (value: Value | undefined) => (typeof value === 'number' ? `${value}` : textOrNull(value) || null)

const isObject = (value: unknown): value is Readonly<Record<string, Json>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
