// Keeps an open page as it would be after a reload. Without it all pages work, but stand still.

const connection = document.getElementById('connection')
const say = (text) => {
  if (connection && connection.textContent !== text) connection.textContent = text
}

// What has changed: parts marked data-live are fetched again and exchanged where they differ.

const from = document.body.dataset.liveFrom
let events
let refreshing = false
let again = false

function open() {
  if (!from || events) return
  events = new EventSource(from)
  events.addEventListener('hello', () => {
    say('Live')
    refresh() // whatever came meanwhile
  })
  events.addEventListener('changed', refresh)
  events.addEventListener('error', () => say('Not connected; trying again'))
}

function close() {
  events?.close()
  events = undefined
}

async function refresh() {
  if (refreshing) {
    again = true
    return
  }
  refreshing = true
  try {
    const answer = await fetch(location.href, { headers: { accept: 'text/html' } })
    if (answer.ok) exchange(new DOMParser().parseFromString(await answer.text(), 'text/html'))
  } catch {
    say('Not connected; trying again')
  } finally {
    refreshing = false
    if (again) {
      again = false
      refresh()
    }
  }
}

function exchange(page) {
  for (const fresh of page.querySelectorAll('[data-live][id]')) {
    const shown = document.getElementById(fresh.id)
    if (!shown) continue
    // Somebody may be typing in it, or have it open.
    if (shown.contains(document.activeElement) && document.activeElement.matches('input, textarea, select')) continue
    if (plain(shown) === plain(fresh)) continue
    const focused = shown.contains(document.activeElement) ? document.activeElement.getAttribute('href') : null
    const opened = shown.matches('details') && shown.open
    shown.innerHTML = fresh.innerHTML
    shown.className = fresh.className
    if (opened) shown.open = true
    if (focused) shown.querySelector(`[href="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true })
  }
  document.body.dataset.liveFrom = page.body.dataset.liveFrom ?? ''
  if (!page.body.dataset.liveFrom) {
    close() // nothing will change any more
    say('')
  }
}

/** Without times that only tell how long ago it was. */
const plain = (element) => element.innerHTML.replace(/(<time[^>]*>)[^<]*/g, '$1')

// A page nobody looks at needs no connection: browsers allow six of them.
document.addEventListener('visibilitychange', () => (document.hidden ? close() : open()))
if (!document.hidden) open()
addEventListener('pagehide', close)

// Times told from now.

const units = [
  [86400, 'days', 'day'],
  [3600, 'hours', 'hour'],
  [60, 'min', 'min'],
  [1, 's', 's'],
]

function ago(ms) {
  const seconds = Math.round(Math.abs(ms) / 1000)
  if (seconds < 10) return ms < 0 ? 'in a moment' : 'just now'
  const unit = units.find(([size]) => seconds >= size)
  const count = Math.floor(seconds / unit[0])
  const text = `${count} ${count === 1 ? unit[2] : unit[1]}`
  return ms < 0 ? `in ${text}` : `${text} ago`
}

setInterval(() => {
  for (const time of document.querySelectorAll('time[datetime]')) {
    const text = ago(Date.now() - Date.parse(time.dateTime))
    if (time.textContent !== text) time.textContent = text
  }
}, 10_000)

// A log that grows: its lines come as they are written.

const log = document.querySelector('[data-log]')
if (log) {
  const follow = document.getElementById('follow')
  const lines = new EventSource(log.dataset.log)
  const atEnd = () => follow?.checked && window.scrollTo({ top: document.documentElement.scrollHeight })
  let last = 0
  lines.addEventListener('lines', (event) => {
    const template = document.createElement('template')
    template.innerHTML = event.data
    for (const line of template.content.children) {
      const number = Number(line.id.slice(1))
      if (number <= last)
        line.remove() // sent once more after a broken connection
      else last = number
    }
    log.append(template.content)
    // A page that holds all of a long log gets slow; what scrolled out is a link away.
    while (log.children.length > 20_000) log.firstElementChild.remove()
    atEnd()
  })
  lines.addEventListener('end', () => {
    lines.close()
    refresh()
  })
  addEventListener('wheel', (event) => {
    if (event.deltaY < 0 && follow) follow.checked = false
  })
  follow?.addEventListener('change', atEnd)
  atEnd()
}
