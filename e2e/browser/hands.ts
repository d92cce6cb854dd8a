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
  const element = await target.elementHandle();
  assert.ok(element, `${target} is not there`);
  for (let presses = 0; presses < TAB_LIMIT; ) {
    const { way, stops, hidden } = await element.evaluate(wayTo);
    assert.deepEqual(hidden, [], 'the focus is not to be seen');
    if (way === null) return;
    // Asked only where it should have arrived: to ask takes longer than to press a key.
    for (let stop = 0; stop < stops; stop += 1) await page.keyboard.press(way);
    presses += stops;
  }
  assert.fail(`Tab does not get to ${target}`);
}

interface Way {
  /** Null when it has the focus. */
  readonly way: 'Tab' | 'Shift+Tab' | null;
  /** How many presses it may take at least. */
  readonly stops: number;
  /** What a press of Tab has brought the focus to since this was last asked, and did not show it. */
  readonly hidden: readonly string[];
}

/** Which way an element is from the one that has the focus, and how far. From then on every stop is watched. */
function wayTo(element: Element): Way {
  const watched = window as Window & { stopsThatHide?: string[] };
  if (watched.stopsThatHide === undefined) {
    watched.stopsThatHide = [];
    document.addEventListener('keyup', ({ key }) => {
      const stop = document.activeElement ?? document.body;
      if (key === 'Tab' && stop !== document.body && !shows(stop))
        watched.stopsThatHide?.push(stop.outerHTML);
    });
  }
  const focused = document.activeElement ?? document.body;
  const hidden = watched.stopsThatHide.splice(0);
  if (focused === element) return { way: null, stops: 0, hidden };
  const isBehind = element.compareDocumentPosition(focused) & Node.DOCUMENT_POSITION_FOLLOWING;
  const isFirst = focused === document.body;
  const way = isBehind && !isFirst ? 'Shift+Tab' : 'Tab';
  const [from, to] = way === 'Tab' ? [focused, element] : [element, focused];
  const between = [
    ...document.querySelectorAll('a[href], button, input, select, textarea, summary, [tabindex]'),
  ].filter((one) => isStop(one) && follows(from, one) && follows(one, to));
  // Where Tab begins is the browser's to say.
  return { way, stops: isFirst ? 1 : Math.max(1, between.length), hidden };

  function follows(one: Element, other: Element): boolean {
    if (one === document.body) return true;
    return (one.compareDocumentPosition(other) & Node.DOCUMENT_POSITION_FOLLOWING) !== 0;
  }

  /** Of radio buttons only the one that is chosen is a stop. */
  function isStop(one: Element): boolean {
    if (one instanceof HTMLInputElement && one.type === 'radio' && !one.checked) return false;
    const { tabIndex } = one as HTMLElement;
    return tabIndex >= 0 && one.checkVisibility({ visibilityProperty: true }) && !one.matches(':disabled');
  }

  function shows(stop: Element): boolean {
    // The button within a field for a date is the browser's own, which draws the ring there, and not around the field.
    if (stop instanceof HTMLInputElement && !stop.matches(':focus')) return true;
    const labels = stop instanceof HTMLInputElement ? [...(stop.labels ?? [])] : [];
    return [stop, ...labels].some((shown) => {
      const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(shown);
      return (outlineStyle !== 'none' && outlineWidth !== '0px') || boxShadow !== 'none';
    });
  }
}
