import type { Json } from '../errors.ts';

/** A piece of JSON text, with what it is. A token comes in its three parts, to be shown in three colours. */
export type Span =
  | { kind: 'key' | 'string' | 'number' | 'literal' | 'punctuation'; text: string }
  | { kind: 'link'; text: string; href: string }
  | { kind: 'token'; text: string; header: string; payload: string; signature: string };

const PIECES = /("(?:[^"\\]|\\.)*")(\s*:)?|(-?\d[\d.eE+-]*)|(true|false|null)|([^"\d\-tfn]+)/g;

/** What looks like a token. Whether it is one is not asked. */
export const TOKEN_SHAPE = /^[\w-]{10,}\.[\w-]{10,}\.[\w-]{10,}$/;

/**
 * Cuts indented JSON into pieces for a template to colour. Templates print the pieces escaped: no text of an
 * answer ever becomes markup.
 */
export function highlight(body: Json): readonly Span[] {
  if (typeof body !== 'object' || body === null) return spansOf(body);
  let spans = spansOfBodies.get(body);
  if (spans === undefined) {
    spans = spansOf(body);
    spansOfBodies.set(body, spans);
  }
  return spans;
}

/** An answer that is given again is not cut again: bodies never change. */
const spansOfBodies = new WeakMap<object, readonly Span[]>();

function spansOf(body: Json): Span[] {
  const text = JSON.stringify(body, null, 4);
  return [...text.matchAll(PIECES)].flatMap(([piece, quoted, colon, number, literal]): Span[] => {
    if (quoted !== undefined && colon !== undefined) {
      return [
        { kind: 'key', text: quoted },
        { kind: 'punctuation', text: colon },
      ];
    }
    if (quoted !== undefined) return stringSpans(quoted);
    if (number !== undefined) return [{ kind: 'number', text: piece }];
    if (literal !== undefined) return [{ kind: 'literal', text: piece }];
    return [{ kind: 'punctuation', text: piece }];
  });
}

function stringSpans(quoted: string): Span[] {
  const text = quoted.slice(1, -1);
  const quote: Span = { kind: 'string', text: '"' };
  if (TOKEN_SHAPE.test(text)) {
    const [header = '', payload = '', signature = ''] = text.split('.');
    return [quote, { kind: 'token', text, header, payload, signature }, quote];
  }
  if (/^https?:\/\/[^\s"\\<>]+$/.test(text)) return [quote, { kind: 'link', text, href: text }, quote];
  return [{ kind: 'string', text: quoted }];
}
