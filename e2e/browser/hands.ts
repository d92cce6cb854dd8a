import assert from 'node:assert/strict';
import type { Locator, Page } from 'playwright';

/** How somebody works a page. */
export interface Hands {
  /** Follows a link or presses a button. */
  press(target: Locator): Promise<void>;
  /** Replaces what stands in a field. */
  write(field: Locator, text: string): Promise<void>;
  /** Picks one of several tabs. */
  choose(tab: Locator): Promise<void>;
  /** Ticks a box, or takes its tick away; or chooses a radio button. */
  tick(box: Locator): Promise<void>;
  /** Chooses from a drop-down list, by what is to be read there. */
  pick(list: Locator, option: string): Promise<void>;
}

/** How many presses of Tab it may take to get anywhere on a page. */
const TAB_LIMIT = 120;

export function mouse(page: Page): Hands {
  return {
    press: (target) => target.click(),
    async write(field, text) {
      await field.click();
      await replaceText(page, text);
    },
    // What is to be seen of a tab is its label.
    choose: async (tab) => page.locator(`label[for="${await tab.getAttribute('id')}"]`).click(),
    tick: (box) => box.click(),
    // The list that opens is none of the page's: there is nothing in it to click on.
    pick: async (list, option) => void (await list.selectOption({ label: option })),
  };
}

/** Tab, Shift+Tab, Enter, the arrow keys and typing. */
export function keyboard(page: Page): Hands {
  return {
    async press(target) {
      await reach(page, target);
      await page.keyboard.press('Enter');
    },
    async write(field, text) {
      await reach(page, field);
      await replaceText(page, text);
    },
    choose: (tab) => chooseByArrows(page, tab),
    async tick(box) {
      if ((await box.getAttribute('type')) === 'radio') return chooseByArrows(page, box);
      await reach(page, box);
      await page.keyboard.press('Space');
    },
    async pick(list, option) {
      await reach(page, list);
      const chosen = list.locator('option:checked');
      for (let presses = 0; (await chosen.textContent()) !== option; presses += 1) {
        assert.ok(presses < 10, `the arrow keys do not get to ${option}`);
        await page.keyboard.press('ArrowDown');
      }
    },
  };
}

async function chooseByArrows(page: Page, radio: Locator): Promise<void> {
  const group = await radio.getAttribute('name');
  await reach(page, page.locator(`input[name="${group}"]:checked`));
  for (let presses = 0; !(await radio.isChecked()); presses += 1) {
    assert.ok(presses < 10, 'the arrow keys do not get to it');
    await page.keyboard.press('ArrowLeft');
  }
}

async function replaceText(page: Page, text: string): Promise<void> {
  await page.keyboard.press('ControlOrMeta+A');
  await page.keyboard.press('Delete');
  await page.keyboard.insertText(text);
}

/** Moves the focus by Tab, or by Shift+Tab to what stands before it, and sees at every stop that it shows. */
async function reach(page: Page, target: Locator): Promise<void> {
  // Found once: this is asked at every stop.
  const element = await target.elementHandle();
  assert.ok(element, `${target} is not there`);
  for (let presses = 0; presses < TAB_LIMIT; presses += 1) {
    const { way, hidden } = await element.evaluate(wayTo);
    if (presses > 0) assert.equal(hidden, null, 'the focus is not to be seen');
    if (way === null) return;
    await page.keyboard.press(way);
  }
  assert.fail(`Tab does not get to ${target}`);
}

/** Which way an element is from the one that has the focus, and that one where it does not show it. */
function wayTo(element: Element): { way: 'Tab' | 'Shift+Tab' | null; hidden: string | null } {
  const focused = document.activeElement ?? document.body;
  if (focused === document.body) return { way: 'Tab', hidden: null };
  const labels = focused instanceof HTMLInputElement ? [...(focused.labels ?? [])] : [];
  const shows = [focused, ...labels].some((shown) => {
    const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(shown);
    return (outlineStyle !== 'none' && outlineWidth !== '0px') || boxShadow !== 'none';
  });
  // The button within a field for a date is the browser's own, which draws the ring there, and not around the field.
  const isWithin = focused instanceof HTMLInputElement && !focused.matches(':focus');
  const isBehind = element.compareDocumentPosition(focused) & Node.DOCUMENT_POSITION_FOLLOWING;
  const way = isBehind ? 'Shift+Tab' : 'Tab';
  return { way: focused === element ? null : way, hidden: shows || isWithin ? null : focused.outerHTML };
}
