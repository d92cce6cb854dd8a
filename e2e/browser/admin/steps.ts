import assert from 'node:assert/strict';
import type { Locator, Page } from 'playwright';
import { type Hands, mouse } from '../hands.ts';
import { ADA, loading } from '../site.ts';

/** Logs in to the admin, by mouse unless other hands are given. */
export async function logInToAdmin(
  page: Page,
  account: { username: string; password: string } = ADA,
  hands: Hands = mouse(page),
): Promise<void> {
  await page.goto('/admin/login/');
  await hands.write(page.getByLabel('Username'), account.username);
  await hands.write(page.getByLabel('Password'), account.password);
  await loading(page, () => hands.press(page.getByRole('button', { name: 'Log in' })));
}

/** Has a page be logged in to the admin as by its form, which is not looked at. The page stays where it is. */
export async function enterAdmin(
  page: Page,
  { username, password }: { username: string; password: string } = ADA,
): Promise<void> {
  const path = '/admin/login/';
  const form = await (await page.request.get(path)).text();
  const token = /name="csrfmiddlewaretoken" value="([^"]+)"/.exec(form)?.[1] ?? '';
  const answer = await page.request.post(path, {
    form: { username, password, csrfmiddlewaretoken: token },
    maxRedirects: 0,
  });
  assert.ok([302, 303].includes(answer.status()), `${answer.status()}: ${await answer.text()}`);
}

export async function logOut(page: Page, hands: Hands = mouse(page)): Promise<void> {
  await loading(page, () => hands.press(page.getByRole('button', { name: 'Log out' })));
  assert.equal(new URL(page.url()).pathname, '/admin/login/');
}

/** The message at the top of a page. */
export async function messageOf(page: Page): Promise<string> {
  return ((await page.locator('.message').first().textContent()) ?? '').trim();
}

/** Fills fields by their labels. */
export async function fill(
  page: Page,
  hands: Hands,
  values: Readonly<Record<string, string>>,
): Promise<void> {
  for (const [label, value] of Object.entries(values)) {
    await hands.write(page.getByLabel(label, { exact: true }), value);
  }
}

export async function pressButton(page: Page, hands: Hands, name: string): Promise<void> {
  await loading(page, () => hands.press(page.getByRole('button', { name, exact: true })));
}

/** Follows the link of this name in the page's own part, or in another. */
export async function follow(
  page: Page,
  hands: Hands,
  name: string,
  part: Locator = page.getByRole('main'),
): Promise<void> {
  await loading(page, () => hands.press(part.getByRole('link', { name, exact: true }).first()));
}

export function pathOf(page: Page): string {
  return new URL(page.url()).pathname;
}

export async function headingOf(page: Page): Promise<string> {
  return ((await page.getByRole('heading', { level: 1 }).textContent()) ?? '').trim();
}

/** That all of the page's list is in sight, and nobody has to push it sideways to find what can be done. */
export async function assertNothingBeside(page: Page): Promise<void> {
  const hidden = await page
    .getByRole('region', { name: 'The list' })
    .evaluate(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth);
  assert.equal(hidden, 0, `${hidden} px of the list are out of sight`);
}

/** What is to be read on a page below its head, with single spaces. */
export async function textOf(page: Page): Promise<string> {
  const text = await page.getByRole('main').innerText();
  return text.replace(/\s+/g, ' ');
}
