import type { Page } from 'playwright';
import { overwriteUser } from '../accounts.ts';
import { mouse } from '../hands.ts';
import { ADA, type Site } from '../site.ts';
import { act, search } from './list-steps.ts';
import { fill, follow, logInToAdmin, pressButton } from './steps.ts';

/** How one gets to a page in a state that looks different. */
export type States = Readonly<Record<string, (page: Page, site: Site) => Promise<unknown>>>;

const USERS = '/admin/auth/user/';

const press = (page: Page, name: string) => pressButton(page, mouse(page), name);
const write = (page: Page, values: Readonly<Record<string, string>>) => fill(page, mouse(page), values);
const go = (page: Page, name: string) => follow(page, mouse(page), name);

/** While there is no superuser. */
export const FIRST_RUN: States = {
  'no superuser yet': (page) => page.goto('/admin/'),
  'a set-up address that is none': (page) => page.goto('/admin/setup/?key=none'),
  'the set-up': (page, site) => page.goto(setupAddress(site)),
  'the set-up with its form to be corrected': async (page, site) => {
    await page.goto(setupAddress(site));
    await write(page, {
      Username: 'a b',
      'Email address': 'nowhere',
      Password: 'a',
      'Password (again)': 'b',
    });
    await press(page, 'Create superuser and log in');
  },
};

/** The address that a server wrote to its terminal. */
export function setupAddress({ server }: Site): string {
  const address = /http:\S+\/admin\/setup\/\?key=\S+/.exec(server.stdout())?.[0];
  if (address === undefined) throw new Error(`There is no set-up address in:\n${server.stdout()}`);
  return address;
}

/** While there is but one user, who has just logged in. */
export const EMPTY: States = {
  'the overview': (page) => page.goto('/admin/'),
  'one user': (page) => page.goto(USERS),
  'no group': (page) => page.goto('/admin/auth/group/'),
  'no outstanding token': (page) => page.goto('/admin/token_blacklist/outstandingtoken/'),
  'no blacklisted token': (page) => page.goto('/admin/token_blacklist/blacklistedtoken/'),
  'no session': (page) => page.goto('/admin/sessions/'),
  'no lock': (page) => page.goto('/admin/locks/'),
  'a history of nothing': (page) => page.goto(`${USERS}1/history/`),
};

/** For a superuser, where there is a crowd. */
export const FILLED: States = {
  'the log-ins of two weeks as a table': async (page) => {
    await page.goto('/admin/');
    await page.getByText('The same as a table').click();
  },
  'the last page of a list': (page) => page.goto(`${USERS}?p=2&o=-1`),
  'a list that is filtered and searched': (page) => page.goto(`${USERS}?q=maria&is_active__exact=1`),
  'a search that finds nothing': (page) => page.goto(`${USERS}?q=nobody-at-all`),
  'the history by subject and kind': (page) => page.goto('/admin/history/?group=refusal&kind=login_refused'),
  'a message': async (page) => {
    await page.goto(`${USERS}?q=maria.okafor`);
    await go(page, 'maria.okafor');
    await press(page, 'Save and continue editing');
  },
  'a user to be added, with what is wrong': async (page) => {
    await page.goto(`${USERS}add/`);
    await write(page, { Username: 'ada', Password: '12345', 'Password confirmation': '12345' });
    await press(page, 'Save');
  },
  'a user to be changed, with what is wrong': async (page) => {
    await page.goto(`${USERS}?q=maria.okafor`);
    await go(page, 'maria.okafor');
    await write(page, { Username: '', 'Email address': 'nowhere' });
    await press(page, 'Save');
  },
  'a user whom somebody else changed meanwhile': async (page, { server }) => {
    await page.goto(`${USERS}?q=priya.okafor`);
    await go(page, 'priya.okafor');
    const values = {
      username: 'priya.okafor',
      email: `a.rather.long.name.of.priya@${'department.'.repeat(9)}example`,
    };
    overwriteUser(server, 'priya.okafor', values);
    await write(page, { 'Email address': 'priya@example.com' });
    await press(page, 'Save');
  },
  'a password with what is wrong': async (page) => {
    await page.goto(`${USERS}1/password/`);
    await press(page, 'Change password');
  },
  'the question whether to take a password away': async (page) => {
    await page.goto(`${USERS}2/password/`);
    await page.getByLabel('Disabled').check();
    await press(page, 'Change password');
  },
  'a superuser with what is wrong': async (page) => {
    await page.goto('/admin/createsuperuser/');
    await press(page, 'Create superuser');
  },
  'one’s own password with what is wrong': async (page) => {
    await page.goto('/admin/password_change/');
    await press(page, 'Change my password');
  },
  'a group with what is wrong': async (page) => {
    await page.goto('/admin/auth/group/add/');
    await press(page, 'Save');
  },
  'a token that is not to be found': async (page) => {
    await page.goto('/admin/token_blacklist/blacklistedtoken/add/');
    await write(page, { Token: 'a token that there is none of' });
    await press(page, 'Continue');
  },
  'the question whether to delete a hundred users': (page) => ask(page, 'Delete selected users', 'all'),
  'the question whether to activate users': (page) => ask(page, 'Activate selected users', 'all'),
  'the question whether to deactivate users': (page) => ask(page, 'Deactivate selected users', 'all'),
  'the question whether to make tokens worthless': (page) =>
    ask(page, 'Make tokens of selected users worthless', 'all'),
  'a user who cannot be deleted': (page) => ask(page, 'Delete selected users', ['ada'], 'ada'),
  'nothing that was ticked': (page) => ask(page, 'Delete selected users', []),
  'the question whether to take tokens off the blacklist': async (page) => {
    await page.goto('/admin/token_blacklist/blacklistedtoken/');
    await act(page, 'Delete selected blacklisted tokens', 'all');
  },
  'a page that is not there': (page) => page.goto(`${USERS}999999/change/`),
  'a form without its token': async (page) => {
    await page.goto('/admin/auth/group/add/');
    await page.locator('.admin-form input[name="csrfmiddlewaretoken"]').evaluate((field) => field.remove());
    await press(page, 'Save');
  },
};

async function ask(page: Page, action: string, names: readonly string[] | 'all', words = ''): Promise<void> {
  await page.goto(USERS);
  if (words !== '') await search(page, words);
  await act(page, action, names);
}

/** For a member of the staff with the permission to view users, and no other. */
export const VIEWING: States = {
  'the overview of who may see little': (page) => page.goto('/admin/'),
  'users to be looked at': (page) => page.goto(USERS),
  'a user to be looked at': async (page) => {
    await page.goto(`${USERS}?q=maria.okafor`);
    await go(page, 'maria.okafor');
  },
  'a page that one may not open': (page) => page.goto('/admin/createsuperuser/'),
};

/** For who is not logged in. */
export const OUTSIDE: States = {
  'the log-in': (page) => page.goto('/admin/'),
  'a log-in that is refused': (page) => logInToAdmin(page, { ...ADA, password: 'wrong' }),
  'a log-in with its form to be filled': async (page) => {
    await page.goto('/admin/login/');
    await press(page, 'Log in');
  },
};
