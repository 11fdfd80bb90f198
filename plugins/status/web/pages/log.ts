import type { HttpAnswer, HttpEvent, HttpRequest, LogPlace } from 'boltbot/plugin-sdk'
import { html } from '../html.ts'
import type { Page } from '../layout.ts'
import { createLogLines, readWindow } from '../log-lines.ts'
import { badge, lookOf } from '../parts/badge.ts'
import { amount, bytesText } from '../parts/when.ts'
import { numberOf, type Site, type Visit } from '../site.ts'
import { buildOf } from './build.ts'
import { missing } from './not-found.ts'

/** Lines on one page. */
const PAGE = 2000

/** A log: `?line=` is the first line to show; without it the end. */
export async function logPage(visit: Visit): Promise<Page> {
  const { host, params, query } = visit
  const paths = visit.paths()
  const found = await logOf(visit)
  if (!found)
    return missing(
      visit,
      `There is no log "${params.log}" of step "${params.step}" of ${params.builder} #${params.number}.`,
    )
  const { build, step, place, view } = found
  const path = paths.log(build.builder, build.number, step.number, place.log)
  const asked = numberOf(query.get('line'))
  const first = Math.min(Math.max(1, asked ?? view.lines - PAGE + 1), Math.max(1, view.lines))
  const part = await readWindow(host.query, place, first, PAGE)
  const more = { before: part.first > 1, after: part.next <= view.lines }
  // What comes next is streamed to the end of the page, if the page shows the end.
  const live = view.running && !more.after
  // The line without its end is sent again when it is whole.
  const unfinished = live && view.lines > 0 && !(await endsWithNewline(visit, place, view.bytes))
  const shown = unfinished ? part.lines.slice(0, -1) : part.lines
  const next = unfinished ? part.next - 1 : part.next
  const range = more.before || more.after ? `Lines ${part.first} to ${part.next - 1} of ` : ''
  const jump = (line: number, text: string) => html`<a href="${path}?line=${Math.max(1, line)}">${text}</a> `
  const ways = html`<nav class="pager" aria-label="Parts of the log">${more.before && html`${jump(1, 'Start')}${jump(part.first - PAGE, 'Earlier')}`}${more.after && html`${jump(part.next, 'Later')}<a href="${path}">End</a>`}</nav>`
  return {
    title: `${place.log} of ${step.name}, ${build.builder} #${build.number}`,
    crumbs: [
      ['Builders', paths.builders()],
      [build.builder, paths.builder(build.builder)],
      [`#${build.number}`, paths.build(build.builder, build.number)],
    ],
    topics: view.running ? [`step:${build.id}/${step.number}`] : [],
    main: html`<h1>${step.name}: ${place.log} <span id="state" data-live>${badge(lookOf(step))}</span></h1>
<p class="lead">${step.text}. ${range}<span id="size" data-live>${amount(view.lines, 'line')}, ${bytesText(view.bytes)}</span>.
<a href="${path}/raw">Raw</a> <a href="${path}/raw?download=1" download>Download</a></p>
${(more.before || more.after) && ways}
<div class="log" role="log" tabindex="0" aria-label="${place.log}"${live && html` data-log="${path}/live?line=${next}"`}>
${shown}</div>
${part.lines.length === 0 && !live && html`<p class="faint">It is empty.</p>`}
${more.after && ways}
${live && html`<p class="follow"><label><input type="checkbox" id="follow" checked> Follow the end</label></p>`}`,
  }
}

