import { setTimeout as delay } from 'node:timers/promises';

/**
 * How long something stays without a borrower, in milliseconds. The next test file of the process borrows it at once,
 * while a process that has come to its end should not be kept waiting.
 */
const PATIENCE = 300;

/**
 * Something that takes long to make and that the test files of a process borrow one after another: made for the first,
 * and closed when nobody has it for a while, as the process cannot end before.
 */
export class Lending<T> {
  readonly #make: () => Promise<T>;
  readonly #close: (thing: T) => Promise<void>;
  #thing: Promise<T> | undefined;
  #borrowers = 0;

  constructor(make: () => Promise<T>, close: (thing: T) => Promise<void>) {
    this.#make = make;
    this.#close = close;
  }

  borrow(): Promise<T> {
    this.#borrowers += 1;
    this.#thing ??= this.#make();
    return this.#thing;
  }

  giveBack(): void {
    this.#borrowers -= 1;
    if (this.#borrowers === 0) void this.#closeUnlessBorrowed();
  }

  async #closeUnlessBorrowed(): Promise<void> {
    await delay(PATIENCE);
    const unused = this.#thing;
    if (this.#borrowers > 0 || unused === undefined) return;
    this.#thing = undefined;
    await this.#close(await unused);
  }
}
