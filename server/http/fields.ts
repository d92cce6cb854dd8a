import { AppError, type Json } from '../errors.ts';

/** An input of an endpoint: DRF's CharField. */
export interface Field {
  name: string;
  label: string;
  /** How it is entered, and whether it may be shown again: a password never is. */
  kind: 'text' | 'password' | 'token';
  /** Given in answers and never taken; it stands in the OPTIONS answer alone. */
  readOnly?: boolean;
  /** The most characters that are taken; none is counted where there is no limit. */
  maxLength?: number;
  /** The cookie that may bring it where the body does not. */
  cookie?: string;
}

/** What was entered, by field name: trimmed, never empty. */
export type Values = Readonly<Record<string, string>>;

/** What Python's `str.strip` takes for white space; JavaScript's `trim` differs in a few characters. */
const SPACE = '[\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]+';
const AROUND = new RegExp(`^${SPACE}|${SPACE}$`, 'g');

/**
 * Checks the body of a request against an endpoint's fields, as DRF's Serializer and CharField do. Members that no
 * field names are ignored.
 *
 * @param otherwise gives what a field holds that the body does not name
 * @throws AppError `invalid` with DRF's messages, each list under the name of its field
 */
export function validate(
  fields: readonly Field[],
  body: unknown,
  otherwise: (field: Field) => string | undefined = () => undefined,
): Values {
  const members = membersOf(body);
  const values: Record<string, string> = {};
  const errors: Record<string, Json> = {};
  for (const field of fields) {
    if (field.readOnly) continue;
    const input = Object.hasOwn(members, field.name) ? members[field.name] : otherwise(field);
    const result = checkText(field, input);
    if (typeof result === 'string') values[field.name] = result;
    else errors[field.name] = result;
  }
  if (Object.keys(errors).length > 0) throw new AppError('invalid', { members: errors });
  return values;
}

/** @throws AppError `invalid` when the body is no object; no body at all counts as an empty one */
function membersOf(body: unknown): Readonly<Record<string, unknown>> {
  if (body === undefined) return {};
  if (body === null) throw new AppError('invalid', { members: { non_field_errors: ['No data provided'] } });
  if (typeof body === 'object' && !Array.isArray(body)) return body as Record<string, unknown>;
  const message = `Invalid data. Expected a dictionary, but got ${pythonTypeOf(body)}.`;
  throw new AppError('invalid', { members: { non_field_errors: [message] } });
}

/** The text that was entered, or what is wrong with it. */
function checkText(field: Field, input: unknown): string | string[] {
  if (input === undefined) return ['This field is required.'];
  if (input === null) return ['This field may not be null.'];
  if (typeof input !== 'string' && !(typeof input === 'number' && Number.isFinite(input))) {
    return ['Not a valid string.'];
  }
  const text = withoutSpaceAround(String(input));
  if (text === '') return ['This field may not be blank.'];
  const problems: string[] = [];
  if (field.maxLength !== undefined && text.length > field.maxLength) {
    problems.push(`Ensure this field has no more than ${field.maxLength} characters.`);
  }
  if (text.includes('\0')) problems.push('Null characters are not allowed.');
  const surrogate = text.isWellFormed() ? undefined : /\p{Surrogate}/u.exec(text)?.[0];
  if (surrogate !== undefined) {
    problems.push(
      `Surrogate characters are not allowed: U+${surrogate.charCodeAt(0).toString(16).toUpperCase()}.`,
    );
  }
  return problems.length > 0 ? problems : text;
}

/** Python's `str.strip`. Most texts, and every token, have nothing to take off, which their ends show. */
function withoutSpaceAround(text: string): string {
  return isPlain(text.charCodeAt(0)) && isPlain(text.charCodeAt(text.length - 1))
    ? text
    : text.replace(AROUND, '');
}

function isPlain(charCode: number): boolean {
  return charCode > 0x20 && charCode < 0x7f;
}

/** The names that Python's error messages give to the types of JSON. */
function pythonTypeOf(value: unknown): string {
  if (Array.isArray(value)) return 'list';
  if (typeof value === 'string') return 'str';
  if (typeof value === 'boolean') return 'bool';
  return Number.isInteger(value) ? 'int' : 'float';
}