/** The bytes of a log as they are, by ranges where asked for; never more of it in memory than one read. */
export async function rawLog(site: Site, request: HttpRequest): Promise<HttpAnswer> {
  const found = await logOf({ ...site, params: request.params })
  if (!found) return { status: 404, body: 'There is no such log.\n' }
  const { place, view, build } = found
  const name = `${build.builder}-${build.number}-${place.step}-${place.log}.txt`.replace(/[^\w.-]+/g, '_')
  const headers = {
    'content-type': 'text/plain; charset=utf-8',
    'accept-ranges': 'bytes',
    'content-disposition': `${request.query.has('download') ? 'attachment' : 'inline'}; filename="${name}"`,
    // A finished log never changes.
    ...(view.running
      ? {}
      : { etag: `"${build.id}.${place.step}.${view.bytes}"`, 'cache-control': 'private, max-age=86400' }),
  }
  const range = rangeOf(request.headers.range, view.bytes)
  if (range === 'none')
    return { status: 416, headers: { 'content-range': `bytes */${view.bytes}` }, body: 'There is no such part.\n' }
  const [from, to] = range ?? [0, view.bytes]
  async function* bytes() {
    for (let at = from; at < to; ) {
      const part = await site.host.query.readLog(place, at, to)
      if (part.next === at) return
      for (const { data } of part.pieces) yield data
      at = part.next
    }
  }
  if (range === undefined) return { headers, body: bytes() }
  const length = { 'content-range': `bytes ${from}-${to - 1}/${view.bytes}`, 'content-length': `${to - from}` }
  return { status: 206, headers: { ...headers, ...length }, body: bytes() }
}

/** Lines as they come: events `lines` with markup, and `end` when there will be no more. `?line=` is the first. */
export async function liveLog(site: Site, request: HttpRequest): Promise<HttpAnswer> {
  const found = await logOf({ ...site, params: request.params })
  if (!found) return { status: 404, body: 'There is no such log.\n' }
  const { place } = found
  const { signal, headers } = request
  const first = numberOf(headers['last-event-id']) ?? numberOf(request.query.get('line')) ?? 1
  const topics = new Set([`log:${place.build}/${place.step}/${place.log}`, `step:${place.build}/${place.step}`])
  async function* events(): AsyncGenerator<HttpEvent> {
    const { query } = site.host
    const lines = createLogLines(first)
    let from = await query.logLine(place, first - 1)
    while (!signal.aborted) {
      const part = await query.readLog(place, from, from + 64 * 1024)
      const fresh = part.finished ? lines.end() : lines.feed(part.pieces)
      if (fresh.length > 0)
        yield { event: 'lines', id: `${lines.next}`, data: fresh.map(({ markup }) => markup).join('') }
      if (part.finished) return yield { event: 'end', data: '' }
      // Asked again now and then, as wake-ups may be skipped.
      if (part.next === from) await site.live.next(topics, 5000, signal)
      from = part.next
    }
  }
  return { events: events() }
}

/** The log that a path names; the step by its number or its name. */
async function logOf(visit: Pick<Visit, 'host' | 'params'>) {
  const { step: wanted = '', log = '' } = visit.params
  const build = await buildOf(visit)
  const step = build?.steps.find((one) => `${one.number}` === wanted) ?? build?.steps.find((one) => one.name === wanted)
  if (!build || !step) return undefined
  const place: LogPlace = { build: build.id, step: step.number, log }
  const view = await visit.host.query.log(place)
  return view && { build, step, place, view }
}

async function endsWithNewline({ host }: Visit, place: LogPlace, bytes: number): Promise<boolean> {
  const { pieces } = await host.query.readLog(place, bytes - 1, bytes)
  return pieces.at(-1)?.data.at(-1) === 10
}

/** From and behind; `undefined`: all of it, `none`: beyond the end. Several ranges at once are not served in parts. */
function rangeOf(header: string | undefined, length: number): readonly [number, number] | 'none' | undefined {
  const match = header?.match(/^bytes=(\d*)-(\d*)$/)
  if (!match || (match[1] === '' && match[2] === '')) return undefined
  const [from, to] =
    match[1] === ''
      ? [Math.max(0, length - Number(match[2])), length]
      : [Number(match[1]), match[2] === '' ? length : Math.min(length, Number(match[2]) + 1)]
  return from < to ? [from, to] : 'none'
}
