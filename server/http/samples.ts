/** A request to be written down as code. */
export interface SampleRequest {
  method: string;
  /** Absolute. */
  url: string;
  headers: readonly (readonly [name: string, value: string])[];
  /** What is sent, if anything: fields of a form, or a JSON value. */
  body: { form: Readonly<Record<string, string>> } | { json: unknown } | null;
  /** The answer has no body that could be read as JSON. */
  isAnswerEmpty?: boolean;
}

export interface Sample {
  id: string;
  label: string;
  code: string;
}

/** The same request for four kinds of reader, ready to copy into a POSIX shell, JavaScript or Python. */
export function samplesOf(request: SampleRequest): Sample[] {
  return [
    { id: 'curl', label: 'curl', code: curl(request) },
    { id: 'httpie', label: 'HTTPie', code: httpie(request) },
    { id: 'fetch', label: 'JavaScript', code: fetchCall(request) },
    { id: 'requests', label: 'Python', code: pythonRequests(request) },
  ];
}

function curl({ method, url, headers, body }: SampleRequest): string {
  const parts = [method === 'HEAD' ? `curl --head ${shell(url)}` : `curl -X ${method} ${shell(url)}`];
  for (const [name, value] of headers) parts.push(`-H ${shell(`${name}: ${value}`)}`);
  if (body !== null && 'form' in body) {
    for (const [name, value] of Object.entries(body.form))
      parts.push(`--data-urlencode ${shell(`${name}=${value}`)}`);
  } else if (body !== null) {
    parts.push("-H 'Content-Type: application/json'", `--data ${shell(JSON.stringify(body.json))}`);
  }
  return parts.join(' \\\n    ');
}

function httpie({ method, url, headers, body }: SampleRequest): string {
  const parts = [`http ${body !== null && 'form' in body ? '--form ' : ''}${method} ${shell(url)}`];
  for (const [name, value] of headers) parts.push(shell(`${name}:${value}`));
  if (body !== null && 'form' in body) {
    for (const [name, value] of Object.entries(body.form)) parts.push(shell(httpieItem(name, value)));
  } else if (body !== null) {
    parts.push("'Content-Type:application/json'", `--raw ${shell(JSON.stringify(body.json))}`);
  }
  return parts.join(' \\\n    ');
}

/** An item of HTTPie's: a value that begins with `@` would name a file to read, one with `=` a part of the query. */
function httpieItem(name: string, value: string): string {
  return `${name.replace(/[@:=;]/g, '\\$&')}=${value.replace(/^[@=]/, '\\$&')}`;
}

function fetchCall({ method, url, headers, body, isAnswerEmpty }: SampleRequest): string {
  const head: Record<string, string> = Object.fromEntries(headers);
  const options = [`  method: ${quoted(method)},`];
  let payload: string | undefined;
  if (body !== null && 'form' in body) payload = `new URLSearchParams(${indented(body.form, '  ')})`;
  else if (body !== null) {
    head['Content-Type'] = 'application/json';
    payload = `JSON.stringify(${indented(body.json, '  ')})`;
  }
  if (Object.keys(head).length > 0) options.push(`  headers: ${indented(head, '  ')},`);
  if (payload !== undefined) options.push(`  body: ${payload},`);
  const isEmpty = isAnswerEmpty || method === 'HEAD';
  const result = isEmpty ? 'response.status' : 'response.status, await response.json()';
  return [
    `const response = await fetch(${quoted(url)}, {`,
    ...options,
    '});',
    `console.log(${result});`,
  ].join('\n');
}

function pythonRequests({ method, url, headers, body, isAnswerEmpty }: SampleRequest): string {
  const parts = [`    ${quoted(method)},`, `    ${quoted(url)},`];
  if (body !== null)
    parts.push('form' in body ? `    data=${python(body.form)},` : `    json=${python(body.json)},`);
  if (headers.length > 0) parts.push(`    headers=${python(Object.fromEntries(headers))},`);
  const isEmpty = isAnswerEmpty || method === 'HEAD';
  const result = isEmpty ? 'response.status_code' : 'response.status_code, response.json()';
  return ['import requests', '', 'response = requests.request(', ...parts, ')', `print(${result})`].join(
    '\n',
  );
}

/** One word of a POSIX shell, whatever it holds. */
function shell(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** A string of JavaScript, and of Python too: their escapes are alike as far as JSON goes. */
function quoted(text: string): string {
  return JSON.stringify(text);
}

function indented(value: unknown, indent: string): string {
  return JSON.stringify(value, null, 2).replaceAll('\n', `\n${indent}`);
}

/** A JSON value as Python writes it. */
function python(value: unknown): string {
  if (value === null) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (Array.isArray(value)) return `[${value.map(python).join(', ')}]`;
  if (typeof value !== 'object') return JSON.stringify(value);
  const members = Object.entries(value).map(([name, member]) => `${quoted(name)}: ${python(member)}`);
  return `{${members.join(', ')}}`;
}
