import type { HashingSettings } from '../hashers.ts';
import { isReadable, type PasswordFormat, passwordFormat } from '../password-formats.ts';
import { NO_TALLY, type Tally } from './outcomes.ts';
import type { Survey } from './survey.ts';
import type { UserRecord } from './user-record.ts';

/** Of a format of hashes, how many the file has, and how many of these nobody can log in with. */
export interface FormatCount {
  count: number;
  locked: number;
}

/** What an import did, or would do. */
export interface ImportReport {
  users: Tally;
  groups: Tally;
  /** Of the hashes in the file. */
  formats: ReadonlyMap<PasswordFormat, FormatCount>;
  /** Users for whom the file has no password. */
  withoutPassword: number;
  /** New users who may do everything. */
  superusers: number;
  /** What was granted in the file and could not be granted here, and how often. */
  leftOut: ReadonlyMap<string, number>;
  /** Models and fields that were passed over, and how often. */
  otherModels: ReadonlyMap<string, number>;
  unknownFields: ReadonlyMap<string, number>;
  /** Whether it ended before the end of the file, because it was told to. */
  isStopped: boolean;
}

/** A report in the making. */
export class ReportDraft {
  users: Tally = NO_TALLY;
  groups: Tally = NO_TALLY;
  superusers = 0;
  isStopped = false;
  #withoutPassword = 0;
  readonly #formats = new Map<PasswordFormat, FormatCount>();
  readonly #leftOut = new Map<string, number>();
  readonly #unknownFields = new Map<string, number>();
  readonly #settings: HashingSettings;

  constructor(settings: HashingSettings) {
    this.#settings = settings;
  }

  /** Notes what a record tells before anything is done with it. */
  see({ given: { password }, unknown }: UserRecord): void {
    for (const name of unknown) increase(this.#unknownFields, name);
    if (password === undefined) {
      this.#withoutPassword += 1;
      return;
    }
    const format = passwordFormat(password);
    const { count, locked } = this.#formats.get(format) ?? { count: 0, locked: 0 };
    const isLocked = !isReadable(password, this.#settings);
    this.#formats.set(format, { count: count + 1, locked: locked + Number(isLocked) });
  }

  leaveOut(references: readonly string[]): void {
    for (const reference of references) increase(this.#leftOut, reference);
  }

  finished({ otherModels }: Survey): ImportReport {
    const { users, groups, superusers, isStopped } = this;
    const [formats, leftOut, unknownFields] = [this.#formats, this.#leftOut, this.#unknownFields];
    const withoutPassword = this.#withoutPassword;
    return {
      ...{ users, groups, formats, withoutPassword, superusers },
      ...{ leftOut, otherModels, unknownFields, isStopped },
    };
  }
}

function increase(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
