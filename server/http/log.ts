import { Writable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import pino, { type Logger } from 'pino';

/**
 * A logger that writes JSON lines, or lines for people where a person is watching. It never holds an answer up: what
 * it writes goes out behind the event loop's back.
 *
 * @param level pino's: fatal, error, warn, info, debug, trace or silent
 */
export function makeLogger(level: string, output: NodeJS.WriteStream & { fd?: number }): Logger {
  const destination = output.isTTY
    ? readableLines(output)
    : pino.destination({ fd: output.fd ?? 2, sync: false });
  return pino({ level, base: null }, destination);
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Is asked so often that its answers are not logged. */
    isQuiet?: boolean;
  }
}

/**
 * Logs each answer as one line: method, path, status, milliseconds, and who asked. The query string is left out, for
 * people put tokens into it; bodies and headers never come near a log.
 */
export function registerRequestLog(app: FastifyInstance): void {
  app.addHook('onResponse', (request, reply, done) => {
    if (request.routeOptions.config.isQuiet) return done();
    request.log.info(
      {
        method: request.method,
        path: request.url.split('?', 1)[0],
        status: reply.statusCode,
        ms: Math.round(reply.elapsedTime * 10) / 10,
        address: request.ip,
      },
      'request',
    );
    done();
  });
}

/** Takes pino's JSON lines and writes them as a person reads them: `12:31:07 POST /api/token/ 200 231.4 ms`. */
function readableLines(output: NodeJS.WriteStream): Writable {
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      const line = JSON.parse(chunk.toString()) as Record<string, string | number | { message?: string }>;
      const time = new Date(line.time as number).toTimeString().slice(0, 8);
      const text =
        line.msg === 'request'
          ? `${line.method} ${line.path} ${line.status} ${line.ms} ms`
          : [line.msg, (line.err as { message?: string } | undefined)?.message].filter(Boolean).join(': ');
      output.write(`${time} ${text}\n`, () => done());
    },
  });
}
