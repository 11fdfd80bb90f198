/** The path of a repository on its server: `/cvsroot` of `:pserver:anonymous@cvs.example.org:2401/cvsroot`. */
export function rootPath(cvsroot: string): string {
  const path = cvsroot.startsWith('/') ? cvsroot : (/^(?:(?::[^:]*:)?[^/]*?)(\/.*)$/.exec(cvsroot)?.[1] ?? cvsroot)
  return path.replace(/\/+$/, '')
}

/** As it may be stored and shown. */
export function withoutPassword(cvsroot: string): string {
  return cvsroot.replace(/^(:[^:]*:[^:@/]*):[^@/]*@/, '$1@')
}
