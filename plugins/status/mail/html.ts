import type { Change } from 'boltbot/plugin-sdk'
import { MAX_CHANGES, nextStep, rowsOf, summary } from './body.ts'
import type { Facts } from './facts.ts'
import { logLines, oneLine } from './plain-text.ts'
import { isRed } from './streaks.ts'

/** The same mail with colours and links. Styles stand in the tags: mail programs drop the rest. */
export function htmlOf(facts: Facts): string {
  const { project, projectURL, event, buildURL } = facts
  const colour = isRed(event.result) ? '#b3261e' : event.result === 'success' ? '#1b6e3c' : '#8a5a00'
  const parts = [
    `<p style="margin:0;padding:12px 16px;border-left:6px solid ${colour};background:#f4f4f5;font-size:16px"><b style="color:${colour}">${text(facts.told.standing)}</b><br>${text(summary(facts))}</p>`,
    buildURL === null
      ? ''
      : `<p style="margin:16px 0"><a href="${text(buildURL)}" style="display:inline-block;padding:8px 16px;border-radius:4px;background:#1d4ed8;color:#ffffff;font-weight:bold;text-decoration:none">Show the build</a></p>`,
    table(facts),
    failing(facts),
    changes(facts),
    next(facts),
    `<p style="color:#52525b;border-top:1px solid #d4d4d8;padding-top:8px">Boltbot of ${projectURL === null ? text(project) : link(projectURL, project)}</p>`,
  ]
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${text(event.builder)} #${event.number}</title></head>
<body style="margin:0;padding:16px;font:14px/1.45 sans-serif;color:#18181b;background:#ffffff;overflow-wrap:anywhere"><div style="max-width:760px">
${parts.filter((part) => part !== '').join('\n')}
</div></body></html>
`
}

function table(facts: Facts): string {
  const cell = 'style="padding:2px 12px 2px 0;vertical-align:top"'
  const rows = rowsOf(facts).map(
    ([name, value]) =>
      `<tr><td ${cell}><span style="color:#52525b;white-space:nowrap">${name}</span></td><td ${cell}>${text(oneLine(value, 1000))}</td></tr>`,
  )
  return `<table style="border-collapse:collapse;margin:12px 0">${rows.join('')}</table>`
}

function failing({ failing }: Facts): string {
  if (failing === undefined) return ''
  const title = `<h3 style="margin:16px 0 4px">First step that failed: ${text(failing.name)}</h3><p style="margin:0 0 4px">${text(oneLine(failing.text, 500))}</p>`
  const lines = logLines(failing.tail.replace(/\s+$/, '')).slice(-30)
  if (lines.every((line) => line === '')) return title
  const log = lines.map((line) => text(line.slice(0, 1000))).join('\n')
  return `${title}<p style="margin:0;color:#52525b">Its log “${text(oneLine(failing.log, 60))}” ends with:</p>
<pre style="${PRE}">${log}</pre>`
}

const PRE =
  'margin:4px 0 12px;padding:10px 12px;background:#18181b;color:#f4f4f5;font:12px/1.4 monospace;white-space:pre-wrap;overflow-wrap:anywhere'

function changes({ build, event }: Facts): string {
  const shown = (build?.changes ?? []).slice(-MAX_CHANGES)
  if (shown.length === 0) return ''
  const left = event.changes.length - shown.length
  const more = left > 0 ? `<li>and ${left} earlier</li>` : ''
  return `<h3 style="margin:16px 0 4px">Changes in this build</h3><ul style="margin:0;padding-left:20px">${shown.map(change).join('')}${more}</ul>`
}

function change({ revision, who, comments, files, revlink }: Change): string {
  const name = oneLine(revision ?? 'a change', 60)
  const where = revlink !== null && /^https?:\/\//.test(revlink) ? link(revlink, name) : text(name)
  const words = logLines(comments.trim()).slice(0, 10)
  const shown = files.slice(0, 10).map((file) => text(oneLine(file, 200)))
  const rest = files.length > shown.length ? ` and ${files.length - shown.length} more` : ''
  return `<li style="margin-bottom:8px">${where} by ${text(oneLine(who, 200))}<br>${words.map((line) => text(line.slice(0, 1000))).join('<br>')}<br><span style="color:#52525b">${shown.join(', ')}${rest}</span></li>`
}

function next(facts: Facts): string {
  const lines = nextStep(facts)
  const words = lines.filter((line) => line !== '' && !line.startsWith(' '))
  const command = lines.find((line) => line.startsWith(' '))?.trim() ?? ''
  if (words.length === 0) return ''
  const shown = /^https?:/.test(command)
    ? `<p style="margin:4px 0 12px;overflow-wrap:anywhere">${link(command, command)}</p>`
    : `<pre style="${PRE}">${text(command)}</pre>`
  return `<h3 style="margin:16px 0 4px">What to do</h3><p style="margin:0">${text(words.join(' '))}</p>${shown}`
}

function link(url: string, label: string): string {
  return `<a href="${text(url)}" style="color:#1d4ed8">${text(label)}</a>`
}

/** Words of strangers, as words. */
function text(words: string): string {
  return words.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`)
}
