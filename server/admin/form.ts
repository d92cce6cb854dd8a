import type { FormInput } from './form-input.ts';

interface FieldBase {
  name: string;
  label: string;
  /** Lines below the input. */
  help?: readonly string[];
  /** Shown, but not to be changed: whatever is sent for it is not read. */
  readOnly?: boolean;
}

export interface TextField extends FieldBase {
  kind: 'text' | 'email' | 'password';
  /** Must not be left empty. */
  required?: boolean;
  /** In characters. */
  maxLength?: number;
  autocomplete?: string;
  autofocus?: boolean;
}

export interface CheckboxField extends FieldBase {
  kind: 'checkbox';
}

/** One of some choices, as radio buttons. */
export interface ChoiceField extends FieldBase {
  kind: 'choice';
  options: readonly Option[];
}

/** Any number of some choices, as checkboxes. Options with a group stand together under its name. */
export interface ChoicesField extends FieldBase {
  kind: 'choices';
  options: readonly Option[];
  /** What is said where there is nothing to choose from. */
  empty?: string;
}

export interface Option {
  value: string;
  label: string;
  group?: string;
  /** Shown as it is, and not to be changed by this viewer. */
  disabled?: boolean;
}

/** A moment in UTC: a date and a time beside each other, as Django's SplitDateTimeField: `NAME_0` and `NAME_1`. */
export interface MomentField extends FieldBase {
  kind: 'moment';
  required?: boolean;
}

/** What is told and cannot be entered here: some details, or why there are none, and where it can be changed. */
export interface DetailsField extends FieldBase {
  kind: 'details';
  readOnly: true;
  details: readonly { label: string; value: string }[];
  message: string | null;
  /** A link at the end of a sentence. */
  link: { before: string; text: string; href: string } | null;
}

export type FormField = TextField | CheckboxField | ChoiceField | ChoicesField | MomentField | DetailsField;

/** What a field holds: a text, yes or no, the chosen values, or a moment. */
export type FormValue = string | boolean | readonly string[] | Date | null;

export interface FormValues {
  readonly [name: string]: FormValue;
}

export interface FormErrors {
  readonly [name: string]: readonly string[];
}

/** What was entered, whether right or not, and what is wrong with it by field. */
export interface FormReading {
  values: FormValues;
  errors: Record<string, string[]>;
  /** What was typed into fields whose text is no value, to be given back. */
  typed: Readonly<Record<string, readonly [date: string, time: string]>>;
}

/**
 * Reads a form with Django's messages. Texts are trimmed, passwords are not. A choice that is none of the options, or
 * a disabled one, counts as not sent: a browser sends none.
 */
export function readForm(fields: readonly FormField[], form: FormInput): FormReading {
  const values: Record<string, FormValue> = {};
  const errors: Record<string, string[]> = {};
  const typed: Record<string, readonly [string, string]> = {};
  for (const field of fields) {
    if (field.readOnly) continue;
    if (field.kind === 'moment') {
      const parts = [0, 1].map((part) => (form.get(`${field.name}_${part}`) ?? '').trim());
      typed[field.name] = parts as [string, string];
      const moment = readMoment(field, parts as [string, string]);
      if (Array.isArray(moment)) errors[field.name] = moment;
      values[field.name] = Array.isArray(moment) ? null : moment;
    } else {
      const value = readValue(field, form);
      values[field.name] = value;
      const complaints = typeof value === 'string' && isText(field) ? textComplaints(field, value) : [];
      if (complaints.length > 0) errors[field.name] = complaints;
    }
  }
  return { values, errors, typed };
}

function isText(field: FormField): field is TextField {
  return field.kind === 'text' || field.kind === 'email' || field.kind === 'password';
}

function readValue(field: Exclude<FormField, MomentField>, form: FormInput): FormValue {
  switch (field.kind) {
    case 'checkbox':
      return form.has(field.name);
    case 'choice':
      return allowed(field.options, form.getAll(field.name)).at(-1) ?? '';
    case 'choices':
      return allowed(field.options, form.getAll(field.name));
    case 'password':
      return form.get(field.name) ?? '';
    default:
      return (form.get(field.name) ?? '').trim();
  }
}

function allowed(options: readonly Option[], values: readonly string[]): string[] {
  return options
    .filter(({ value, disabled }) => !disabled && values.includes(value))
    .map(({ value }) => value);
}

function textComplaints({ required, maxLength }: TextField, value: string): string[] {
  if (value === '') return required ? ['This field is required.'] : [];
  const length = [...value].length;
  return [
    ...(maxLength !== undefined && length > maxLength
      ? [`Ensure this value has at most ${maxLength} characters (it has ${length}).`]
      : []),
    ...(value.includes('\0') ? ['Null characters are not allowed.'] : []),
  ];
}

/** The moment, null where none was entered, or what is wrong with it. */
function readMoment(
  { required }: MomentField,
  [date, time]: readonly [string, string],
): Date | null | string[] {
  if (date === '' && time === '') return required ? ['This field is required.'] : null;
  const problems = [
    ...(isDate(date) ? [] : ['Enter a valid date.']),
    ...(/^([01]?\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,6})?)?$/.test(time) ? [] : ['Enter a valid time.']),
  ];
  if (problems.length > 0) return problems;
  return new Date(`${date}T${time.replace(/^\d:/, '0$&')}Z`);
}

function isDate(text: string): boolean {
  const moment = new Date(`${text}T00:00:00Z`);
  return (
    /^\d{4}-\d\d-\d\d$/.test(text) &&
    text >= '0001' &&
    !Number.isNaN(moment.getTime()) &&
    moment.toISOString().startsWith(text)
  );
}

/** One field as its template shows it. */
export interface FieldView {
  field: FormField;
  id: string;
  /** Of a text, a choice or a checkbox. A password is never given back. */
  value: string;
  checked: boolean;
  /** Of a moment. */
  date: string;
  time: string;
  /** Of choices, in the order of their options. */
  groups: readonly { label: string; options: readonly (Option & { id: string; checked: boolean })[] }[];
  errors: readonly string[];
}

/** The fields of a form for its template, filled with what was entered, or with what is stored. */
export function fieldViews(
  fields: readonly FormField[],
  values: FormValues,
  { errors = {}, typed = {} }: { errors?: FormErrors; typed?: FormReading['typed'] } = {},
): FieldView[] {
  return fields.map((field) => {
    const value = values[field.name] ?? null;
    const [date, time] = typed[field.name] ?? momentTexts(value);
    return {
      field,
      id: `id_${field.name}`,
      value: field.kind === 'password' || typeof value !== 'string' ? '' : value,
      checked: value === true,
      date,
      time,
      groups: field.kind === 'choices' || field.kind === 'choice' ? groupsOf(field, value) : [],
      errors: errors[field.name] ?? [],
    };
  });
}

function momentTexts(value: FormValue): readonly [date: string, time: string] {
  if (!(value instanceof Date)) return ['', ''];
  const iso = value.toISOString();
  return [iso.slice(0, 10), iso.slice(11, 19)];
}

function groupsOf({ name, options }: ChoiceField | ChoicesField, value: FormValue) {
  const chosen = Array.isArray(value) ? value : [value];
  const groups = new Map<string, (Option & { id: string; checked: boolean })[]>();
  options.forEach((option, index) => {
    const label = option.group ?? '';
    const view = { ...option, id: `id_${name}_${index}`, checked: chosen.includes(option.value) };
    groups.set(label, [...(groups.get(label) ?? []), view]);
  });
  return [...groups].map(([label, views]) => ({ label, options: views }));
}
