/** The names a config file may have in its folder, in the order they are looked for. */
export const CONFIG_NAMES = ['master.cfg.ts', 'master.cfg.js', 'master.cfg.mjs'] as const
