import { definePlugin } from 'boltbot/plugin-sdk'
import { createChangeOf } from './change-of.ts'
import { folderFailed } from './errors.ts'
import { createFolder } from './folder.ts'
import { createMailThread } from './mail-thread.ts'
import { createMails } from './mails.ts'
import { maildirSchema } from './options.ts'
import { createScanner } from './scanner.ts'
import { createWatch } from './watch.ts'

export { bonsai } from './formats/bonsai.ts'
export { buildbotCvsMail } from './formats/buildbot-cvs-mail.ts'
export { bzrLaunchpad } from './formats/bzr-launchpad.ts'
export { freshcvs } from './formats/freshcvs.ts'
export { svnCommitEmail } from './formats/svn-commit-email.ts'
export { syncmail } from './formats/syncmail.ts'
export { type CommitMail, type Ignored, ignore, type MailParser, type ParserSettings } from './mail.ts'
export type { MaildirOptions } from './options.ts'

/**
 * Takes commits from mails that a version control system sends: each mail in the maildir's `new` becomes a change and moves to
 * `cur`; one that cannot be parsed moves to `failed`, with the reason beside it.
 * @example maildir({ path: '/var/lib/boltbot/Maildir', parser: syncmail, prefix: 'hello/' })
 */
export const maildir = definePlugin({
  name: 'changes/maildir',
  kind: 'source',
  needs: ['changes', 'pollers'],
  schema: maildirSchema,
  id: ({ path }) => `maildir ${path}`,
  apply(host, options) {
    const folder = createFolder(options.path)
    const changeOf = createChangeOf(host.id, options)
    const watch = options.watch ? host.own(createWatch(host, folder.incoming, () => scanner.wake())) : undefined
    const thread = host.own(createMailThread(host, () => folderFailed(options.path, 'the source is stopped')))
    const mails = createMails(thread, folder)
    const scanner = host.own(createScanner({ host, folder, mails, changeOf, watch, retryAfter: options.pollInterval }))
    host.registerPoller({ name: 'scan', interval: options.pollInterval / 1000, poll: () => scanner.scan() })
  },
  start: (_host, { path }) => createFolder(path).check(),
})
