/**
 * One text for the ways one repository is written: `https://git.example.org/hello.git`, `git@git.example.org:hello` and
 * `ssh://git@git.example.org/hello/` are one. What is no address of a server is only trimmed of `/` and `.git`.
 * @example repositoryKey('https://jane@Git.Example.org/hello.git') // 'git.example.org/hello'
 */
export function repositoryKey(repository: string): string {
  const text = repository
    .trim()
    .replace(/\/+$/, '')
    .replace(/\.git$/, '')
  const url = /^[a-z][a-z0-9+.-]*:\/\/(?:[^/@]*@)?([^/]*)(\/.*)?$/i.exec(text)
  const short = url === null ? /^(?:[^/@:]+@)([^/:]+):(?!\/\/)\/?(.*)$/.exec(text) : null
  const [, host = '', path = ''] = url ?? short ?? []
  if (host === '') return text.replace(/^file:\/\//i, '')
  return `${host.toLowerCase().replace(/:(?:22|80|443|9418|3690)$/, '')}/${path.replace(/^\/+/, '')}`
}
