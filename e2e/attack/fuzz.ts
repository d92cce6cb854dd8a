import { parseArgs } from 'node:util';
import { Attack } from './attack.ts';
import { FORGERIES, tryForgery } from './forgeries.ts';

// The long run of the forgeries: `npm run fuzz -- --tries 200000 --seed 1`. The same seed gives the same tries.
const { values } = parseArgs({
  options: { tries: { type: 'string', default: '200000' }, seed: { type: 'string' } },
});
const tries = Number(values.tries);
const seed = Number(values.seed ?? Date.now() % 2 ** 31);
if (!Number.isInteger(tries) || tries < 1) throw new Error('--tries takes a number from 1 on');
if (!Number.isInteger(seed)) throw new Error('--seed takes a number');

console.log(`${tries} tries, seed ${seed}`);
const attack = await Attack.start({ LOGIN_FAILURES_PER_ACCOUNT: '0', LOGIN_FAILURES_PER_ADDRESS: '0' });
try {
  for (const forgery of FORGERIES) {
    const started = performance.now();
    await attack.case(forgery.case, () => tryForgery(attack, forgery, { tries, seed }));
    console.log(`${forgery.name} (${Math.round((performance.now() - started) / 1000)} s)`);
  }
} finally {
  await attack.end();
}
