import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { NOW, newAccount, newDatabase } from './audit.fixture.ts';
import { changeText, djangoHistory } from './django-history.ts';
import { recordEvents } from './record.ts';

describe('a change message is said in the words of Django:', () => {
  const MESSAGES: Readonly<Record<string, string>> = {
    '[{"added": {}}]': 'Added.',
    '[{"changed": {"fields": ["First name", "Last name", "Groups"]}}]':
      'Changed First name, Last name and Groups.',
    '[{"changed": {"fields": ["password"]}}]': 'Changed password.',
    '[{"added": {"name": "blacklisted token", "object": "x"}}, {"deleted": {"name": "note", "object": "y"}}]':
      'Added blacklisted token “x”. Deleted note “y”.',
    '[{"changed": {"fields": ["Text"], "name": "note", "object": "z"}}]': 'Changed Text for note “z”.',
    '[]': 'No fields changed.',
    '': 'No fields changed.',
    'Blacklisted by hand.': 'Blacklisted by hand.',
    '[not JSON': '[not JSON',
    '[{"changed": null}]': '[{"changed": null}]',
    '[null]': '[null]',
  };
  for (const [message, text] of Object.entries(MESSAGES)) {
    test(message, () => assert.equal(changeText(message), text));
  }
});

test('what we wrote into the log ourselves is left out while the history has it, and there when it was forgotten', async () => {
  const db = await newDatabase();
  const actor = { id: await newAccount(db, 'root'), name: 'root' };
  const object = { type: 'user', id: '7', name: 'ada' } as const;
  const origin = { via: 'admin', actor } as const;
  await recordEvents(db, [{ kind: 'user_added', origin, object }], NOW);
  await recordEvents(db, [{ kind: 'user_deleted', origin, object }], new Date(NOW.getTime() + 1000));
  assert.deepEqual(await djangoHistory(db, 'user', '7', 10), []);
  await db.deleteFrom('jotgate_event').execute();
  assert.deepEqual(await djangoHistory(db, 'user', '7', 10), [
    { at: new Date(NOW.getTime() + 1000), actor, message: 'Deleted.' },
    { at: NOW, actor, message: 'Added.' },
  ]);
  assert.equal((await djangoHistory(db, 'user', '7', 1)).length, 1);
  assert.deepEqual(await djangoHistory(db, 'group', '7', 10), []);
  assert.deepEqual(await djangoHistory(db, 'user', '8', 10), []);
  await db.destroy();
});
