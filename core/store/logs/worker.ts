import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { createLogFiles, failure } from './log-files.ts'
import type { Appended, Reply, Request } from './messages.ts'

// The entry of the log store's thread: file-log-store.ts starts it with the folder as its data.
if (parentPort !== null) serve(parentPort, workerData as { readonly directory: string })

function serve(port: MessagePort, { directory }: { readonly directory: string }): void {
  const files = createLogFiles({
    directory,
    warn: (warning, path, reason) => reply({ warning, path, reason }),
  })

  function reply(message: Reply): void {
    port.postMessage(message)
  }

  function appendAndFree({ bytes, parts }: Extract<Request, { readonly op: 'append' }>): readonly Appended[] {
    const answers = files.append(bytes, parts)
    // They are in the file: a collector would let many megabytes of them wait, as the objects they hang on are small.
    bytes.buffer.transfer(0)
    return answers
  }

  function answer(request: Request): unknown {
    switch (request.op) {
      case 'append':
        return appendAndFree(request)
      case 'length':
        return files.length(request.path)
      case 'lines':
        return files.lines(request.path)
      case 'finish':
        return files.finish(request.path)
      case 'lineOffset':
        return files.lineOffset(request.path, request.line)
      case 'remove':
        return files.remove(request.folder)
      case 'close':
        return files.close()
      case 'read':
        return files.read(request.path, request.from, request.to)
    }
  }

  port.on('message', (request: Request) => {
    const { id } = request
    const done = (value: unknown) => {
      reply({ id, value })
      if (request.op === 'close') port.close()
    }
    const fail = (error: unknown) => reply({ id, failed: failure(error) })
    try {
      const value = answer(request)
      if (value instanceof Promise) value.then(done, fail)
      else done(value)
    } catch (error) {
      fail(error)
    }
  })
}
