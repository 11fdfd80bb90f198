/**
 * What travels in calls. Python's `str` is a string, `bytes` are bytes, a dictionary is a `Map` whose keys are strings whether they
 * came as text or bytes, a list is an array, a tuple a {@link Tuple}.
 */
export type Value =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | Value[]
  | Tuple
  | Dictionary
  | Set<Value>
  | Failure
  | Opaque
  | Copy
  | RemoteReference
  | Referenceable

export type Dictionary = Map<Value, Value>

export class Tuple {
  readonly items: Value[]

  constructor(items: Value[]) {
    this.items = items
  }
}

/** A value of a kind that nobody here needs, such as a date: its tag and what stood behind it. */
export class Opaque {
  readonly tag: string
  readonly parts: readonly unknown[]

  constructor(tag: string, parts: readonly unknown[]) {
    this.tag = tag
    this.parts = parts
  }
}

/** What an object of the other end held when it was sent: of classes that the receiver named, and never an object of ours. */
export class Copy {
  /** Dotted name of its class. */
  readonly type: string
  readonly state: Dictionary

  constructor(type: string, state: Dictionary) {
    this.type = type
    this.state = state
  }
}

/** An exception as it travels. */
export class Failure {
  /** Dotted name of its class. */
  readonly type: string
  readonly message: string
  readonly traceback: string
  /** Names of its class and those above; real programs ask here what it is. */
  readonly parents: readonly string[]

  constructor({ type, message, traceback = '', parents = [type] }: FailureFields) {
    this.type = type
    this.message = message
    this.traceback = traceback
    this.parents = parents
  }
}

export interface FailureFields {
  readonly type: string
  readonly message: string
  readonly traceback?: string
  readonly parents?: readonly string[]
}

export type Method = (args: readonly Value[], keywords: Dictionary) => Value | Promise<Value>

/** An object of ours that the other end may call: these methods and no others. */
export class Referenceable {
  readonly methods: ReadonlyMap<string, Method>

  constructor(methods: Readonly<Record<string, Method>>) {
    this.methods = new Map(Object.entries(methods))
  }
}

/** An object of the other end. */
export class RemoteReference {
  readonly luid: number | string
  readonly #call: RemoteCall

  constructor(luid: number | string, call: RemoteCall) {
    this.luid = luid
    this.#call = call
  }

  /** @throws RemoteError what the method raised; PbProblem, or the reason, when the link is lost or the arguments cannot be sent. */
  call(method: string, args: readonly Value[] = [], keywords: Readonly<Record<string, Value>> = {}): Promise<Value> {
    return this.#call(this.luid, method, args, keywords)
  }
}

export type RemoteCall = (
  luid: number | string,
  method: string,
  args: readonly Value[],
  keywords: Readonly<Record<string, Value>>,
) => Promise<Value>
