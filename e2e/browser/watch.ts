import type { BrowserContext, ConsoleMessage, Request } from 'playwright';

/** How every JWT in compact form begins: `{"` in base64url. */
const TOKEN_START = 'eyJ';

/** How Chromium notes an answer of 4xx, which is no fault where the page itself is such an answer. */
const STATUS_NOTE = /^Failed to load resource: the server responded with a status of 4\d\d /;

/** What becomes of a request when its page is left before the answer comes. */
const LEFT = 'net::ERR_ABORTED';

/**
 * Watches everything that happens in a browser context from now on.
 *
 * @param originOf which is the only one that may be asked for anything now
 * @returns a function that lists what was not as it should be since it was last called: console messages, uncaught errors, requests to
 *   other hosts or with a token in their URL, and whatever a page tried to load and did not get
 */
export function watch(context: BrowserContext, originOf: () => string): () => string[] {
  const faults: string[] = [];
  const opened = new Set<string>();
  context.on('request', (request) => {
    const url = request.url();
    if (isPage(request)) opened.add(url);
    if (new URL(url).origin !== originOf()) faults.push(`a request to another host: ${url}`);
    if (decodeURIComponent(url).includes(TOKEN_START)) faults.push(`a token in a URL: ${url}`);
  });
  context.on('requestfailed', (request) => {
    if (!isPage(request) && request.failure()?.errorText !== LEFT)
      faults.push(`not loaded: ${request.url()} (${request.failure()?.errorText})`);
  });
  context.on('response', (response) => {
    if (response.status() >= 500) faults.push(`${response.status()} at ${response.url()}`);
  });
  context.on('weberror', (error) => faults.push(`uncaught: ${error.error().stack}`));
  context.on('console', (message) => {
    if (isFault(message, opened))
      faults.push(`console ${message.type()}: ${message.text()} (${placeOf(message)})`);
  });
  return () => faults.splice(0);
}

function isPage(request: Request): boolean {
  return request.isNavigationRequest() && request.frame().parentFrame() === null;
}

function isFault(message: ConsoleMessage, opened: ReadonlySet<string>): boolean {
  if (!['error', 'warning', 'assert'].includes(message.type())) return false;
  return !(STATUS_NOTE.test(message.text()) && opened.has(placeOf(message)));
}

function placeOf(message: ConsoleMessage): string {
  return message.location().url;
}
