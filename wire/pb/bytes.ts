/** A view of bytes that knows texts. */
export const view = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)

/** UTF-8; bytes that are none become replacement characters. */
export const utf8 = (bytes: Uint8Array): string => view(bytes).toString('utf8')

/** One character for each of the first `most` bytes: for words of the protocol. */
export const latin1 = (bytes: Uint8Array, most: number): string => view(bytes).toString('latin1', 0, most)
