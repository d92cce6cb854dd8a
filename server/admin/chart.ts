import type { DayCounts } from '../audit/events.ts';

/** The picture's own units: it is stretched to its place. */
const DAY_WIDTH = 20;
const BAR_WIDTH = 7;
const HEIGHT = 100;

/** The lowest a bar is that stands for anything. */
const LOWEST = 1.5;

interface Bar {
  kind: 'logins' | 'refusals';
  x: number;
  y: number;
  width: number;
  height: number;
  /** What it stands for. */
  title: string;
}

/** Two bars a day, and what they say in words. */
export interface Chart {
  width: number;
  height: number;
  bars: Bar[];
  /** What the highest bar stands for. */
  most: number;
  totals: { logins: number; refusals: number };
  /** For those who do not see it. */
  description: string;
}

/** Draws log-ins and refusals by day. */
export function dailyChart(days: readonly DayCounts[]): Chart {
  const most = Math.max(1, ...days.flatMap(({ logins, refusals }) => [logins, refusals]));
  const bars = days.flatMap(({ day, logins, refusals }, index) => [
    bar('logins', index * DAY_WIDTH + 2, logins / most, `${day}: ${counted(logins, 'log-in')}`),
    bar(
      'refusals',
      index * DAY_WIDTH + 3 + BAR_WIDTH,
      refusals / most,
      `${day}: ${counted(refusals, 'refusal')}`,
    ),
  ]);
  const totals = { logins: sum(days, 'logins'), refusals: sum(days, 'refusals') };
  return {
    width: days.length * DAY_WIDTH,
    height: HEIGHT,
    bars: bars.filter(({ height }) => height > 0),
    most,
    totals,
    description:
      `${counted(totals.logins, 'log-in')} and ${counted(totals.refusals, 'refusal')} in ${days.length} days, ` +
      `${days[0]?.day ?? ''} to ${days.at(-1)?.day ?? ''}. The numbers of each day are in the table below.`,
  };
}

function bar(kind: Bar['kind'], x: number, share: number, title: string): Bar {
  const height = share === 0 ? 0 : Math.max(LOWEST, Math.round(share * HEIGHT * 10) / 10);
  return { kind, x, y: Math.round((HEIGHT - height) * 10) / 10, width: BAR_WIDTH, height, title };
}

function sum(days: readonly DayCounts[], kind: Bar['kind']): number {
  return days.reduce((total, day) => total + day[kind], 0);
}

/** "1 log-in", "2,000 log-ins". */
function counted(count: number, noun: string): string {
  return `${count.toLocaleString('en-US')} ${noun}${count === 1 ? '' : 's'}`;
}
