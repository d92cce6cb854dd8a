import type { Origin } from '../../audit/record.ts';
import type { HashingSettings } from '../hashers.ts';
import type { TransferFormat } from './formats.ts';
import type { Problem } from './outcomes.ts';

export interface ImportOptions {
  /** Accounts that are there already become as the file has them; else such a difference is a conflict. */
  update: boolean;
  /** New accounts get ids of their own, whatever the file says. */
  newIds: boolean;
  /** Nothing is written. */
  dryRun: boolean;
}

export interface ImportRequest {
  path: string;
  format: TransferFormat;
  /** What the history calls the file. */
  name: string;
  options: ImportOptions;
  settings: HashingSettings;
  origin: Origin;
  now: Date;
  /** Told of the bytes read: of the whole file once to look it through, and once more to take the users. */
  onRead: (step: 'check' | 'import', bytes: number) => void;
  /** Told of every record that is not taken: of groups first, then batch by batch. */
  onProblem: (problem: Problem) => void;
  /** Ends the import between two batches. */
  signal: AbortSignal;
}
