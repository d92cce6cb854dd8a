import { readFileSync, writeFileSync } from 'node:fs';
import { insertSettingsTable } from '../server/settings/readme-table.ts';

// Writes the table of settings into the README: node --import tsx e2e/write-settings/readme-table.ts
const readme = new URL('../README.md', import.meta.url);
writeFileSync(readme, insertSettingsTable(readFileSync(readme, 'utf8')));
