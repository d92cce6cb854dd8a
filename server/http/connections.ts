import { EventEmitter, once } from 'node:events';
import type { Server } from 'node:http';
import { Server as NetServer, type Socket } from 'node:net';

/** What is said to a request that is no HTTP, by the code of Node's error; all else is 400. */
const BROKEN_REQUESTS: Readonly<Record<string, readonly [status: string, detail: string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', 'The request took too long to arrive.'],
  HPE_HEADER_OVERFLOW: ['431 Request Header Fields Too Large', 'The headers are larger than 16 KiB.'],
};

/** How long what is in flight may take when the server stops, in milliseconds; then it is cut off. */
const LAST_CALL = 10_000;

/** How often a stopping server looks for connections that have nothing more to say, in milliseconds. */
const SWEEP_INTERVAL = 20;

/**
 * Answers what the HTTP parser gave up on. Nothing of it is logged: Node's error carries the bytes that came, and a
 * password may be among them.
 */
export function answerBrokenRequest(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  const [status, detail] = BROKEN_REQUESTS[error.code ?? ''] ?? ['400 Bad Request', 'Malformed request.'];
  const body = JSON.stringify({ detail });
  if (socket.writable) {
    const head = `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}`;
    socket.write(`${head}\r\nConnection: close\r\n\r\n${body}`);
  }
  socket.destroySoon();
}

export interface Connections {
  /** Takes no new connections. Those that are open are served on. */
  refuseMore(): void;
  /**
   * Takes no new connections. What comes on those that are open is answered still, and told that it was the last.
   *
   * @param limit how long clients may take to notice, in milliseconds
   * @returns when no connection is left, or the time is over
   */
  drain(limit: number): Promise<void>;
  /**
   * Lets them go while the server stops, so that stopping takes no longer than what is in flight: idle ones, those that
   * never asked for anything, as browsers open them in advance, and at last the rest.
   *
   * @returns a function to call when the server has stopped
   */
  letGo(): () => void;
}

/** Watches a server's connections. To be called before it listens. */
export function watchConnections(server: Server): Connections {
  const open = new Set<Socket>();
  const silent = new Set<Socket>();
  const gone = new EventEmitter();
  let isDraining = false;
  server.on('connection', (socket: Socket) => {
    open.add(socket);
    silent.add(socket);
    socket.once('close', () => {
      open.delete(socket);
      silent.delete(socket);
      if (open.size === 0) gone.emit('all');
    });
  });
  server.prependListener('request', ({ socket }, response) => {
    silent.delete(socket);
    if (isDraining) response.setHeader('connection', 'close');
  });
  const refuseMore = () => {
    // The close of an HTTP server would cut off at once whoever is about to ask for something.
    if (server.listening) NetServer.prototype.close.call(server);
  };
  const drain = async (limit: number) => {
    refuseMore();
    isDraining = true;
    if (open.size > 0) await once(gone, 'all', { signal: AbortSignal.timeout(limit) }).catch(() => {});
  };
  return { refuseMore, drain, letGo: () => letGo(server, silent) };
}

function letGo(server: Server, silent: ReadonlySet<Socket>): () => void {
  const sweep = setInterval(() => {
    server.closeIdleConnections();
    for (const socket of silent) socket.destroy();
  }, SWEEP_INTERVAL);
  const lastCall = setTimeout(() => server.closeAllConnections(), LAST_CALL);
  return () => {
    clearInterval(sweep);
    clearTimeout(lastCall);
  };
}
