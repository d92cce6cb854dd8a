import type { ImportOptions } from '../users/transfer/import-options.ts';
import type { ImportReport } from '../users/transfer/import-report.ts';
import type { Problem, Tally } from '../users/transfer/outcomes.ts';
import { formatCount, formatTable } from './text-table.ts';

/** As much of a name as is told. */
const NAME_LENGTH = 60;

/** Of models, fields and grants that were passed over, so many are told. */
const MOST_NAMED = 10;

/** A line about a record that is not taken. */
export function showProblem({ outcome, place, name, reason }: Problem): string {
  const whose = name === '' ? '' : `, ${showName(name)}`;
  return `${place}${whose}: ${outcome === 'conflict' ? 'conflict' : 'not taken'}: ${printable(reason)}\n`;
}

/** What an import did, or would do: tables and lines of text. Of hashes only their formats are told. */
export function describeImport(report: ImportReport, { dryRun, update }: ImportOptions): string {
  const { users, groups, isStopped, superusers, withoutPassword } = report;
  const conflicts = users.conflict + groups.conflict;
  const lines = [
    [superusers > 0, `${counted(superusers, 'new user is a superuser', 'new users are superusers')}.`],
    [withoutPassword > 0, `${counted(withoutPassword, 'user has', 'users have')} no password in the file.`],
    [conflicts > 0 && !update, 'Conflicts are left as they are; --update makes them what the file says.'],
    [isStopped, 'Stopped before the end of the file. The same command goes on from here.'],
    [dryRun, 'This was a dry run: nothing was changed.'],
  ] as const;
  return [
    outcomeTable(users, groups),
    formatsTable(report),
    passedOver('Left out, for there is no such thing here', report.leftOut),
    passedOver('Passed over, records of other models', report.otherModels),
    passedOver('Passed over, fields that no user has', report.unknownFields),
    lines.flatMap(([isSo, text]) => (isSo ? [`${text}\n`] : [])).join(''),
  ]
    .filter((part) => part !== '')
    .join('\n');
}

function outcomeTable(users: Tally, groups: Tally): string {
  const row = (label: string, tally: Tally) => [
    label,
    ...[tally.new, tally.changed, tally.unchanged, tally.conflict, tally.refused].map(formatCount),
  ];
  const head = ['', 'new', 'changed', 'unchanged', 'conflicts', 'not taken'];
  return formatTable([head, row('Users', users), row('Groups', groups)]);
}

function formatsTable({ formats }: ImportReport): string {
  if (formats.size === 0) return '';
  const sorted = [...formats].sort(([, one], [, other]) => other.count - one.count);
  const rows = sorted.map(([format, { count, locked }]) => [
    format,
    formatCount(count),
    locked === 0 ? '' : `${locked === count ? 'these' : formatCount(locked)} cannot log in with it`,
  ]);
  return formatTable([['Password hash', 'Users', ''], ...rows]);
}

function passedOver(title: string, counts: ReadonlyMap<string, number>): string {
  if (counts.size === 0) return '';
  const shown = [...counts]
    .slice(0, MOST_NAMED)
    .map(([name, count]) => `  ${formatCount(count)} x ${printable(name)}\n`);
  const rest = counts.size - shown.length;
  return `${title}:\n${shown.join('')}${rest > 0 ? `  and ${formatCount(rest)} more\n` : ''}`;
}

function counted(count: number, one: string, many: string): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}

function showName(name: string): string {
  const characters = [...name];
  const cut = characters.length > NAME_LENGTH ? `${characters.slice(0, NAME_LENGTH).join('')}…` : name;
  return JSON.stringify(printable(cut));
}

/** Without what a terminal might obey, or turn around. */
function printable(text: string): string {
  return text.replace(/[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu, '\ufffd');
}
