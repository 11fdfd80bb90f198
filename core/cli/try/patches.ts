import { treeBinary } from '../errors.ts'

/**
 * What version control systems print, made into patches that the program `patch` applies. Lines are looked at as bytes: contents of
 * files may be in any encoding.
 */

/** These systems only say that files that are no text differ: without them the build would not be what it is said to be. @throws CiError. */
export function textOnly(tool: string, patch: Uint8Array): Uint8Array {
  const text = Buffer.from(patch).toString('latin1')
  const svn = /^Index: (.*)\r?\n=+\r?\nCannot display: /m.exec(text)?.[1]
  const [, before, after] = /^(?:Binary )?[Ff]iles (.*) and (.*) differ\r?$/m.exec(text) ?? []
  const named = svn ?? (after === '/dev/null' ? before : after)
  if (named === undefined) return patch
  throw treeBinary(
    tool,
    Buffer.from(named, 'latin1')
      .toString()
      .replace(/^"|"$/g, '')
      .replace(/^(?:a|b|old-[^/]*|new-[^/]*)\//, ''),
  )
}

/** Bazaar tells of a renamed file in a line of its own; `patch` knows the words of git for it. */
export function withRenames(patch: Uint8Array): Uint8Array {
  const text = Buffer.from(patch).toString('latin1')
  const renamed = text.replace(/^=== renamed file '(.*)' => '(.*)'(?: \(.*\))?$/gm, (_, from: string, to: string) =>
    [
      `diff --git ${quoted(`a/${from}`)} ${quoted(`b/${to}`)}`,
      `rename from ${quoted(from)}`,
      `rename to ${quoted(to)}`,
    ].join('\n'),
  )
  return Buffer.from(renamed, 'latin1')
}

/** Arch names new files where it keeps its comparison, by a whole path. */
export function withTreePaths(patch: Uint8Array): Uint8Array {
  const text = Buffer.from(patch).toString('latin1')
  const own = /^(---|\+\+\+) .*\/,,what-changed\.[^/]*\/[^/]*-files-archive\/\.?\/?(.*)$/gm
  return Buffer.from(text.replace(own, '$1 mod/$2'), 'latin1')
}

/** Takes a file away; its folders are `orig` and `mod`. */
export function deletion(name: string, content: Uint8Array): Uint8Array {
  const text = Buffer.from(content).toString('latin1')
  const lines = text.replace(/\n$/, '').split('\n')
  const head = `--- orig/${name}\t\n+++ /dev/null\t\n@@ -1${lines.length === 1 ? '' : `,${lines.length}`} +0,0 @@\n`
  const end = text.endsWith('\n') ? '' : '\\ No newline at end of file\n'
  const body = `${lines.map((line) => `-${line}\n`).join('')}${end}`
  return content.length === 0 ? new Uint8Array() : Buffer.concat([Buffer.from(head), Buffer.from(body, 'latin1')])
}

const quoted = (name: string) => (/[ "\\]/.test(name) ? `"${name.replace(/["\\]/g, '\\$&')}"` : name)
