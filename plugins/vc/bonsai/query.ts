import { createHash } from 'node:crypto'
import type { Dated } from '../time-window.ts'
import { childrenOf, type Element, parseXml, textOf } from '../xml.ts'

export interface BonsaiPlace {
  readonly bonsaiurl: string
  readonly treeid: string
  readonly cvsroot: string
  readonly module: string
  readonly branch: string
}

/** The address of what was committed since a time, as XML. */
export function queryUrl({ bonsaiurl, treeid, cvsroot, module, branch }: BonsaiPlace, since: number): URL {
  const url = new URL(`${bonsaiurl.replace(/\/+$/, '')}/cvsquery.cgi`)
  const fields = {
    treeid,
    module,
    branch,
    branchtype: 'match',
    sortby: 'Date',
    hours: '2',
    date: 'explicit',
    mindate: `${Math.floor(since / 1000)}`,
    cvsroot,
    xml: '1',
  }
  for (const [name, value] of Object.entries(fields)) url.searchParams.set(name, value)
  return url
}

/** Reads `<queryResults><ci who date><log/><files><f rev/></files></ci></queryResults>`. @throws CiError `BOLT_VC_UNREADABLE`. */
export function parseCommits(xml: string, branch: string | null): readonly Dated[] {
  return childrenOf(parseXml(xml, 'cvsquery.cgi'), 'ci').map((ci) => datedOf(ci, branch))
}

function datedOf(ci: Element, branch: string | null): Dated {
  const { who = 'unknown', date = '0' } = ci.attributes
  const when = Number(date) * 1000 || 0
  const found = childrenOf(ci, 'files').flatMap((files) => childrenOf(files, 'f'))
  const files = found.map((file) => file.text.trim()).filter(Boolean)
  const revisions = found.map((file) => `${file.text.trim()} ${file.attributes.rev ?? ''}`).toSorted()
  const id = createHash('sha256')
    .update([who, date, ...revisions].join('\n'))
    .digest('hex')
    .slice(0, 24)
  const comments = textOf(ci, 'log').trim()
  return { id, when, commit: { who, files, comments, branch, revision: null, when } }
}
