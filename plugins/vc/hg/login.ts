/** Has hg ask at its standard input for the password of this server, and of no other; without a user it asks nothing. */
export function loginArguments(repourl: string, username: string | undefined): readonly string[] {
  const server = /^https?:\/\/(?:[^/]*@)?[^/]+/i.exec(repourl)?.[0].replace(/\/\/[^/]*@/, '//')
  if (username === undefined || server === undefined) return ['--config', 'ui.interactive=false']
  const settings = [`auth.boltbot.prefix=${server}`, `auth.boltbot.username=${username}`, 'ui.interactive=true']
  return [...settings, 'ui.nontty=true'].flatMap((setting) => ['--config', setting])
}
