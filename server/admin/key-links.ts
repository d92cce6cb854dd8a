import { AppError } from '../errors.ts';
import type { Settings } from '../settings.ts';
import { type KeyChange, KeyRefusal } from '../tokens/keys/ring-edit.ts';
import type { Message, PageCall, Redirect } from './page.ts';

export const KEYS_HREF = '/admin/keys/';

export function keyHref(id: number, action: 'retire' | 'withdraw'): string {
  return `${KEYS_HREF}${id}/${action}/`;
}

/** Who changes the keys, and which version of them was on the page that the form came from. */
export function changeOf({ form, origin, now }: PageCall): KeyChange {
  const seen = form.get('version') ?? '';
  return { origin, now, ...(/^\d{1,15}$/.test(seen) && { seen: Number(seen) }) };
}

/** Changes the keys and says so on the page of them, or why that was refused. */
export async function doneOrRefused(
  { KEY_RING }: Settings,
  work: () => Promise<void>,
  done: string,
): Promise<Redirect> {
  const back = (level: Message['level'], text: string): Redirect => ({
    redirect: KEYS_HREF,
    message: { level, text },
  });
  if (!KEY_RING) return back('warning', 'KEY_RING is off: there are no keys to change.');
  try {
    await work();
    return back('success', done);
  } catch (error) {
    if (error instanceof KeyRefusal) return back('warning', error.message);
    throw error;
  }
}

export function noSuchKey(): AppError {
  return new AppError('not_found', { advice: 'There is no key of this number. The list has all there are.' });
}
