import { definePlugin, type Host, isRefusal, messageOf } from 'boltbot/plugin-sdk'
import { dictionaryOrNone } from '../../../wire/pb/plain.ts'
import { RaisedError } from '../../../wire/pb/remote-error.ts'
import { Referenceable } from '../../../wire/pb/values.ts'
import type { PbSession } from '../../ports/pb/account.ts'
import { changeOf } from '../../ports/pb/change-of.ts'
import { joinPbPort } from '../../ports/pb/pb-port.ts'
import { type PbChangeSourceOptions, type PbChanges, pbChangesSchema } from './options.ts'

export type { PbChangeSourceOptions } from './options.ts'

/**
 * Changes that `boltbot sendchange`, `buildbot sendchange` and commit hooks send over Perspective Broker.
 *
 * @example sources: [pbChangeSource({ user: 'change', password: secret('change'), prefix: 'trunk/' })]
 */
export const pbChangeSource = definePlugin<'source', PbChangeSourceOptions, PbChanges>({
  name: 'changes/pb',
  kind: 'source',
  needs: ['changes', 'secrets'],
  schema: pbChangesSchema,
  apply() {},
  async start(host, { user, password, port, prefix }) {
    await joinPbPort(host, port, {
      kind: 'change source',
      users: [user],
      password: (given) => (given === user ? host.secrets.resolve(password) : undefined),
      enter: async (session) => taker(host, session, prefix),
    })
  },
})

/** What a sender may call. It is told nothing of the change but that it is stored. */
function taker(host: Host, { peer }: PbSession, prefix: string): Referenceable {
  return new Referenceable({
    async addChange([given], keywords) {
      const change = changeOf(given instanceof Map ? given : dictionaryOrNone(keywords), prefix)
      try {
        const { change: stored, duplicate } = await host.submitChange(change)
        host.log.info(duplicate ? 'change was known' : 'change taken', { change: stored.id, who: stored.who, peer })
      } catch (error) {
        host.log.warn('change refused', { who: change.who, peer, reason: messageOf(error) })
        // What the change is not to blame for may go well the next time.
        throw new RaisedError(isRefusal(error) ? 'builtins.ValueError' : 'builtins.RuntimeError', messageOf(error))
      }
      return null
    },
  })
}
