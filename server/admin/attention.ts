import { findWeaknesses } from '../settings/weaknesses.ts';
import type { Settings } from '../settings.ts';
import { HISTORY_HREF } from './history-list.ts';

/** What the overview knows when it looks for what is wrong. */
export interface Facts {
  settings: Settings;
  /** Whether the page came over https. */
  isEncrypted: boolean;
  /** Whether it was asked for by a name of this very machine. */
  isLocal: boolean;
  /** How often a log-in was refused on each of the last days, today last. */
  refusedLogins: readonly number[];
}

/** Something that needs attention: what it is, and what to do about it. */
export interface Attention {
  title: string;
  advice: string;
  href?: string;
}

/** What is no weakness as long as everything happens on one machine. */
const OF_PRODUCTION = ['jotgate.W001', 'jotgate.W004', 'jotgate.W005'];

/** What the page itself shows better than the settings do: how it came. */
const OF_TRANSPORT = ['jotgate.W004', 'jotgate.W005'];

const PLAIN_HTTP: Attention = {
  title: 'This page came over plain http',
  advice:
    'Passwords and tokens can be read on their way. Put a server that speaks https in front, and name it in TRUST_PROXY.',
};

/** So many refused log-ins on a day are nothing to speak of. */
const FEW = 10;

/** Whether log-ins are refused far more often today than they were on the days before, and how often that was. */
export function risingRefusals(refusedLogins: readonly number[]): Attention | null {
  const today = refusedLogins.at(-1) ?? 0;
  const before = refusedLogins.slice(0, -1);
  const average = before.reduce((sum, count) => sum + count, 0) / Math.max(before.length, 1);
  if (today < FEW || today <= 2 * average) return null;
  const usual = average.toLocaleString('en-US', { maximumFractionDigits: 1 });
  return {
    title: `Refused log-ins are rising: ${today.toLocaleString('en-US')} today`,
    advice: `On the ${before.length} days before, there were ${usual} a day. Somebody may be guessing passwords.`,
    href: `${HISTORY_HREF}?group=refusal&when=today`,
  };
}

/** Settings that are weaker than they need be, as `check --deploy` tells them, and what else can be seen from here. */
export function weakSettings({ settings, isEncrypted, isLocal }: Facts): Attention[] {
  const passedOver = isLocal ? OF_PRODUCTION : OF_TRANSPORT;
  const weaknesses = findWeaknesses(settings).filter(({ id }) => !passedOver.includes(id));
  return [...(isEncrypted || isLocal ? [] : [PLAIN_HTTP]), ...weaknesses];
}
