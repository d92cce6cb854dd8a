import { after, before, test } from 'node:test';
import { Attack } from './attack.ts';
import { FORGERIES, tryForgery } from './forgeries.ts';

/** Given to repeat a run; printed by every run. */
const SEED = Number(process.env.FORGERY_SEED ?? Date.now() % 2 ** 31);

/** `npm run fuzz` has 200,000. */
const TRIES = 5_000;

let attack: Attack;

before(async () => {
  console.log(
    `forgeries: ${TRIES} tries, seed ${SEED} (npm run fuzz -- --tries ${TRIES} --seed ${SEED} repeats them)`,
  );
  attack = await Attack.start();
});
after(() => attack.end());

for (const forgery of FORGERIES) {
  test(forgery.name, () =>
    attack.case(forgery.case, () => tryForgery(attack, forgery, { tries: TRIES, seed: SEED })),
  );
}
