/** What a page shows of the answer that a program would have got. */
export interface ShownAnswer {
  /** `HTTP 200 OK` */
  statusLine: string;
  /** By name as shown. */
  headers: Record<string, string>;
  json: unknown;
}

/** A form of a page, as a browser would send it untouched. */
export interface ShownForm {
  action: string;
  method: string;
  fields: Record<string, string>;
  button: string;
}

const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', quot: '"', '#39': "'", amp: '&' };

/** Text as a person sees it. */
export function unescaped(html: string): string {
  return html
    .replace(/<[^>]*>/g, '')
    .replace(/&(lt|gt|quot|#39|amp);/g, (_, name: string) => ENTITIES[name] ?? '');
}

/** @throws Error when the page shows no answer, or one whose body is no JSON */
export function shownAnswer(page: string): ShownAnswer {
  const answer = /<pre class="answer"[^>]*>([\s\S]*?)<\/pre>/.exec(page)?.[1];
  if (answer === undefined) throw new Error('The page shows no answer');
  const text = unescaped(answer);
  const end = text.indexOf('\n\n');
  const [statusLine = '', ...lines] = text.slice(0, end).split('\n');
  const headers = lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]);
  return { statusLine, headers: Object.fromEntries(headers), json: JSON.parse(text.slice(end)) };
}

/** What stands above the answer: method, address and headers. */
export function shownRequest(page: string): string {
  return unescaped(/<pre class="request-line"[^>]*>([\s\S]*?)<\/pre>/.exec(page)?.[1] ?? '');
}

export function shownForms(page: string): ShownForm[] {
  return [...page.matchAll(/<form([^>]*)>([\s\S]*?)<\/form>/g)].map(([, attributes = '', body = '']) => ({
    action: attribute(attributes, 'action'),
    method: attribute(attributes, 'method'),
    fields: Object.fromEntries([...inputs(body), ...textareas(body), ...selects(body)]),
    button: unescaped(/<button[^>]*>([\s\S]*?)<\/button>/.exec(body)?.[1] ?? ''),
  }));
}

/** The messages beside the fields of a page's forms. */
export function shownErrors(page: string): string[] {
  return [...page.matchAll(/<p class="field-error[^>]*>([\s\S]*?)<\/p>/g)].map(([, text = '']) =>
    unescaped(text),
  );
}

/** The code samples by their label. */
export function shownSamples(page: string): Record<string, string> {
  const pattern = /<pre class="tab-panel[^>]*aria-label="([^"]*)"[^>]*>([\s\S]*?)<\/pre>/g;
  return Object.fromEntries(
    [...page.matchAll(pattern)].map(([, label = '', code = '']) => [label, unescaped(code)]),
  );
}

function inputs(html: string): [string, string][] {
  return [...html.matchAll(/<input([^>]*)>/g)]
    .filter(([, attributes = '']) => !/type="radio"/.test(attributes))
    .map(([, attributes = '']) => [attribute(attributes, 'name'), attribute(attributes, 'value')]);
}

function textareas(html: string): [string, string][] {
  return [...html.matchAll(/<textarea([^>]*)>([\s\S]*?)<\/textarea>/g)].map(
    ([, attributes = '', text = '']) => [attribute(attributes, 'name'), unescaped(text)],
  );
}

function selects(html: string): [string, string][] {
  return [...html.matchAll(/<select([^>]*)>([\s\S]*?)<\/select>/g)].map(
    ([, attributes = '', options = '']) => [
      attribute(attributes, 'name'),
      unescaped(/<option value="([^"]*)" selected/.exec(options)?.[1] ?? ''),
    ],
  );
}

function attribute(attributes: string, name: string): string {
  return unescaped(new RegExp(`\\b${name}="([^"]*)"`).exec(attributes)?.[1] ?? '');
}
