import { CiError } from 'boltbot/plugin-sdk'

export const hookSettingsWrong = (file: string, reason: string) =>
  new CiError({
    code: 'BOLT_CLI_HOOK_SETTINGS',
    message: `The settings of the hook, "${file}", cannot be used: ${reason}.`,
    details: { file },
    hint: 'What was committed waits until they are mended.',
  })

export const hookHttpFailed = (master: string, reason: string) =>
  new CiError({
    code: 'BOLT_CLI_HOOK_HTTP',
    message: `The master does not take changes at "${master}": ${reason.replace(/[.\s]*$/, '')}.`,
    details: { master },
    hint: 'They wait, and are sent with the next commit or by "boltbot hook flush".',
  })

export const hookInTheWay = (file: string, line: string) =>
  new CiError({
    code: 'BOLT_CLI_HOOK_EXISTS',
    message: `There is a hook in "${file}" already.`,
    details: { file },
    hint: `Add this to it: ${line}`,
  })

export const hookNoRepository = (path: string, system: string) =>
  new CiError({
    code: 'BOLT_CLI_HOOK_REPOSITORY',
    message: `"${path}" is no repository of ${system}.`,
    details: { path, system },
  })
