import { describe } from 'node:test'
import { bzrPoller } from 'boltbot/plugins/vc/bzr'
import { cvsPoller } from 'boltbot/plugins/vc/cvs'
import { darcsPoller } from 'boltbot/plugins/vc/darcs'
import { hgPoller } from 'boltbot/plugins/vc/hg'
import { svnPoller, trunkAndBranches } from 'boltbot/plugins/vc/svn'
import { changeSourceConformance } from '../conformance/changes.ts'
import { createRealRepository, missing } from '../plugins/vc/real-repositories.ts'

const SOURCES = [
  { kind: 'svn', program: 'svn', plugin: (url: string) => svnPoller({ svnurl: url, splitFile: trunkAndBranches }) },
  { kind: 'hg', program: 'hg', plugin: (url: string) => hgPoller({ repourl: url }) },
  { kind: 'bzr', program: 'brz', plugin: (url: string) => bzrPoller({ repourl: url }) },
  { kind: 'darcs', program: 'darcs', plugin: (url: string) => darcsPoller({ repourl: url }) },
  { kind: 'cvs', program: 'cvs', plugin: (url: string) => cvsPoller({ cvsroot: url, cvsmodule: 'hello' }) },
] as const

for (const { kind, program, plugin } of SOURCES) {
  describe(`vc/${kind} with real repositories`, { skip: await missing(program) }, () => {
    changeSourceConformance({
      name: `vc/${kind}`,
      async make() {
        const repository = await createRealRepository(kind)
        await repository.commit('before')
        return {
          plugin: () => plugin(repository.url),
          commit: (message) => repository.commit(message),
          [Symbol.asyncDispose]: () => repository[Symbol.asyncDispose](),
        }
      },
    })
  })
}
