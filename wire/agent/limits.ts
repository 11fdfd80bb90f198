/** Bytes of a file or log in one message. */
export const CHUNK = 64 * 1024
/** Bytes of one log that may be on their way without being acknowledged. */
export const WINDOW = 1024 * 1024
/** Bytes of one message: a megabyte of payload and what stands around it. */
export const MAX_MESSAGE = 1024 * 1024 + 16 * 1024
/** Maps and lists within one another. */
export const MAX_DEPTH = 32
