import { parseArgs } from 'node:util';
import { runStorm, stormText } from './storm.ts';

// The long run of the storm: `npm run crash -- --rounds 200`.
const { values } = parseArgs({ options: { rounds: { type: 'string', default: '200' } } });
const rounds = Number(values.rounds);
if (!Number.isInteger(rounds) || rounds < 1) throw new Error('--rounds takes a number from 1 on');
console.log(stormText(await runStorm(rounds, (line) => console.log(line))));
