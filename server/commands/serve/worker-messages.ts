/** What a worker is told by the process that started it: to stop. */
export const STOP = 'stop';

/** What it answers to that: it takes no new connections. */
export const DOOR_CLOSED = 'door closed';

/**
 * What it is told when all of them said so: to end. Had one sent its clients away before, they would have come to the
 * next, and found it closing.
 */
export const END = 'end';

/** What it is told when another is in its place. */
export const HAND_OVER = 'hand over';
