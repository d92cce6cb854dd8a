import assert from 'node:assert/strict';

/** Talks to a server as programs do, without a browser and its cookies. */
async function post(url: string, body: object): Promise<{ status: number; json: Record<string, string> }> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return { status: response.status, json: (await response.json()) as Record<string, string> };
}

/** What a log-in over the API is answered with. */
export async function loginStatus(
  { url }: { url: string },
  { username, password }: { username: string; password: string },
): Promise<number> {
  return (await post(`${url}/api/token/`, { username, password })).status;
}

/** The refresh token of a log-in over the API. @throws AssertionError when that is refused */
export async function obtainRefresh(
  { url }: { url: string },
  { username, password }: { username: string; password: string },
): Promise<string> {
  const { status, json } = await post(`${url}/api/token/`, { username, password });
  assert.equal(status, 200, JSON.stringify(json));
  return json.refresh as string;
}

/** What a refresh with a token is answered with: 200 while it works, 401 when it is worthless. */
export async function refreshStatus({ url }: { url: string }, refresh: string): Promise<number> {
  return (await post(`${url}/api/token/refresh/`, { refresh })).status;
}

/** The id of a token, by which the admin lists it. */
export function jtiOf(token: string): string {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()).jti;
}
