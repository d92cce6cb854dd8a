import type { ServerProcess } from '../server-process.ts';
import type { Load } from './load.ts';

export interface Contender extends Omit<Load, 'connections' | 'duration'> {
  readonly name: string;
  /** The least share of the echo's throughput it should have. */
  readonly target: number;
}

const JSON_HEADERS = { accept: 'application/json', 'content-type': 'application/json' };
const ACCOUNT = { username: 'bench', password: 'a-bench-password' };
const SEGMENTS = String.raw`[\w-]+\.[\w-]+\.[\w-]+`;

/** What is compared with the echo, on a server that has an account and a token pair for it. */
export async function enter(server: ServerProcess): Promise<{ contenders: Contender[]; echoBody: string }> {
  await server.createUser(ACCOUNT);
  const pair = await obtainPair(server.url);
  const verifyBody = JSON.stringify({ token: pair.access });
  const contenders: Contender[] = [
    {
      name: 'verify',
      target: 0.45,
      ...{ url: `${server.url}/api/token/verify/`, method: 'POST', headers: JSON_HEADERS, body: verifyBody },
      ...{ status: 200, shape: String.raw`^\{\}$` },
    },
    {
      name: 'refresh',
      target: 0.3,
      ...{ url: `${server.url}/api/token/refresh/`, method: 'POST', headers: JSON_HEADERS },
      body: JSON.stringify({ refresh: pair.refresh }),
      ...{ status: 200, shape: String.raw`^\{"access":"${SEGMENTS}"\}$` },
    },
    {
      name: 'page',
      target: 0.25,
      ...{ url: `${server.url}/api/token/`, method: 'GET', headers: { accept: 'text/html' } },
      // The page of an endpoint that takes no GET shows the refusal, and below it the form.
      ...{ status: 405, shape: String.raw`^\s*<!doctype html>[\s\S]*<form\b[\s\S]*</html>\s*$` },
    },
  ];
  return { contenders, echoBody: verifyBody };
}

/** The echo: it is sent what verify is sent, and answers just that. */
export function echo(url: string, body: string): Omit<Load, 'connections' | 'duration'> {
  const shape = `^${body.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`;
  return { url, method: 'POST', headers: JSON_HEADERS, body, status: 200, shape };
}

async function obtainPair(url: string): Promise<{ access: string; refresh: string }> {
  const answer = await fetch(`${url}/api/token/`, {
    method: 'POST',
    headers: JSON_HEADERS,
    body: JSON.stringify(ACCOUNT),
  });
  if (answer.status !== 200) throw new Error(`No token pair: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as { access: string; refresh: string };
}
