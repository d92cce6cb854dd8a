import type { FastifyRequest } from 'fastify';
import type { ActionMethod, Endpoint } from './endpoint.ts';
import type { Field } from './fields.ts';
import type { PageResult } from './page.ts';
import { PARSED_MEDIA_TYPES } from './parsers.ts';

export interface FieldView extends Field {
  /** What was entered; never a password. */
  value: string;
  errors: readonly string[];
}

/** The two forms of one method: one input a field, and the body as text. */
export interface FormView {
  method: ActionMethod;
  fields: FieldView[];
  /** Messages that belong to no field. */
  errors: readonly string[];
  raw: { mediaTypes: readonly string[]; mediaType: string; content: string };
  /** Whether the raw data form was the one that was sent. */
  rawWasUsed: boolean;
}

/** The forms of every method of an endpoint that takes fields, filled with what was entered. */
export function formsOf(
  endpoint: Endpoint,
  request: FastifyRequest,
  result: PageResult,
): readonly FormView[] {
  if (request.body !== undefined) return filledForms(endpoint, request, result);
  let empty = emptyForms.get(endpoint);
  if (empty === undefined) {
    empty = filledForms(endpoint, request, result);
    emptyForms.set(endpoint, empty);
  }
  return empty;
}

/** The forms of a page that was only opened: nothing was entered, so they are always the same. */
const emptyForms = new WeakMap<Endpoint, readonly FormView[]>();

function filledForms(endpoint: Endpoint, request: FastifyRequest, result: PageResult): FormView[] {
  return (['POST', 'PUT', 'PATCH', 'DELETE'] as const).flatMap((method) => {
    const action = endpoint.actions[method];
    if (action === undefined) return [];
    const fields = action.fields.filter((field) => !field.readOnly);
    return [formOf(method, fields, request, result)];
  });
}

function formOf(
  method: ActionMethod,
  fields: readonly Field[],
  request: FastifyRequest,
  result: PageResult,
): FormView {
  const { raw } = request.exchange;
  const messages = (result.refusal?.status === 400 ? result.body : {}) as Record<string, unknown>;
  // What went through is not entered again: the next login starts empty, as the original's does.
  const entered = (result.status < 300 ? {} : (request.body ?? {})) as Record<string, unknown>;
  const views = fields.map((field) => ({
    ...field,
    value: field.kind === 'password' ? '' : textOf(entered[field.name]),
    errors: listOf(messages[field.name]),
  }));
  const template = Object.fromEntries(views.map(({ name, value }) => [name, value]));
  return {
    method,
    fields: views,
    errors: listOf(messages.non_field_errors),
    raw: {
      mediaTypes: PARSED_MEDIA_TYPES,
      mediaType: raw?.contentType ?? PARSED_MEDIA_TYPES[0],
      content: rawWasKept(fields, request, result) ? (raw?.content ?? '') : JSON.stringify(template, null, 4),
    },
    rawWasUsed: raw !== null,
  };
}

/** What was typed as raw data and could not be read is given back, but not where a password may be in it. */
function rawWasKept(fields: readonly Field[], request: FastifyRequest, { refusal }: PageResult): boolean {
  const { raw } = request.exchange;
  return raw !== null && refusal?.code === 'parse_error' && fields.every(({ kind }) => kind !== 'password');
}

function textOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

function listOf(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}
