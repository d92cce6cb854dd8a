import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deviceName } from './device.ts';

const WEBKIT = 'AppleWebKit/537.36 (KHTML, like Gecko)';

const NAMES: Readonly<Record<string, string>> = {
  'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0': 'Firefox on Linux',
  [`Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${WEBKIT} Chrome/126.0.0.0 Safari/537.36`]: 'Chrome on Windows',
  [`Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${WEBKIT} Chrome/126.0 Safari/537.36 Edg/126.0`]:
    'Microsoft Edge on Windows',
  [`Mozilla/5.0 (X11; Linux x86_64) ${WEBKIT} HeadlessChrome/126.0 Safari/537.36`]: 'Chrome on Linux',
  [`Mozilla/5.0 (Linux; Android 14; Pixel 8) ${WEBKIT} Chrome/126.0 Mobile Safari/537.36`]:
    'Chrome on Android',
  'Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Version/17.5 Mobile Safari/604.1':
    'Safari on iOS',
  'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/17.5 Safari/605.1.15':
    'Safari on macOS',
  'curl/8.5.0': 'curl/8.5.0',
  'python-requests/2.31.0': 'python-requests/2.31.0',
  node: 'node',
  'Mozilla/5.0 (compatible; bot)': 'Mozilla',
  'not Firefox/1 at all': 'not',
  [`${'x'.repeat(200)} y`]: `${'x'.repeat(30)}…`,
  '': '',
  '  ': '',
};

for (const [userAgent, name] of Object.entries(NAMES)) {
  test(`${userAgent.slice(0, 60)} is ${name}`, () => assert.equal(deviceName(userAgent), name));
}
