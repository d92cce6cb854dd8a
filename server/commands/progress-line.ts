/** How often a line is written anew at most, in milliseconds: a terminal is slow. */
const INTERVAL = 100;

export interface ProgressLine {
  /** Writes the text over the one before. It must fit in a line. */
  show(text: string): void;
  /** Clears the line for what is written next. */
  end(): void;
}

/** A line that says how far something is, for a person at a terminal. Elsewhere nothing is written. */
export function openProgressLine(output: NodeJS.WriteStream): ProgressLine {
  if (output.isTTY !== true) return { show: () => {}, end: () => {} };
  let shownAt = Number.NEGATIVE_INFINITY;
  let isShown = false;
  return {
    show(text) {
      if (performance.now() - shownAt < INTERVAL) return;
      shownAt = performance.now();
      isShown = true;
      output.write(`\r\x1b[K${text}`);
    },
    end() {
      if (isShown) output.write('\r\x1b[K');
      isShown = false;
    },
  };
}
