import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { AdminSite, addressOf, adminRoutes, ROLES } from './admin-site.ts';
import { formFor, type Outcome, type PageRow, RING_TABLE, rowOf, TABLE } from './admin-table.ts';
import type { Reply } from './attack.ts';

const PAGES = await adminRoutes();

let site: AdminSite;

before(async () => {
  site = await AdminSite.start();
});
after(() => site.end());

function assertOutcome(outcome: Outcome, reply: Reply, isChanged: boolean, what: string): void {
  const told = `${what}: ${reply.status} ${reply.headers.location ?? ''}`;
  if (outcome === 'login') {
    assert.equal(reply.status, 303, told);
    assert.match(String(reply.headers.location), /^\/admin\/login\/\?next=%2Fadmin%2F/, told);
  } else {
    assert.equal(reply.status, Number.parseInt(String(outcome), 10), told);
  }
  const changes = String(outcome).endsWith('*');
  assert.equal(isChanged, changes, `${what}: something ${isChanged ? 'was' : 'was not'} changed`);
}

/** Asks for a page, and sends it the form that would do what it is for, as everybody in turn. */
async function assertRow(of: AdminSite, path: string, row: PageRow): Promise<void> {
  const ruler = await of.visitor('superuser');
  for (const [index, role] of ROLES.entries()) {
    const things = await of.things();
    const address = addressOf(path, things);
    const form = (await row.form?.(things, ruler)) ?? {};
    const visitor = await of.visitor(role);
    const before = await of.state();
    const shown = await visitor.get(address);
    assertOutcome(row.get[index] as Outcome, shown, (await of.state()) !== before, `${role} GET`);
    const done = await visitor.post(address, form);
    assertOutcome(row.post[index] as Outcome, done, (await of.state()) !== before, `${role} POST`);
  }
}

test('every page of the app has its row, and every row its page', () => {
  assert.deepEqual(PAGES.map(({ path }) => path).toSorted(), Object.keys(TABLE).toSorted());
});

describe('case 33: who may do what', () => {
  for (const { path } of PAGES) {
    test(path, () => site.attack.case(33, () => assertRow(site, path, rowOf(path))));
  }
  test('the keys of a ring', async () => {
    const ring = await AdminSite.start({ KEY_RING: 'true' });
    try {
      for (const [path, row] of Object.entries(RING_TABLE)) await assertRow(ring, path, row);
    } finally {
      await ring.end();
    }
  });
  test('an id that is none, or of nothing, is 404 for who may see such a thing, and 403 for others', () =>
    site.attack.case(33, async () => {
      const [manager, bystander] = [await site.visitor('superuser'), await site.visitor('staff')];
      for (const { path } of PAGES.filter((page) => page.path.includes(':'))) {
        for (const id of [
          '0',
          '-1',
          '1.5',
          '1e3',
          'abc',
          '999999999',
          '9'.repeat(15),
          '9'.repeat(40),
          '%00',
          '..%2f1',
        ]) {
          const address = path.replace(':id', id);
          const expected = path === '/admin/auth/user/:id/' && /^9+$/.test(id) && id.length < 16 ? 303 : 404;
          assert.equal((await manager.get(address)).status, expected, address);
          assert.equal((await bystander.get(address)).status, 403, address);
          const { status } = await manager.post(address);
          // Without a ring of keys nothing is asked of any key.
          const isOfNoRing = path.startsWith('/admin/keys/') && status === 303;
          assert.ok([404, 405].includes(status) || isOfNoRing, `POST ${address}: ${status}`);
        }
      }
    }));
});

describe('case 29: what only looks changes nothing', () => {
  test('GET, HEAD and OPTIONS, with whatever a form would bring in the address', () =>
    site.attack.case(29, async () => {
      const visitor = await site.visitor('superuser');
      for (const { path } of PAGES) {
        const things = await site.things();
        const address = addressOf(path, things);
        const fields = await formFor(path, things, visitor);
        const pairs = Object.entries(fields).flatMap(([name, value]) =>
          [value].flat().map((one): [string, string] => [name, one]),
        );
        const query = new URLSearchParams([
          ...pairs,
          ...Object.entries({
            confirmed: '1',
            _method: 'POST',
            method: 'POST',
            csrfmiddlewaretoken: visitor.token,
          }),
        ]);
        await site.changesNothing(path, async () => {
          for (const method of ['GET', 'HEAD', 'OPTIONS']) {
            const headers = { 'x-http-method-override': 'POST' };
            const { status } = await visitor.send(method, `${address}?${query}`, { headers });
            assert.ok(status < 500, `${method} ${address}`);
          }
        });
        assert.ok(await visitor.isIn(), path);
      }
    }));
  test('no other method does anything, token or not', () =>
    site.attack.case(29, async () => {
      const visitor = await site.visitor('superuser');
      for (const { path } of PAGES) {
        const address = addressOf(path, await site.things());
        await site.changesNothing(path, async () => {
          for (const method of ['PUT', 'PATCH', 'DELETE']) {
            for (const token of ['', visitor.token]) {
              const { status } = await visitor.send(method, address, {
                headers: { 'content-type': 'application/x-www-form-urlencoded' },
                body: `csrfmiddlewaretoken=${token}&confirmed=1`,
              });
              assert.ok([403, 405].includes(status), `${method} ${address}: ${status}`);
            }
          }
        });
      }
    }));
});
