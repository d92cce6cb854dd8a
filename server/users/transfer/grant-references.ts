/** How a file names a group: by its name, or by the id that it has in the file. */
export type GroupReference = string | number;

/** How a file names a permission: as `Permission.natural_key` does, as code does, or by the id that it has in the file. */
export type PermissionReference = { codename: string; appLabel: string; model: string | null } | number;

/** Reads names, natural keys such as `["editors"]`, and ids. Null for what is none of them. */
export function groupReference(value: unknown): GroupReference | null {
  const name = Array.isArray(value) && value.length === 1 ? value[0] : value;
  if (typeof name === 'string' && name !== '') return name;
  return isId(value) ? value : null;
}

/** Reads natural keys such as `["add_user", "auth", "user"]`, keys such as `auth.add_user`, and ids. */
export function permissionReference(value: unknown): PermissionReference | null {
  if (isId(value)) return value;
  if (typeof value === 'string') {
    const [, appLabel, codename] = /^([^.]+)\.(.+)$/.exec(value) ?? [];
    return appLabel === undefined || codename === undefined ? null : { codename, appLabel, model: null };
  }
  if (!Array.isArray(value) || value.length !== 3) return null;
  const [codename, appLabel, model] = value as unknown[];
  const areTexts = typeof codename === 'string' && typeof appLabel === 'string' && typeof model === 'string';
  return areTexts ? { codename, appLabel, model } : null;
}

export function isId(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) > 0;
}

/** For people. */
export function showPermission(reference: PermissionReference): string {
  return typeof reference === 'number'
    ? `of the id ${reference}`
    : `${reference.appLabel}.${reference.codename}`;
}

/**
 * Names in one cell of CSV, between semicolons. A backslash stands before a semicolon or a backslash of a name, and
 * before a blank at its ends.
 */
export function splitNames(cell: string): string[] {
  const names: string[] = [];
  let name = '';
  let kept = 0;
  const end = () => {
    name = name.slice(0, kept) + name.slice(kept).trimEnd();
    if (name !== '') names.push(name);
    name = '';
    kept = 0;
  };
  for (let at = 0; at < cell.length; at += 1) {
    const character = cell[at] as string;
    if (character === ';') {
      end();
    } else if (character === '\\' && at + 1 < cell.length) {
      at += 1;
      name += cell[at];
      kept = name.length;
    } else if (name !== '' || character.trim() !== '') {
      name += character;
    }
  }
  end();
  return names;
}

/** As `splitNames` reads it. */
export function joinNames(names: readonly string[]): string {
  return names.map((name) => name.replace(/[\\;]|^\s|\s$/g, '\\$&')).join(';');
}
