import { readFile } from 'node:fs/promises'
import { type Duration, definePlugin } from 'boltbot/plugin-sdk'

export interface MyPluginOptions {
  /** A file whose first line is the newest version. */
  readonly file: string
  /** How often it is read; default `'1m'`. */
  readonly interval?: Duration
}

/** Hands in a change for each new version in a file. */
export const myPlugin = definePlugin({
  name: 'my-plugin',
  kind: 'source',
  needs: ['changes', 'pollers', 'state'],
  apply(host, { file, interval = '1m' }: MyPluginOptions) {
    host.registerPoller({
      name: host.id,
      interval,
      async poll() {
        const version = (await readFile(file, 'utf8')).split('\n', 1)[0]!.trim()
        if (version === '' || version === (await host.state.get('last'))) return
        await host.submitChange({ who: 'releases', files: [file], comments: `version ${version}`, revision: version })
        // After the change is stored: a crash between the two hands it in again, and it is known by its revision.
        await host.state.set('last', version)
      },
    })
  },
})
