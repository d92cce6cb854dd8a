import { PREVIEW_LIMIT, type RevocationPreview } from '../tokens/mass-revocation.ts';

/** What a confirmation says of a revocation: the template `admin/partials/revocation` shows it. */
export interface RevocationData {
  dying: readonly { what: string; consequence: string }[];
  /** Until when access tokens that were handed out are accepted at the latest; null where none is. */
  accessUntil: Date | null;
}

/** What dies when tokens are revoked, counted, and what does not. */
export function revocationData({
  refreshTokens,
  slidingTokens,
  accessUntil,
}: RevocationPreview): RevocationData {
  const dying = [
    { count: refreshTokens, kind: 'refresh', consequence: 'refused from the next request on.' },
    {
      count: slidingTokens,
      kind: 'sliding',
      consequence: 'refused from the next request on, also as a proof of who somebody is.',
    },
  ];
  return {
    dying: dying
      .filter(({ count }) => count > 0)
      .map(({ count, kind, consequence }) => ({ what: countText(count, kind), consequence })),
    accessUntil,
  };
}

function countText(count: number, kind: string): string {
  if (count > PREVIEW_LIMIT)
    return `More than ${PREVIEW_LIMIT.toLocaleString('en-US')} ${kind} tokens die now`;
  return count === 1 ? `1 ${kind} token dies now` : `${count.toLocaleString('en-US')} ${kind} tokens die now`;
}
