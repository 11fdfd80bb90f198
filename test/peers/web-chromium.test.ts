import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { until } from 'boltbot/plugin-sdk/testing'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { createSite, type WebSite } from '../plugins/status/web/site.ts'

const PROGRAM = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find((file) => existsSync(file))
const skip = PROGRAM === undefined ? 'Chromium is not installed' : false
const DOCS = '/builders/docs%20%26%20%3Cmore%3E'
/** Pictures of all pages, for people to look at: the folder is in the message of the test. */
const PICTURES = join(tmpdir(), 'boltbot-pages')

const PAGES = {
  overview: '/',
  builders: '/builders',
  builder: '/builders/full-bsd',
  build: '/builders/full-bsd/builds/3',
  log: '/builders/full/builds/3/steps/0/logs/stdio',
  running: `${DOCS}/builds/0`,
  slaves: '/slaves',
  slave: '/slaves/bot-bsd',
  changes: '/changes',
  change: '/changes/3',
  request: '/requests/14',
  schedulers: '/schedulers',
}

const LOOKS: Readonly<Record<string, BrowserContextOptions>> = {
  light: { viewport: { width: 1280, height: 900 }, colorScheme: 'light' },
  dark: { viewport: { width: 1280, height: 900 }, colorScheme: 'dark' },
  phone: { viewport: { width: 360, height: 740 }, colorScheme: 'light', isMobile: true, hasTouch: true },
}

