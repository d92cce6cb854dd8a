import { formatOfName, TRANSFER_FORMATS, type TransferFormat } from '../users/transfer/formats.ts';
import { UsageError } from './command.ts';

/**
 * The format of a file: the one that a flag names, else the one that the file's name tells.
 *
 * @throws UsageError
 */
export function transferFormat(flag: string | undefined, name: string): TransferFormat {
  const choices = TRANSFER_FORMATS.join(', ');
  if (flag === undefined) {
    const format = formatOfName(name);
    if (format !== null) return format;
    throw new UsageError(`argument --format: the name ${name} tells no format (choose from ${choices})`);
  }
  const format = TRANSFER_FORMATS.find((candidate) => candidate === flag);
  if (format === undefined) {
    throw new UsageError(`argument --format: invalid choice: '${flag}' (choose from ${choices})`);
  }
  return format;
}
