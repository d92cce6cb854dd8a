import { AppError } from '../errors.ts';

/** In what form an answer is wanted. `indent` is the number of spaces of indented JSON, 0 to 8. */
export type Format = { name: 'json'; indent: number } | { name: 'html' };

interface MediaType {
  main: string;
  sub: string;
  parameters: ReadonlyMap<string, string>;
}

const RENDERERS = [
  { name: 'json', format: 'json', main: 'application', sub: 'json' },
  { name: 'html', format: 'api', main: 'text', sub: 'html' },
] as const;

/**
 * Chooses the form of an answer as DRF's DefaultContentNegotiation does: `?format=` picks among the renderers,
 * then the Accept header does, by its specificity and never by `q`; of equals JSON wins.
 *
 * @param accept the Accept header, undefined when there is none
 * @param format the `format` of the query string, undefined when there is none
 * @throws AppError `not_found` for an unknown format, `not_acceptable` when nothing fits the header
 */
export function negotiate(accept: string | undefined, format: string | undefined): Format {
  const renderers = format ? RENDERERS.filter((renderer) => renderer.format === format) : RENDERERS;
  if (renderers.length === 0) throw new AppError('not_found');
  if (accept === undefined || accept === '*/*')
    return formatOf(renderers[0] as (typeof RENDERERS)[number], 0);
  const accepted = accept.split(',').map(parseMediaType);
  for (const precedence of [3, 2, 1, 0]) {
    const candidates = accepted.filter((mediaType) => precedenceOf(mediaType) === precedence);
    for (const renderer of renderers) {
      const match = candidates.find((mediaType) => matches(mediaType, renderer));
      if (match !== undefined) return formatOf(renderer, indentOf(match));
    }
  }
  throw new AppError('not_acceptable');
}

/** The type and subtype of a media type header in lower case, without parameters: `application/json`. */
export function essenceOf(contentType: string): string {
  const { main, sub } = parseMediaType(contentType);
  return `${main}/${sub}`;
}

function parseMediaType(text: string): MediaType {
  const [essence = '', ...rest] = text.split(';');
  const [main = '', ...sub] = essence.trim().toLowerCase().split('/');
  const parameters = new Map<string, string>();
  for (const parameter of rest) {
    const [name = '', value = ''] = parameter.split('=', 2);
    parameters.set(name.trim().toLowerCase(), value.trim().replace(/^"(.*)"$/, '$1'));
  }
  return { main, sub: sub.join('/'), parameters };
}

/** How specific a range is: any type, any subtype, a type, a type with parameters. */
function precedenceOf({ main, sub, parameters }: MediaType): number {
  if (main === '*') return 0;
  if (sub === '*') return 1;
  return [...parameters.keys()].every((name) => name === 'q') ? 2 : 3;
}

function matches(range: MediaType, type: { main: string; sub: string }): boolean {
  return (range.main === '*' || range.main === type.main) && (range.sub === '*' || range.sub === type.sub);
}

function formatOf(renderer: (typeof RENDERERS)[number], indent: number): Format {
  return renderer.name === 'json' ? { name: 'json', indent } : { name: 'html' };
}

function indentOf({ parameters }: MediaType): number {
  const indent = Number(parameters.get('indent') ?? 0);
  return Number.isInteger(indent) ? Math.min(Math.max(indent, 0), 8) : 0;
}
