/** What a form brought, as a browser sends it: pairs of names and values, names more than once. */
export class FormInput {
  readonly #pairs: readonly (readonly [name: string, value: string])[];

  constructor(pairs: readonly (readonly [name: string, value: string])[] = []) {
    this.#pairs = pairs;
  }

  /** The last value of a name; undefined where it was not sent. */
  get(name: string): string | undefined {
    return this.getAll(name).at(-1);
  }

  getAll(name: string): string[] {
    return this.#pairs.filter(([candidate]) => candidate === name).map(([, value]) => value);
  }

  has(name: string): boolean {
    return this.#pairs.some(([candidate]) => candidate === name);
  }
}
