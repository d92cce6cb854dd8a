import assert from 'node:assert/strict';
import type { Rule } from '../../server/tokens/rules.ts';
import { ruleTables } from './rule-tables.ts';

// Loaded before tests: takes one rule out of its table, as `CLAIM_RULES/exp` in WITHOUT_RULE names it.
const [table = '', name] = (process.env.WITHOUT_RULE ?? '').split('/');
const rules = ruleTables[table] as Rule[] | undefined;
const index = rules?.findIndex((rule) => rule.name === name) ?? -1;
assert.ok(rules !== undefined && index >= 0, `There is no rule ${process.env.WITHOUT_RULE}`);
rules.splice(index, 1);
