// Loaded into a server before it starts: what it waits for on a connection takes a DEADLINES_OVER-th of the time.
import http from 'node:http';
import { syncBuiltinESMExports } from 'node:module';

const over = Number(process.env.DEADLINES_OVER);
const { createServer } = http;

http.createServer = (options, listener) => {
  const connectionsCheckingInterval = Math.ceil(options.connectionsCheckingInterval / over);
  const server = createServer({ ...options, connectionsCheckingInterval }, listener);
  // One of them is set later.
  for (const name of ['headersTimeout', 'requestTimeout']) {
    let value = server[name];
    Object.defineProperty(server, name, {
      get: () => value / over,
      set: (milliseconds) => {
        value = milliseconds;
      },
    });
  }
  return server;
};
syncBuiltinESMExports();
