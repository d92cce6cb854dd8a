import { createInterface, type Interface } from 'node:readline';
import { Writable } from 'node:stream';

/** Whoever was asked pressed Ctrl-C, or there is nothing more to read. */
export class Cancelled extends Error {
  override name = 'Cancelled';
}

interface Waiting {
  hidden: boolean;
  resolve(line: string): void;
  reject(reason: Cancelled): void;
}

/** Passes on what readline echoes only while the answer may be seen. */
class Screen extends Writable {
  hidden = true;
  readonly #output: NodeJS.WriteStream;

  constructor(output: NodeJS.WriteStream) {
    super({ decodeStrings: false });
    this.#output = output;
  }

  /** readline wraps long answers by it. */
  get columns(): number {
    return this.#output.columns;
  }

  override _write(chunk: string, _encoding: BufferEncoding, done: () => void): void {
    if (!this.hidden) this.#output.write(chunk);
    done();
  }
}

/**
 * Asks a person for lines of text. Without a terminal the answers are the lines of the input, so that they can be
 * piped in. Must be closed: until then it holds the terminal in raw mode and the process alive.
 */
export class Terminal {
  readonly #output: NodeJS.WriteStream;
  readonly #screen: Screen;
  readonly #reader: Interface;
  /** Lines that came before anybody asked, of several pasted at once for one. */
  readonly #early: string[] = [];
  #waiting: Waiting | undefined;
  #ended = false;

  constructor(input: NodeJS.ReadStream, output: NodeJS.WriteStream) {
    this.#output = output;
    this.#screen = new Screen(output);
    // Without a history the up arrow brings back no password.
    const options = { terminal: input.isTTY === true, historySize: 0 };
    this.#reader = createInterface({ input, output: this.#screen, ...options });
    this.#reader.on('line', (line) => this.#receive(line));
    this.#reader.on('SIGINT', () => this.#end());
    this.#reader.on('close', () => this.#end());
  }

  /** @throws Cancelled */
  ask(question: string): Promise<string> {
    return this.#ask(question, false);
  }

  /** As `ask`; the answer is not seen. @throws Cancelled */
  askHidden(question: string): Promise<string> {
    return this.#ask(question, true);
  }

  close(): void {
    this.#reader.close();
  }

  #ask(question: string, hidden: boolean): Promise<string> {
    const early = this.#early.shift();
    if (early !== undefined) {
      this.#output.write(`${question}${hidden ? '' : early}\n`);
      return Promise.resolve(early);
    }
    if (this.#ended) return Promise.reject(new Cancelled());
    this.#show(question, hidden);
    return new Promise((resolve, reject) => {
      this.#waiting = { hidden, resolve, reject };
    });
  }

  #show(question: string, hidden: boolean): void {
    this.#screen.hidden = hidden;
    if (hidden) {
      this.#output.write(question);
    } else {
      this.#reader.setPrompt(question);
      this.#reader.prompt(true);
    }
  }

  #receive(line: string): void {
    // At once: the next line of the same paste may be a password.
    this.#screen.hidden = true;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting === undefined) {
      this.#early.push(line);
      return;
    }
    if (waiting.hidden) this.#output.write('\n');
    waiting.resolve(line);
  }

  #end(): void {
    this.#ended = true;
    this.#screen.hidden = true;
    this.#waiting?.reject(new Cancelled());
    this.#waiting = undefined;
  }
}
