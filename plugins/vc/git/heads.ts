/**
 * The heads of a repository, from the lines of `git ls-remote` or `git for-each-ref`: by the name of the branch, tags by their whole
 * name. Of an annotated tag the commit counts, which is listed behind it.
 */
export function parseHeads(output: string, prefix = ''): Map<string, string> {
  const heads = new Map<string, string>()
  for (const line of output.split('\n')) {
    const [revision, listed] = line.split('\t')
    if (!revision || !listed?.startsWith(prefix)) continue
    const ref = listed.slice(prefix.length).replace(/\^\{\}$/, '')
    heads.set(ref.startsWith(BRANCHES) ? ref.slice(BRANCHES.length) : ref, revision)
  }
  return heads
}

const BRANCHES = 'refs/heads/'
const TAGS = 'refs/tags/'

export const isTag = (name: string) => name.startsWith(TAGS)
export const tagName = (name: string) => name.slice(TAGS.length)

/** The ref behind a name as `parseHeads` gives it. */
export const refOf = (name: string) => (isTag(name) ? name : `${BRANCHES}${name}`)
