import type { Locator, Page } from 'playwright';

/** What a browsable page shows of one exchange. */
export interface Answer {
  /** Such as `POST /api/token/`. */
  readonly request: string;
  readonly status: number;
  /** Such as `Allow`, as written. */
  readonly headers: Readonly<Record<string, string>>;
  readonly json: Readonly<Record<string, unknown>>;
  /** The JSON to the letter, spaces and all. */
  readonly text: string;
  /** The line that says what a refusal means; empty where there is none. */
  readonly advice: string;
}

export function exchangeOf(page: Page): Locator {
  return page.getByRole('region', { name: 'Request and answer' });
}

/** Reads what the page that is open shows, without the words of the buttons in it. */
export async function readAnswer(page: Page): Promise<Answer> {
  const exchange = exchangeOf(page);
  const blocks = exchange.locator('pre');
  const request = firstLine(await shownText(blocks.first()));
  const shown = await shownText(blocks.last());
  const [head = '', text = ''] = split(shown);
  const [statusLine = '', ...headerLines] = head.split('\n');
  const advice = exchange.getByRole('note');
  return {
    request,
    status: Number(/^HTTP (\d{3}) /.exec(statusLine)?.[1]),
    headers: Object.fromEntries(headerLines.map((line) => line.split(': ') as [string, string])),
    json: JSON.parse(text),
    text,
    advice: ((await advice.count()) > 0 && (await advice.textContent())) || '',
  };
}

/** The text of an element without that of its buttons. */
export function shownText(locator: Locator): Promise<string> {
  return locator.evaluate((element) => {
    const copy = element.cloneNode(true) as Element;
    for (const button of copy.querySelectorAll('button')) button.remove();
    return copy.textContent ?? '';
  });
}

/** A token that stands in an answer's JSON under this key. */
export function tokenIn(answer: Answer, key: 'access' | 'refresh' | 'token'): string {
  const token = answer.json[key];
  if (typeof token !== 'string') throw new Error(`There is no ${key} in ${answer.text}`);
  return token;
}

/** The header or payload of a token. */
export function decodePart(token: string, part: 0 | 1): Record<string, unknown> {
  return JSON.parse(Buffer.from(token.split('.')[part] ?? '', 'base64url').toString());
}

function firstLine(text: string): string {
  return text.trim().split('\n')[0] ?? '';
}

function split(shown: string): string[] {
  const gap = shown.indexOf('\n\n');
  return [shown.slice(0, gap).trim(), shown.slice(gap).trim()];
}
