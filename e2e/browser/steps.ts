import type { Page } from 'playwright';
import { type Answer, readAnswer } from './answer.ts';
import { mouse } from './hands.ts';
import { ADA, loading } from './site.ts';

/** Presses the POST button of the form that is open, and reads the answer. */
export async function post(page: Page): Promise<Answer> {
  await loading(page, () => page.getByRole('button', { name: 'POST', exact: true }).click());
  return await readAnswer(page);
}

/** Opens an endpoint, fills its form and sends it. */
export async function postForm(
  page: Page,
  path: string,
  values: Readonly<Record<string, string>>,
): Promise<Answer> {
  await page.goto(path);
  for (const [label, value] of Object.entries(values)) {
    await page.getByLabel(label, { exact: true }).fill(value);
  }
  return await post(page);
}

export async function logIn(page: Page, path = '/api/token/'): Promise<Answer> {
  await page.goto(path);
  await page.getByLabel('Username').fill(ADA.username);
  await page.getByLabel('Password').fill(ADA.password);
  await loading(page, () => page.keyboard.press('Enter'));
  return await readAnswer(page);
}

/** Gets tokens as a program does, where it is not the page of the login that is looked at. */
export async function obtain(
  page: Page,
  path = '/api/token/',
): Promise<Record<'access' | 'refresh' | 'token', string>> {
  const { username, password } = ADA;
  const response = await page.request.post(path, { data: { username, password } });
  return await response.json();
}

/** Opens an endpoint and sends a body as it is. */
export async function postRaw(
  page: Page,
  path: string,
  content: string,
  mediaType = 'application/json',
): Promise<Answer> {
  await page.goto(path);
  await mouse(page).choose(page.getByRole('radio', { name: 'Raw data' }));
  await page.getByLabel('Media type').selectOption(mediaType);
  await page.getByLabel('Content').fill(content);
  return await post(page);
}

/** Presses one of the buttons that lead from an answer to the next request. */
export async function nextStep(page: Page, section: string, name: string): Promise<void> {
  const region = page.getByRole('region', { name: section });
  await loading(page, () => region.getByRole('button', { name, exact: true }).click());
}
