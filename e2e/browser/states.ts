import type { Page } from 'playwright';
import { mouse } from './hands.ts';
import { loading } from './site.ts';
import { logIn, nextStep, obtain, postForm, postRaw } from './steps.ts';

/** Every page there is in every state that looks different: how one gets there. */
export const STATES: Readonly<Record<string, (page: Page) => Promise<unknown>>> = {
  'the home page': (page) => page.goto('/'),
  'the guide': (page) => page.goto('/guide/'),
  'the admin': (page) => page.goto('/admin/'),
  'no such page': (page) => page.goto('/nothing/'),
  'the API root': (page) => page.goto('/api/'),
  'the formats of GET': async (page) => {
    await page.goto('/api/');
    await page.locator('summary').click();
  },
  OPTIONS: async (page) => {
    await page.goto('/api/token/');
    await loading(page, () => page.getByRole('button', { name: 'OPTIONS' }).click());
  },
  'the form of a login': (page) => page.goto('/api/token/'),
  'a login': (page) => logIn(page),
  'a login with its form to be filled': (page) => postForm(page, '/api/token/', {}),
  'a login that is refused': (page) =>
    postForm(page, '/api/token/', { Username: 'nobody', Password: 'nothing' }),
  'raw data': async (page) => {
    await page.goto('/api/token/');
    await mouse(page).choose(page.getByRole('radio', { name: 'Raw data' }));
  },
  'raw data that cannot be read': (page) => postRaw(page, '/api/token/', '{'),
  'another language of the samples': async (page) => {
    await page.goto('/api/');
    await mouse(page).choose(page.getByRole('radio', { name: 'Python' }));
  },
  'the form of a refresh': (page) => page.goto('/api/token/refresh/'),
  'a refresh': async (page) => {
    const { refresh } = await obtain(page);
    await postForm(page, '/api/token/refresh/', { Refresh: refresh });
  },
  'a refresh about to be made': async (page) => {
    await logIn(page);
    await nextStep(page, 'Inside the refresh token', 'Refresh with this token');
  },
  'a refresh that is refused': (page) =>
    postForm(page, '/api/token/refresh/', { Refresh: 'a.b.c'.repeat(99) }),
  'a refresh with its form to be filled': (page) => postForm(page, '/api/token/refresh/', {}),
  'the form of a verification': (page) => page.goto('/api/token/verify/'),
  'a verification': async (page) => {
    const { access } = await obtain(page);
    await postForm(page, '/api/token/verify/', { Token: access });
  },
  'the form of the blacklist': (page) => page.goto('/api/token/blacklist/'),
  'a blacklisting': async (page) => {
    const { refresh } = await obtain(page);
    await postForm(page, '/api/token/blacklist/', { Refresh: refresh });
  },
  'the form of a sliding login': (page) => page.goto('/api/token/sliding/'),
  'a sliding login': (page) => logIn(page, '/api/token/sliding/'),
  'the form of a sliding refresh': (page) => page.goto('/api/token/sliding/refresh/'),
  'the endpoint for a token': (page) => page.goto('/api/me/'),
  'who the token is': async (page) => {
    await logIn(page);
    await nextStep(page, 'Inside the access token', 'Use it at /api/me/');
  },
};
