import { describe, it } from 'node:test'
import { changeSourceSuite } from 'boltbot/plugin-sdk/testing'
import { bzrPoller } from 'boltbot/plugins/vc/bzr'
import { cvsPoller } from 'boltbot/plugins/vc/cvs'
import { darcsPoller } from 'boltbot/plugins/vc/darcs'
import { hgPoller } from 'boltbot/plugins/vc/hg'
import { svnPoller, trunkAndBranches } from 'boltbot/plugins/vc/svn'
import { createRealRepository, missing } from '../plugins/vc/real-repositories.ts'

const PLUGINS = {
  svn: (url: string) => svnPoller({ svnurl: url, splitFile: trunkAndBranches }),
  hg: (url: string) => hgPoller({ repourl: url }),
  bzr: (url: string) => bzrPoller({ repourl: url }),
  darcs: (url: string) => darcsPoller({ repourl: url }),
  cvs: (url: string) => cvsPoller({ cvsroot: url, cvsmodule: 'hello' }),
}

/** The conformance suite over a poller and repositories made by the real program. One file each: they take their time. */
export async function vcSourceConformance(kind: keyof typeof PLUGINS, program: string): Promise<void> {
  describe(`vc/${kind} with real repositories`, { skip: await missing(program) }, () => {
    changeSourceSuite(it, {
      name: `vc/${kind}`,
      async make() {
        const repository = await createRealRepository(kind)
        await repository.commit('before')
        return {
          plugin: () => PLUGINS[kind](repository.url),
          commit: (message) => repository.commit(message),
          [Symbol.asyncDispose]: () => repository[Symbol.asyncDispose](),
        }
      },
    })
  })
}
