import type { Locator, Page } from 'playwright';
import { type Hands, mouse } from '../hands.ts';
import { loading } from '../site.ts';
import { follow, pressButton } from './steps.ts';

/** What is to be read in the rows of the list that is open, cell by cell. */
export async function rowsOf(page: Page): Promise<string[][]> {
  // In one go: there may be a hundred.
  return page
    .getByRole('region', { name: 'The list' })
    .locator('tbody tr')
    .evaluateAll((rows) =>
      rows.map((row) =>
        [...(row as HTMLTableRowElement).cells]
          .filter((cell) => cell.querySelector('input') === null)
          .map((cell) => cell.innerText.trim()),
      ),
    );
}

/** What stands in the first column of each row. */
export async function namesIn(page: Page): Promise<string[]> {
  return (await rowsOf(page)).map(([first = '']) => first);
}

/** Searches the list that is open. */
export async function search(page: Page, words: string, hands: Hands = mouse(page)): Promise<void> {
  await hands.write(page.getByRole('searchbox'), words);
  await pressButton(page, hands, 'Search');
}

/** Chooses an option of a filter. @param label such as `By state` */
export async function filterBy(
  page: Page,
  label: string,
  option: string,
  hands: Hands = mouse(page),
): Promise<void> {
  await follow(page, hands, option, page.getByRole('group', { name: label, exact: true }));
}

/** Clicks the head of a column, and says how the list is ordered by it then. */
export async function orderBy(page: Page, column: string): Promise<string | null> {
  const head = page.getByRole('columnheader', { name: column });
  await loading(page, () => head.getByRole('link').click());
  return page.getByRole('columnheader', { name: column }).getAttribute('aria-sort');
}

export async function openPage(page: Page, number: number): Promise<void> {
  await follow(page, mouse(page), `Page ${number}`, page.getByRole('navigation', { name: 'Pages' }));
}

/** Ticks rows by what stands in their first column, or everything that the list finds, and chooses what is done with them. */
export async function act(
  page: Page,
  action: string,
  names: readonly string[] | 'all',
  hands: Hands = mouse(page),
): Promise<void> {
  const boxes: Locator[] =
    names === 'all'
      ? [page.getByRole('checkbox', { name: /^All / })]
      : names.map((name) => page.getByRole('checkbox', { name: `Select ${name}`, exact: true }));
  await hands.pick(page.getByLabel('Action', { exact: true }), action);
  for (const box of boxes) await hands.tick(box);
  await pressButton(page, hands, 'Go');
}
