import { builder, buildFactory, defineMaster, type MasterOptions, slave } from '../../config.ts'
import { defineStep } from '../../step.ts'
import type { Rig } from '../rig/rig.ts'
import type { ScriptedAnswer } from '../scripted-answers.ts'

/** A master to which all can happen that is told, with what the suite adds. */
export function eventfulConfig(
  more: Pick<MasterOptions<[], []>, 'http' | 'people' | 'plugins' | 'status' | 'schedulers'>,
) {
  const bot = slave({ name: 'bot', missingTimeout: '10s' })
  return defineMaster({
    projectName: 'Suite',
    projectURL: 'https://example.org/',
    buildbotURL: 'https://ci.example.org/',
    transports: [],
    ...more,
    slaves: [bot],
    builders: ['full', 'good', 'broken', 'slow'].map((name) =>
      builder({ name, slaves: [bot], factory: buildFactory([make()]) }),
    ),
  })
}

export const EVENTFUL_SLAVES: { readonly bot: readonly ScriptedAnswer[] } = {
  bot: [
    { match: 'make full', output: 'not ok\n', result: 2 },
    { match: 'make broken', result: 42 },
    { match: 'make slow', hang: true },
  ],
}

/** Builds that end in each way, a slave that is lost, missing and back, another config. */
export async function eventful(rig: Rig): Promise<void> {
  await rig.commit({ who: 'jane <jane@example.org>', comments: 'Change "a" & <b>\n\nfor: €', branch: null })
  for (const [name, result] of [
    ['full', 'failure'],
    ['good', 'success'],
    ['broken', 'exception'],
    ['full', 'failure'],
  ] as const) {
    await rig.force(name, { branch: 'a/b' })
    await rig.until.build(name, result)
  }
  await rig.force('slow')
  await rig.force('good')
  await rig.stop('slow')
  await rig.until.build('slow')
  await rig.until.build('good')
  await rig.force('slow')
  rig.slave('bot').crash()
  await rig.advance('5m')
  await rig.attach('bot')
  await rig.advance('1m')
  await rig.until.event('slaveBack')
}

const make = defineStep({
  name: 'make',
  async run(context) {
    const { exitCode, cause } = await context.run({ kind: 'shell', command: ['make', context.builder] })
    if (exitCode === 42) throw new Error('The step itself is wrong.')
    return { result: cause === 'exit' && exitCode === 0 ? 'success' : 'failure' }
  },
})
