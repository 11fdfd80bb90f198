/** Databases take so many values in a query and no more (SQLite 32,766): rows of ten columns still fit. */
const PIECE = 3000

/** A list in pieces that fit into a query each; a short one is one piece, an empty one none. */
export function* inPieces<T>(list: readonly T[]): Iterable<readonly T[]> {
  for (let at = 0; at < list.length; at += PIECE)
    yield at === 0 && list.length <= PIECE ? list : list.slice(at, at + PIECE)
}
