import type { BuildView, Host } from 'boltbot/plugin-sdk'

/** The last builds of each builder, kept until something happens to that builder: overviews ask for all of them at once. */
export interface Recent {
  /** Newest first. */
  of(builder: string): Promise<readonly BuildView[]>
}

const COUNT = 12

export function createRecent(host: Host): Recent {
  const known = new Map<string, Promise<readonly BuildView[]>>()
  const forget = ({ builder }: { readonly builder: string }) => void known.delete(builder)
  host.tap('buildStarted', forget)
  host.tap('stepStarted', forget)
  host.tap('stepFinished', forget)
  host.tap('buildFinished', forget)
  host.tap('configApplied', () => known.clear())
  return {
    async of(builder) {
      const found = known.get(builder) ?? host.query.builds({ builder, limit: COUNT })
      known.set(builder, found)
      try {
        return await found
      } catch (error) {
        known.delete(builder)
        throw error
      }
    },
  }
}
