/** A request to be written down as code. */
export interface SampleRequest {
  method: string;
  /** Absolute. */
  url: string;
  headers: readonly (readonly [name: string, value: string])[];
  /** What is sent, if anything: fields of a form, a JSON value, or any other text as it is. */
  body:
    | { form: Readonly<Record<string, string>> }
    | { json: unknown }
    | { text: string; contentType: string }
    | null;
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
  const parts = [`curl -X ${method} ${shell(url)}`];
  if (method === 'HEAD') parts[0] = `curl --head ${shell(url)}`;
  for (const [name, value] of headers) parts.push(`-H ${shell(`${name}: ${value}`)}`);
  if (body !== null && 'form' in body) {
    for (const [name, value] of Object.entries(body.form))
      parts.push(`--data-urlencode ${shell(`${name}=${value}`)}`);
  } else if (body !== null) {
    const [contentType, text] = textOf(body);
    parts.push(`-H ${shell(`Content-Type: ${contentType}`)}`, `--data ${shell(text)}`);
  }
  return parts.join(' \\\n    ');
}

function httpie({ method, url, headers, body }: SampleRequest): string {
  const parts = [`http ${body !== null && 'form' in body ? '--form ' : ''}${method} ${shell(url)}`];
  for (const [name, value] of headers) parts.push(shell(`${name}:${value}`));
  if (body !== null && 'form' in body) {
    for (const [name, value] of Object.entries(body.form)) parts.push(shell(`${name}=${value}`));
  } else if (body !== null) {
    const [contentType, text] = textOf(body);
    parts.push(shell(`Content-Type:${contentType}`), `--raw ${shell(text)}`);
  }
  return parts.join(' \\\n    ');
}

function fetchCall({ method, url, headers, body }: SampleRequest): string {
  const head: Record<string, string> = Object.fromEntries(headers);
  const options = [`  method: ${quoted(method)},`];
  let payload: string | undefined;
  if (body !== null && 'form' in body) payload = `new URLSearchParams(${indented(body.form, '  ')})`;
  else if (body !== null && 'json' in body) {
    head['Content-Type'] = 'application/json';
    payload = `JSON.stringify(${indented(body.json, '  ')})`;
  } else if (body !== null) {
    head['Content-Type'] = body.contentType;
    payload = quoted(body.text);
  }
  if (Object.keys(head).length > 0) options.push(`  headers: ${indented(head, '  ')},`);
  if (payload !== undefined) options.push(`  body: ${payload},`);
  return [
    `const response = await fetch(${quoted(url)}, {`,
    ...options,
    '});',
    method === 'HEAD'
      ? 'console.log(response.status);'
      : 'console.log(response.status, await response.json());',
  ].join('\n');
}

function pythonRequests({ method, url, headers, body }: SampleRequest): string {
  const head: Record<string, string> = Object.fromEntries(headers);
  const parts = [`    ${quoted(method)},`, `    ${quoted(url)},`];
  if (body !== null && 'form' in body) parts.push(`    data=${python(body.form)},`);
  else if (body !== null && 'json' in body) parts.push(`    json=${python(body.json)},`);
  else if (body !== null) {
    head['Content-Type'] = body.contentType;
    parts.push(`    data=${quoted(body.text)}.encode(),`);
  }
  if (Object.keys(head).length > 0) parts.push(`    headers=${python(head)},`);
  const result =
    method === 'HEAD' ? 'print(response.status_code)' : 'print(response.status_code, response.json())';
  return ['import requests', '', 'response = requests.request(', ...parts, ')', result].join('\n');
}

function textOf(
  body: { json: unknown } | { text: string; contentType: string },
): [contentType: string, text: string] {
  return 'json' in body ? ['application/json', JSON.stringify(body.json)] : [body.contentType, body.text];
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