describe('web pages in Chromium', { skip }, () => {
  let browser: Browser
  let site: WebSite

  before(async () => {
    await mkdir(PICTURES, { recursive: true })
    browser = await chromium.launch({ executablePath: PROGRAM!, args: ['--no-sandbox'] })
    site = await createSite()
    for (let i = 0; i < 6; i++) await site.change(`3f786850e387550fdab836ed7e6dc881de2300${10 + i}`)
    await site.rig.master.force({ builder: 'docs & <more>', who: 'jane', reason: 'try the docs' }, 'test')
    await site.rig.settle()
    await site.rig.master.force({ builder: 'full-bsd', who: 'joe', reason: 'look at BSD' }, 'test')
    await site.rig.settle()
  })
  after(async () => {
    await browser?.close()
    await site?.[Symbol.asyncDispose]()
  })

  /** A tab in which nothing may go wrong unseen: scripts that fail, things the policy forbids, pages that are not there. */
  async function open(
    look: BrowserContextOptions,
    path: string,
  ): Promise<{ page: Page; wrong: string[] } & AsyncDisposable> {
    const context = await browser.newContext(look)
    const page = await context.newPage()
    const wrong: string[] = []
    page.on('pageerror', (error) => wrong.push(`${error}`))
    page.on('console', (message) => void (message.type() === 'error' && wrong.push(message.text())))
    await page.goto(site.url + path)
    return { page, wrong, [Symbol.asyncDispose]: () => context.close() }
  }

  for (const [name, look] of Object.entries(LOOKS))
    it(`fits ${name} screens, can be read, and does nothing the policy forbids (pictures in ${PICTURES})`, async () => {
      for (const [title, path] of Object.entries(PAGES)) {
        await using tab = await open(look, path)
        await tab.page.screenshot({ path: join(PICTURES, `${name}-${title}.png`), fullPage: true })
        assert.deepEqual(tab.wrong, [], path)
        const beside = await tab.page.evaluate('document.documentElement.scrollWidth - innerWidth')
        assert.ok(Number(beside) <= 0, `${path} is ${beside} pixels too wide on ${name}`)
        assert.deepEqual(await tab.page.evaluate(FAINT), [], `${path} on ${name} has text that is hard to read`)
        assert.equal(await tab.page.locator('h1').count(), 1, path)
      }
    })

  it('shows what happens while it is open, and keeps what somebody types', async () => {
    await using tab = await open({ ...LOOKS.light, extraHTTPHeaders: site.jane }, '/builders/full')
    const { page } = tab
    await page.locator('#connection', { hasText: 'Live' }).waitFor()
    await page.getByLabel('Reason').fill('half a rea')
    await page.getByLabel('Reason').focus()
    await site.change('fresh')
    await driven(() => page.locator('#builds a', { hasText: '#6' }).first().waitFor({ timeout: 100 }))
    assert.equal(await page.getByLabel('Reason').inputValue(), 'half a rea')
    assert.equal(await page.evaluate('document.activeElement.name'), 'reason')
    assert.deepEqual(tab.wrong, [])
  })

  it('lets a person ask for a build by keyboard, and see it start', async () => {
    await using tab = await open({ ...LOOKS.light, extraHTTPHeaders: site.jane }, '/builders/full')
    const { page } = tab
    await page.keyboard.press('Tab')
    assert.equal(await page.evaluate('document.activeElement.textContent'), 'To the content')
    await page.getByLabel('Reason').focus()
    await page.keyboard.type('from the keyboard')
    await page.keyboard.press('Enter')
    await page.waitForURL(/\/requests\/\d+$/)
    await site.rig.settle()
    await driven(() => page.locator('#state a').waitFor({ timeout: 100 }))
    assert.match((await page.locator('#facts').textContent()) ?? '', /from the keyboard.*jane/s)
    assert.deepEqual(tab.wrong, [])
  })

  it('lets a log grow as it is written, until its step ends', async () => {
    await using tab = await open(LOOKS.dark!, `${DOCS}/builds/0/steps/0/logs/stdio`)
    const { page } = tab
    const build = await site.rig.build('docs & <more>', 0)
    const key = { build: build.id, step: 0, log: 'stdio', epoch: build.epoch }
    await site.rig.logStore.append(
      key,
      'stdout',
      Buffer.from('<img src=x onerror=alert(1)>\n\u001b[32mgreen\u001b[0m\n'),
    )
    await driven(() => page.locator('#L3').waitFor({ timeout: 100 }))
    assert.equal(await page.locator('#L2 span').first().textContent(), '<img src=x onerror=alert(1)>')
    site.bsd.finish('docs')
    await site.rig.settle()
    await driven(() => page.locator('#state', { hasText: 'success' }).waitFor({ timeout: 100 }))
    await page.goto(`${page.url()}#L2`)
    assert.deepEqual(tab.wrong, [])
  })

  it('is of use without a script', async () => {
    await using tab = await open({ ...LOOKS.light, javaScriptEnabled: false, extraHTTPHeaders: site.jane }, '/')
    await tab.page.getByRole('link', { name: 'full-bsd', exact: true }).first().click()
    await tab.page.getByLabel('Reason').fill('without a script')
    await tab.page.getByRole('button', { name: 'Ask for a build' }).click()
    assert.match(tab.page.url(), /\/requests\/\d+$/)
  })

  /** The master's clock stands still unless it is moved: pages wait for it. */
  async function driven(look: () => Promise<unknown>): Promise<void> {
    await until(
      async () => {
        await site.rig.clock.advance(1000)
        await look()
        return true
      },
      { what: 'the page to change' },
    )
  }
})

/** Texts whose colour is too near that of their ground: less than 4.5 to 1. */
const FAINT = `(() => {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true })
  const rgb = (color) => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1)
    return [...canvas.getImageData(0, 0, 1, 1).data]
  }
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255).map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0)
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const color = rgb(getComputedStyle(at).backgroundColor)
      if (color[3] > 200) return color
    }
    return [255, 255, 255, 255]
  }
  const found = []
  for (const element of document.querySelectorAll('main *, header *, footer *')) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim() !== '')
    if (!own || element.closest('[aria-hidden], .unseen') || !element.checkVisibility()) continue
    const [a, b] = [light(rgb(getComputedStyle(element).color)), light(ground(element))].toSorted((x, y) => y - x)
    const ratio = (a + 0.05) / (b + 0.05)
    if (ratio < 4.5) found.push(element.textContent.trim().slice(0, 30) + ' ' + element.className + ' ' + ratio.toFixed(2))
  }
  return [...new Set(found)]
})()`
