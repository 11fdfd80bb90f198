/** A web address with the user in it: bzr then asks at its standard input for the password. */
export function asUser(username: string | undefined, url: string): string {
  if (username === undefined) return url
  return url.replace(/^(https?:\/\/)(?:[^/]*@)?/i, (_, scheme) => `${scheme}${encodeURIComponent(username)}@`)
}
