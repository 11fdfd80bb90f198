import { test } from 'node:test'
import { changeSourceSuite } from 'boltbot/plugin-sdk/testing'
import { maildir, syncmail } from 'boltbot/plugins/changes/maildir'
import { type ForgeName, webhook } from 'boltbot/plugins/changes/webhook'
import { gitPoller } from 'boltbot/plugins/vc/git'
import { createRepository } from '../vc/repository.ts'
import { commitMail, createMaildir } from './maildir-folder.ts'
import { type Delivery, delivery, post, SECRET } from './webhook-delivery.ts'

changeSourceSuite(test, {
  name: 'changes/maildir',
  async make() {
    const folder = await createMaildir()
    return {
      plugin: () => maildir({ path: folder.path, parser: syncmail }),
      commit: (message) => folder.deliver(commitMail(Number(message.replace(/\D/g, '')))),
      [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
    }
  },
})

changeSourceSuite(test, {
  name: 'vc/git',
  async make() {
    const repository = await createRepository()
    await repository.commit('before')
    return {
      plugin: () => gitPoller({ repourl: repository.path, branches: ['main'] }),
      commit: (message) => repository.commit(message),
      [Symbol.asyncDispose]: () => repository[Symbol.asyncDispose](),
    }
  },
})

/** A forge, or a program with a queue: what was not taken is sent again, and what was taken may be. */
function webhookConformance(forge: ForgeName, deliveryOf: (message: string, number: number) => Delivery): void {
  changeSourceSuite(test, {
    name: `changes/webhook of ${forge}`,
    async make() {
      const waiting: Delivery[] = []
      let sent: Delivery | undefined
      let commits = 0
      return {
        plugin: () => webhook({ forge, secret: SECRET }),
        commit: async (message) => waiting.push(deliveryOf(message, ++commits)),
        async bring(running) {
          if (sent !== undefined) waiting.unshift(sent)
          while (waiting.length > 0) {
            running.host.signal.throwIfAborted()
            const { status, text } = await post(running, waiting[0]!)
            if (status !== 200) throw new Error(text)
            sent = waiting.shift()
          }
        },
        [Symbol.asyncDispose]: async () => {},
      }
    },
  })
}

webhookConformance('plain', (message, number) =>
  delivery('plain', '', JSON.stringify({ id: `${number}`, who: 'jane', comments: message })),
)

webhookConformance('github', (message, number) => {
  const id = `${number}`.padStart(40, 'a')
  const commit = { id, message, author: { name: 'jane' }, added: [], modified: ['x'], removed: [] }
  const before = `${number - 1}`.padStart(40, 'a')
  const repository = { full_name: 'jane/hello', clone_url: 'https://github.com/jane/hello.git' }
  const push = { ref: 'refs/heads/main', before, after: id, commits: [commit], head_commit: commit, repository }
  return delivery('github', 'push', JSON.stringify(push))
})
