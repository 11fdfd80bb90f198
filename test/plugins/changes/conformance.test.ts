import { maildir, syncmail } from 'boltbot/plugins/changes/maildir'
import { gitPoller } from 'boltbot/plugins/vc/git'
import { changeSourceConformance } from '../../conformance/changes.ts'
import { createRepository } from '../vc/repository.ts'
import { commitMail, createMaildir } from './maildir-folder.ts'

changeSourceConformance({
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

changeSourceConformance({
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
