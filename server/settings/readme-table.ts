import { SETTING_NAMES, SETTING_ROWS } from '../settings.ts';

const BEGIN = '<!-- settings:begin -->';
const END = '<!-- settings:end -->';

/** Every setting as a table in Markdown, ending in a line break. */
export function renderSettingsTable(): string {
  const rows = SETTING_NAMES.map((name) => {
    const { type, help, default: unset } = SETTING_ROWS[name];
    return [`\`${name}\``, escaped(type.takes), renderDefault(unset), escaped(help)];
  });
  const lines = [['Setting', 'Takes', 'Default', 'What it does'], ['---', '---', '---', '---'], ...rows];
  return lines.map((cells) => `| ${cells.join(' | ')} |\n`).join('');
}

/**
 * The README with the table that belongs between its markers.
 *
 * @throws Error when it does not have both markers, in their order
 */
export function insertSettingsTable(readme: string): string {
  const begin = readme.indexOf(BEGIN);
  const end = readme.indexOf(END, begin);
  if (begin < 0 || end < 0) throw new Error(`There is no ${BEGIN} with an ${END} after it`);
  return `${readme.slice(0, begin + BEGIN.length)}\n${renderSettingsTable()}${readme.slice(end)}`;
}

function renderDefault(unset: string | { readonly from: string }): string {
  if (typeof unset !== 'string') return `from \`${unset.from}\``;
  return unset === '' ? 'none' : `\`${unset}\``;
}

/** Keeps what Markdown would take for a cell's end, emphasis or markup. */
function escaped(text: string): string {
  return text.replace(/[|*_`<>$~\\]/g, '\\$&');
}
