import { outcomesText, runWithoutEachRule, survivorsOf } from './mutation.ts';

// `npm run mutation`: takes each rule of the tokens out in turn, and asks that the tests notice.
const outcomes = await runWithoutEachRule();
console.log(outcomesText(outcomes));
const survivors = survivorsOf(outcomes);
console.log(survivors.length === 0 ? 'Every rule is missed.' : `Nobody misses: ${survivors.join(', ')}`);
process.exitCode = survivors.length === 0 ? 0 : 1;
