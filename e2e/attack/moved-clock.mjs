// Loaded into a server before it starts: its clock goes wrong by as many seconds as the file CLOCK_FILE says.
import { readFileSync } from 'node:fs';

const SystemDate = Date;
const { CLOCK_FILE } = process.env;

function offset() {
  return Number(readFileSync(CLOCK_FILE, 'utf8')) * 1000;
}

globalThis.Date = class extends SystemDate {
  constructor(...values) {
    super(...(values.length === 0 ? [SystemDate.now() + offset()] : values));
  }

  static now() {
    return SystemDate.now() + offset();
  }
};
