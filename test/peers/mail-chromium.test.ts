import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it } from 'node:test'
import { mailNotifier } from 'boltbot/plugins/status/mail'
import { chromium } from 'playwright-core'
import { commit } from '../rig/parts.ts'
import { loginTo, startPost } from './mail/post.ts'
import { startExim } from './mail/servers.ts'
import { absent } from './rig/worker.ts'

const PROGRAM = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find((file) => existsSync(file))
const skip = PROGRAM === undefined ? 'Chromium is not installed' : absent('exim4')
/** Pictures of the mails, for people to look at. */
const PICTURES = join(tmpdir(), 'boltbot-mails')

it('the HTML of mails fits wide and narrow windows, and asks nobody for anything', {
  skip,
  timeout: 120_000,
}, async (t) => {
  await mkdir(PICTURES, { recursive: true })
  t.diagnostic(`pictures in ${PICTURES}`)
  await using server = await startExim()
  const output = [
    'cc -O2 -c parser.c',
    `parser.c:10:5: error: ${'a very long line that goes on and on '.repeat(8)}`,
    `${'x'.repeat(300)}`,
    '<script>alert(1)</script> <img src="http://example.org/spy.png">',
    'make: *** [parser.o] Error 1',
  ].join('\n')
  await using post = await startPost(server, {
    status: [mailNotifier({ ...loginTo(server), sendToInterestedUsers: false, extraRecipients: ['team@example.org'] })],
    answers: [{ match: 'make', output, result: 2, times: 2 }, { match: 'make' }],
  })
  await post.attach()
  // A revision of git is wider than a phone.
  for (const revision of ['4f6ab1'.padEnd(40, '0'), '82c9d0', 'b00f0e']) {
    const who = 'Jané <script>alert(2)</script> <jane@example.org>'
    await post.live.master.submitChange(commit(revision, { who }), 'test')
    await post.live.event('buildFinished', ({ revision: built }) => built === revision)
  }
  const mails = await post.arrived(3)
  const browser = await chromium.launch({ executablePath: PROGRAM!, args: ['--no-sandbox'] })
  try {
    for (const [look, width] of [
      ['wide', 1000],
      ['phone', 360],
    ] as const) {
      const page = await browser.newPage({ viewport: { width, height: 800 } })
      const asked: string[] = []
      page.on('request', (request) => asked.push(request.url()))
      page.on('dialog', (dialog) => {
        asked.push(`a dialog: ${dialog.message()}`)
        void dialog.dismiss()
      })
      for (const [n, mail] of mails.entries()) {
        assert.ok(mail.html, 'the mail has HTML')
        await page.setContent(mail.html)
        const wide = Number(await page.evaluate('document.documentElement.scrollWidth - innerWidth'))
        const text = String(await page.evaluate('document.body.innerText'))
        assert.ok(wide <= 0, `mail ${n} is ${wide} px too wide on ${look}`)
        assert.ok(text.includes('What to do') || n === 2, text)
        await page.screenshot({ path: join(PICTURES, `${n}-${look}.png`), fullPage: true })
      }
      assert.deepEqual(asked, [])
      await page.close()
    }
  } finally {
    await browser.close()
  }
})
