import { formatDuration } from 'boltbot/plugin-sdk'
import { type Html, html } from '../html.ts'

/** A moment, as people say it, with the exact time behind it. The script keeps it true while the page is open. */
export function when(ms: number | null, now: number): Html {
  if (ms === null) return html`<span class="faint">never</span>`
  const iso = new Date(ms).toISOString()
  return html`<time datetime="${iso}" title="${iso.slice(0, 19).replace('T', ' ')} UTC">${ago(now - ms)}</time>`
}

/** `5 min ago`, `in 2 min`. */
export function ago(ms: number): string {
  const seconds = Math.round(Math.abs(ms) / 1000)
  if (seconds < 10) return ms < 0 ? 'in a moment' : 'just now'
  const text = UNITS.flatMap(([size, name]) => (seconds >= size ? [`${Math.floor(seconds / size)} ${name}`] : []))[0]
  const unit = text !== undefined && /^1 (day|hour)s$/.test(text) ? text.slice(0, -1) : text
  return ms < 0 ? `in ${unit}` : `${unit} ago`
}

const UNITS = [
  [86_400, 'days'],
  [3600, 'hours'],
  [60, 'min'],
  [1, 's'],
] as const

/** How long something took, or has taken so far. */
export function lasted(from: number, to: number | null, now: number): string {
  const ms = Math.max(0, (to ?? now) - from)
  return formatDuration(ms < 1000 ? ms : Math.round(ms / 1000) * 1000)
}

export function amount(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

/** `12 KiB`. */
export function bytesText(bytes: number): string {
  if (bytes < 1024) return amount(bytes, 'byte')
  const power = Math.min(4, Math.floor(Math.log2(bytes) / 10))
  const size = bytes / 1024 ** power
  return `${size < 10 ? size.toFixed(1) : Math.round(size)} ${['', 'KiB', 'MiB', 'GiB', 'TiB'][power]}`
}
