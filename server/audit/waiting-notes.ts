import { kindRow } from './kinds.ts';
import type { NotedEvent, TimedNote } from './notes.ts';

/** How many rows may wait. More are dropped: events must not fill the memory while the database is away. */
const MOST_WAITING = 10_000;

/** Notes in their order, at most so many. A flood of equal refusals is one note that counts them. */
export class WaitingNotes {
  #notes: TimedNote[] = [];
  readonly #equals = new Map<string, TimedNote>();
  #dropped = 0;

  get length(): number {
    return this.#notes.length;
  }

  add(note: TimedNote): void {
    const key = keyOfRefusal(note.event);
    const equal = key === null ? undefined : this.#equals.get(key);
    if (equal !== undefined) {
      equal.event.count = countOf(equal) + countOf(note);
    } else if (this.#notes.length >= MOST_WAITING) {
      this.#dropped += countOf(note);
    } else {
      const own = { event: { ...note.event }, at: note.at };
      this.#notes.push(own);
      if (key !== null) this.#equals.set(key, own);
    }
  }

  take(): { notes: TimedNote[]; dropped: number } {
    const taken = { notes: this.#notes, dropped: this.#dropped };
    this.#notes = [];
    this.#equals.clear();
    this.#dropped = 0;
    return taken;
  }

  putBack(earlier: readonly TimedNote[]): void {
    const { notes, dropped } = this.take();
    this.#dropped = dropped;
    for (const note of [...earlier, ...notes]) this.add(note);
  }
}

function countOf({ event }: TimedNote): number {
  return event.count ?? 1;
}

/** What refusals of one kind have in common that nobody in particular brought about; null for all other events. */
function keyOfRefusal({ kind, origin, reason, object, account }: NotedEvent): string | null {
  if (origin.actor !== null || kindRow(kind).group !== 'refusal') return null;
  return JSON.stringify([kind, reason, origin.address, object?.type, object?.id, account?.clue]);
}
