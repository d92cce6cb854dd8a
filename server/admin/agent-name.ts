/** Browsers by the mark that tells each from those it pretends to be, the most particular first. */
const BROWSERS: readonly (readonly [mark: RegExp, name: string])[] = [
  [/\bEdg(e|A|iOS)?\//, 'Edge'],
  [/\bOPR\//, 'Opera'],
  [/\b(Firefox|FxiOS)\//, 'Firefox'],
  [/\b(HeadlessChrome|Chrome|CriOS)\//, 'Chrome'],
  [/\bSafari\//, 'Safari'],
];

const SYSTEMS: readonly (readonly [mark: RegExp, name: string])[] = [
  [/\bAndroid\b/, 'Android'],
  [/\b(iPhone|iPad)\b/, 'iOS'],
  [/\bWindows\b/, 'Windows'],
  [/\bMac OS X\b/, 'macOS'],
  [/\bLinux\b/, 'Linux'],
];

/** The longest name of a program that is shown, in characters. */
const LONGEST = 30;

/** A User-Agent header in a few words: `Firefox on Linux`, `curl/8.5.0`. Empty where it says nothing. */
export function agentName(userAgent: string): string {
  const browser = nameIn(userAgent, BROWSERS);
  if (browser !== undefined && userAgent.startsWith('Mozilla/')) {
    const system = nameIn(userAgent, SYSTEMS);
    return system === undefined ? browser : `${browser} on ${system}`;
  }
  const [program = ''] = userAgent.trim().split(/\s/, 1);
  return program.length > LONGEST ? `${program.slice(0, LONGEST).toWellFormed()}…` : program;
}

function nameIn(text: string, names: typeof BROWSERS): string | undefined {
  return names.find(([mark]) => mark.test(text))?.[1];
}
