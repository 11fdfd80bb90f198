import { Command } from 'commander'
import type { OutboxView } from '../../store/outbox-views.ts'
import { callMaster } from '../control-client.ts'
import { noMailNotifier } from '../errors.ts'
import { type LiveOptions, liveCommand } from '../live-command.ts'
import { oneLine, print, whoAmI } from '../output.ts'

/** Looks at mails before they are sent, and sends one to look at. */
export function mailCommand(): Command {
  return new Command('mail')
    .description('show the mail about a build without sending it, or send a test mail')
    .addHelpText('after', '\nExample:\n  $ boltbot mail preview full/12')
    .addCommand(previewCommand())
    .addCommand(testCommand())
}

function previewCommand(): Command {
  return liveCommand('preview', 'show the mails about a finished build; sends none', 'mail preview full/12')
    .argument('<build>', 'builder/number, or the id of a build')
    .action(async (build: string, { basedir }: LiveOptions) => {
      const mails = await callMaster<readonly { plugin: string; text: string | null }[]>(basedir, 'mail-preview', {
        build,
      })
      if (mails.length === 0) throw noMailNotifier()
      for (const { plugin, text } of mails) print(text ?? `"${plugin}" sends no mail about this build.`)
    })
}

function testCommand(): Command {
  return liveCommand('test', 'send a test mail and say what the server answered', 'mail test jane@example.org')
    .argument('<address>', 'a mail address')
    .action(async (address: string, { basedir }: LiveOptions) => {
      const sent = await callMaster<OutboxView>(basedir, 'mail-test', { address, who: whoAmI() })
      if (sent.state === 'sent') return print(`The mail server took a test mail for ${oneLine(address)}.`)
      const why = sent.error === null ? 'the mail server did not answer in time' : oneLine(sent.error)
      print(
        `The test mail for ${oneLine(address)} is ${sent.state}: ${why}. It is message ${sent.id} of "boltbot outbox".`,
      )
      process.exitCode = 1
    })
}
