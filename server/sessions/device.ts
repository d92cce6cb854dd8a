import Bowser from 'bowser';

/** The longest name of a program that is shown, in characters. */
const LONGEST = 30;

/** A User-Agent header in a few words: `Firefox on Linux`, `curl/8.5.0`. Empty where it says nothing. */
export function deviceName(userAgent: string): string {
  if (userAgent.startsWith('Mozilla/')) {
    const { browser, os } = Bowser.parse(userAgent);
    const names = [browser.name, os.name].filter((name) => name !== undefined && name !== '');
    if (names.length > 0) return names.join(' on ');
  }
  const [program = ''] = userAgent.trim().split(/\s/, 1);
  return program.length > LONGEST ? `${program.slice(0, LONGEST).toWellFormed()}…` : program;
}
