import { setTimeout as delay } from 'node:timers/promises';
import axe from 'axe-core';
import type { Page } from 'playwright';

/** In milliseconds. In a context with JavaScript off, axe would never come to an end. */
const TIME_LIMIT = 30_000;

const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];

/** What is not a violation is not told of: on a long list that takes most of the time. */
const OPTIONS = { runOnly: { type: 'tag', values: TAGS }, resultTypes: ['violations'] };

const RUN = `axe.run(document, ${JSON.stringify(OPTIONS)}).then(({ violations }) => violations)`;

/** What axe finds on a page against WCAG 2.2 AA, a readable text each; an empty list if nothing. Needs JavaScript on. */
export async function findViolations(page: Page): Promise<string[]> {
  const session = await page.context().newCDPSession(page);
  // By way of the debugger, so that the page's content security policy stays as it is.
  const evaluate = (expression: string) =>
    session.send('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true });
  try {
    const { result: loaded } = await evaluate('typeof axe');
    if (loaded.value === 'undefined') await evaluate(`${axe.source}; true`);
    const ended = await Promise.race([evaluate(RUN), delay(TIME_LIMIT, undefined, { ref: false })]);
    if (ended === undefined) throw new Error('axe did not end: is JavaScript off here?');
    const { result, exceptionDetails } = ended;
    if (exceptionDetails !== undefined)
      throw new Error(`axe failed: ${exceptionDetails.exception?.description}`);
    return (result.value as axe.Result[]).map(describe);
  } finally {
    await session.detach();
  }
}

function describe({ id, impact, help, helpUrl, nodes }: axe.Result): string {
  const places = nodes.map((node) => `  ${node.target.join(' ')}: ${node.html}\n    ${node.failureSummary}`);
  return [`${id} (${impact}): ${help}, ${helpUrl}`, ...places].join('\n');
}
