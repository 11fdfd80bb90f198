/** Where a program keeps copies of configs, beside the config itself. */
export const COPIES = '.configs'
