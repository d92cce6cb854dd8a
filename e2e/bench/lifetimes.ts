import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startServer } from '../server-process.ts';
import { median, type Row } from './table.ts';

/**
 * How long a server takes from the start of its process to its first answer, on a database that is there already,
 * and from SIGTERM to its exit.
 *
 * @param idle how many idle connections are open when it is told to end
 */
export async function lifetimes(
  times: number,
  idle: number,
  settings: Readonly<Record<string, string>>,
): Promise<Row[]> {
  const folder = mkdtempSync(join(tmpdir(), 'jotgate-bench-'));
  const starts: number[] = [];
  const stops: number[] = [];
  try {
    await (await startServer({ settings, folder })).stop();
    for (let time = 0; time < times; time += 1) {
      const startedAt = performance.now();
      const server = await startServer({ settings, folder });
      const agent = new Agent({ keepAlive: true });
      await answered(server.url, agent);
      starts.push(performance.now() - startedAt);
      await Promise.all(Array.from({ length: idle }, () => answered(server.url, agent)));
      const stoppedAt = performance.now();
      await server.stop();
      stops.push(performance.now() - stoppedAt);
      agent.destroy();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return [row('start to first answer', starts), row('SIGTERM to exit', stops)];
}

function answered(url: string, agent: Agent): Promise<void> {
  return new Promise((resolve, reject) => {
    get(`${url}/api/`, { agent, headers: { accept: 'application/json' } }, (incoming) => {
      incoming.on('end', resolve).on('error', reject).resume();
    }).on('error', reject);
  });
}

function row(name: string, times: readonly number[]): Row {
  return { name: `${name} (median, slowest)`, p50: median(times), p99: Math.max(...times) };
}
