/** How the user calls this program, for commands they are to type: `npx boltbot` where npx called it, as it is on no path then. */
export const CALLED = process.env.npm_command === 'exec' ? 'npx boltbot' : 'boltbot'
