import assert from 'node:assert/strict';

/** What a browser would send for the form in the middle of a page as it is: its fields, by name, and no button. */
export function formOn(page: string): Record<string, string[]> {
  const body = page.slice(page.indexOf('<main'));
  const form = /<form (?:class="admin-form" )?method="post"[\s\S]*?<\/form>/.exec(body)?.[0];
  assert.ok(form, `no form on ${page.slice(0, 3000)}`);
  const fields: Record<string, string[]> = {};
  for (const [tag] of form.matchAll(/<input [^>]*>/g)) {
    const attribute = (name: string) => new RegExp(`\\b${name}="([^"]*)"`).exec(tag)?.[1];
    const [name, type] = [attribute('name'), attribute('type') ?? 'text'];
    const isTicked = !['checkbox', 'radio'].includes(type) || /\schecked\b/.test(tag);
    if (name === undefined || name === 'csrfmiddlewaretoken' || !isTicked || /\sdisabled\b/.test(tag))
      continue;
    fields[name] = [...(fields[name] ?? []), unescaped(attribute('value') ?? 'on')];
  }
  return fields;
}

/** The messages beside the fields of a form. */
export function fieldErrors(page: string): string[] {
  return [...page.matchAll(/<p class="field-error">([^<]*)<\/p>/g)].map(([, text = '']) => unescaped(text));
}

/** The text of a page as a person reads it, in one line. */
export function textOf(page: string): string {
  const body = page.slice(page.indexOf('<main'));
  return unescaped(body.replace(/<wbr>/g, '').replace(/<[^>]*>/g, ' '))
    .replace(/\s+/g, ' ')
    .trim();
}

function unescaped(text: string): string {
  return text
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&');
}
