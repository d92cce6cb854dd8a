import { PREVIEW_LIMIT, type RevocationPreview } from '../tokens/mass-revocation.ts';

/** What becomes of tokens that are revoked, for who is about to decide about it: which die now, and which do not. */
export function revocationWords({ refreshTokens, slidingTokens, accessUntil }: RevocationPreview): string {
  const dying = [counted(refreshTokens, 'refresh token')];
  if (slidingTokens > 0) dying.push(counted(slidingTokens, 'sliding token'));
  const verb = refreshTokens + slidingTokens === 1 && slidingTokens === 0 ? 'is' : 'are';
  const access =
    accessUntil === null
      ? 'Access tokens that were handed out are refused from now on as well.'
      : `Access tokens that were handed out pass until ${timeText(accessUntil)} at the latest: only time ends them.`;
  return `${dying.join(' and ')} ${verb} refused from now on. ${access}`;
}

/** "1 refresh token", "more than 10,000 refresh tokens". */
export function counted(count: number, noun: string): string {
  const number = Math.min(count, PREVIEW_LIMIT).toLocaleString('en-US');
  return `${count > PREVIEW_LIMIT ? 'More than ' : ''}${number} ${noun}${count === 1 ? '' : 's'}`;
}

function timeText(moment: Date): string {
  return `${moment.toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}
