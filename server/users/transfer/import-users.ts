import { setTimeout as pause } from 'node:timers/promises';
import type { Database } from '../../../db/statement.ts';
import { inTransaction } from '../../../db/transaction.ts';
import { recordEvents } from '../../audit/record.ts';
import { type Grants, readGrants } from './file-grants.ts';
import type { FileRecord } from './file-record.ts';
import { READERS } from './formats.ts';
import { importBatch } from './import-batch.ts';
import { importGroups } from './import-groups.ts';
import type { ImportRequest } from './import-options.ts';
import { type ImportReport, ReportDraft } from './import-report.ts';
import { type Batch, batchesOf, usersIn } from './import-steps.ts';
import { type Outcome, type Problem, type Tally, tallied } from './outcomes.ts';
import { missingGrants } from './plan-user.ts';
import { readText } from './read-text.ts';
import { showTally } from './summary.ts';
import { type Survey, surveyRecords } from './survey.ts';

/** How long whoever else waits to write has for it between two batches, in milliseconds: SQLite lets one write at a time. */
const PAUSE = 30;

/**
 * Takes users and groups from a file, in batches of 1,000 users, each of them all or nothing. Users are matched by
 * their names, so that after a stop, or a second time, only what is lacking is done. The file is read twice, and what
 * is broken is found before anything is written.
 *
 * @throws BrokenFileError; the error of the system or the driver, with the batch before as the last one done
 */
export async function importUsers(db: Database, request: ImportRequest): Promise<ImportReport> {
  const survey = await surveyRecords(recordsOf(request, 'check'));
  const draft = new ReportDraft(request.settings);
  for (const { place, name, problem } of survey.refusals) {
    request.onProblem({ outcome: 'refused', place, name, reason: problem });
  }
  draft.groups = tallied(draft.groups, Array<Outcome>(survey.refusals.length).fill('refused'));
  const refuse = (problem: Problem) => {
    draft.users = tallied(draft.users, [problem.outcome]);
    request.onProblem(problem);
  };
  const users = usersIn(recordsOf(request, 'import'), request.options, refuse);
  const taking = new Taking(db, request, survey, draft);
  for await (const batch of batchesOf(users)) {
    if (request.signal.aborted) await taking.stop();
    if (draft.isStopped) break;
    for (const record of batch.records) draft.see(record);
    await taking.take(batch);
    if (!batch.isLast && !request.options.dryRun) await pause(PAUSE);
  }
  return draft.finished(survey);
}

function recordsOf(request: ImportRequest, step: 'check' | 'import'): AsyncGenerator<FileRecord> {
  return READERS[request.format](readText(request.path, (bytes) => request.onRead(step, bytes)));
}

interface Totals {
  users: Tally;
  groups: Tally;
}

/** One import, batch by batch. */
class Taking {
  readonly #db: Database;
  readonly #request: ImportRequest;
  readonly #survey: Survey;
  readonly #draft: ReportDraft;
  /** Null before the groups of the file were taken, with the first batch. */
  #grants: Grants | null = null;
  #isRecorded = false;

  constructor(db: Database, request: ImportRequest, survey: Survey, draft: ReportDraft) {
    this.#db = db;
    this.#request = request;
    this.#survey = survey;
    this.#draft = draft;
  }

  async take(batch: Batch): Promise<void> {
    const { options, onProblem } = this.#request;
    const apply = (trx: Database) => this.#apply(trx, batch);
    const done = options.dryRun ? await apply(this.#db) : await inTransaction(this.#db, apply);
    this.#grants = done.grants;
    this.#isRecorded ||= done.isRecorded;
    Object.assign(this.#draft, done.totals);
    this.#draft.superusers += done.superusers;
    this.#draft.leaveOut(done.missing);
    for (const problem of done.problems) onProblem(problem);
  }

  async stop(): Promise<void> {
    this.#draft.isStopped = true;
    const { options, origin, now } = this.#request;
    if (options.dryRun) return;
    const reason = this.#summary(this.#draft, 'stopped after');
    await recordEvents(this.#db, [{ kind: 'users_imported', origin, reason }], now);
  }

  /** Changes nothing but the database: it may have to be done anew. */
  async #apply(db: Database, { records, isLast }: Batch) {
    const { options, origin, now } = this.#request;
    const groups = this.#grants === null ? await importGroups(db, this.#survey, options, origin) : null;
    const grants = groups?.grants ?? (await this.#freshGrants(db));
    const users = await importBatch(db, records, grants, this.#request);
    const totals = {
      users: tallied(this.#draft.users, users.outcomes),
      groups: tallied(this.#draft.groups, groups?.outcomes ?? []),
    };
    const isFirst = !this.#isRecorded && writes(totals);
    if (!options.dryRun) {
      const reason = this.#summary(totals, isLast ? '' : 'begun');
      const own = isLast || isFirst ? [{ kind: 'users_imported' as const, origin, reason }] : [];
      await recordEvents(db, [...(groups?.events ?? []), ...users.events, ...own], now);
    }
    return {
      ...{ grants, totals, isRecorded: isFirst, superusers: users.superusers },
      missing: [...(groups?.missing ?? []), ...records.flatMap((record) => missingGrants(record, grants))],
      problems: [...(groups?.problems ?? []), ...users.problems],
    };
  }

  /** Others may have removed groups meanwhile. A dry run made none, and keeps to what it imagines. */
  async #freshGrants(db: Database): Promise<Grants> {
    if (this.#request.options.dryRun && this.#grants !== null) return this.#grants;
    return readGrants(db, this.#survey);
  }

  /** What the history keeps. */
  #summary({ users, groups }: Totals, how: string): string {
    const name = this.#request.name.slice(0, 80);
    return `${[name, how].filter((part) => part !== '').join(', ')}: users ${showTally(users)}; groups ${showTally(groups)}`;
  }
}

function writes({ users, groups }: Totals): boolean {
  return users.new + users.changed + groups.new + groups.changed > 0;
}
