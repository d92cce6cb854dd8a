import { nameComplaints } from '../fields.ts';
import { type Entry, entryOf, type UserEntry } from './entries.ts';
import type { FileRecord } from './file-record.ts';
import { type GroupReference, groupReference, isId, splitNames } from './grant-references.ts';
import { type GroupRecord, groupRecordOf, type Refusal } from './group-record.ts';

/** What must be known of a whole file before its users are taken. */
export interface Survey {
  /** How many records of users there are. */
  users: number;
  /** Each name once. */
  groups: readonly GroupRecord[];
  /** Records of groups that cannot be taken. */
  refusals: readonly Refusal[];
  /** The names of groups that users are in. */
  named: ReadonlySet<string>;
  /** What the ids of groups and permissions in the file stand for. */
  groupNames: ReadonlyMap<number, string>;
  permissions: ReadonlyMap<number, NamedPermission>;
  /** How many records there are of models that are not taken. */
  otherModels: ReadonlyMap<string, number>;
}

export interface NamedPermission {
  codename: string;
  appLabel: string;
  model: string;
}

/** Reads a file from its beginning to its end, and keeps none of its users. */
export async function surveyRecords(records: AsyncIterable<FileRecord>): Promise<Survey> {
  const surveyor = new Surveyor();
  for await (const record of records) surveyor.see(entryOf(record));
  return surveyor.conclude();
}

class Surveyor {
  #users = 0;
  readonly #groups = new Map<string, GroupRecord>();
  readonly #refusals: Refusal[] = [];
  readonly #named = new Set<string>();
  readonly #groupNames = new Map<number, string>();
  readonly #contentTypes = new Map<number, unknown>();
  readonly #permissions: UserEntry[] = [];
  readonly #otherModels = new Map<string, number>();

  see(entry: Entry): void {
    if (entry.type === 'user') this.#seeUser(entry);
    else if (entry.type === 'group') this.#seeGroup(entry);
    else if (entry.type === 'permission') this.#permissions.push(entry);
    else if (entry.type === 'contenttype') this.#seeContentType(entry);
    else if (entry.type === 'other') {
      this.#otherModels.set(entry.model, (this.#otherModels.get(entry.model) ?? 0) + 1);
    }
  }

  conclude(): Survey {
    return {
      users: this.#users,
      groups: [...this.#groups.values()],
      refusals: this.#refusals,
      named: this.#named,
      groupNames: this.#groupNames,
      permissions: this.#namedPermissions(),
      otherModels: this.#otherModels,
    };
  }

  #seeUser({ fields }: UserEntry): void {
    this.#users += 1;
    const groups = fields.get('groups');
    const items: unknown = typeof groups === 'string' ? splitNames(groups) : groups;
    if (!Array.isArray(items)) return;
    const references = items.map(groupReference);
    for (const name of references.filter(isGoodName)) this.#named.add(name);
  }

  #seeGroup(entry: UserEntry): void {
    const group = groupRecordOf(entry);
    if ('problem' in group) {
      this.#refusals.push(group);
      return;
    }
    const { place, name } = group;
    if (group.id !== null) this.#groupNames.set(group.id, name);
    const earlier = this.#groups.get(name);
    if (earlier === undefined) this.#groups.set(name, group);
    else this.#refusals.push({ place, name, problem: `name: ${earlier.place} has the same one` });
  }

  #seeContentType({ id, fields }: UserEntry): void {
    if (isId(id)) this.#contentTypes.set(id, [fields.get('app_label'), fields.get('model')]);
  }

  #namedPermissions(): Map<number, NamedPermission> {
    const named = new Map<number, NamedPermission>();
    for (const { id, fields } of this.#permissions) {
      const type = fields.get('content_type');
      const [appLabel, model] = ((isId(type) ? this.#contentTypes.get(type) : type) as unknown[]) ?? [];
      const codename = fields.get('codename');
      const isNamed = [codename, appLabel, model].every((part) => typeof part === 'string');
      if (isId(id) && isNamed) named.set(id, { codename, appLabel, model } as NamedPermission);
    }
    return named;
  }
}

function isGoodName(reference: GroupReference | null): reference is string {
  return typeof reference === 'string' && nameComplaints(reference).length === 0;
}
