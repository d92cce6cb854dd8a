import { type Actor, may, modelName, type Permission } from '../users/permissions.ts';
import type { ChoicesField, Option } from './form.ts';

const LACKED =
  'Permissions that you do not have yourself are greyed out: you can neither grant nor take them.';

/**
 * Permissions as checkboxes, those of a model together. What the viewer lacks is shown as it is: nobody grants what
 * he lacks, or takes it.
 */
export function permissionsField(
  field: Pick<ChoicesField, 'name' | 'label' | 'help' | 'readOnly'>,
  actor: Actor,
  permissions: readonly Permission[],
): ChoicesField {
  const options = permissions.map((permission): Option => {
    const option = {
      value: String(permission.id),
      label: permission.name,
      group: `${permission.appLabel} | ${modelName(permission)}`,
    };
    return may(actor, permission.key) ? option : { ...option, disabled: true };
  });
  const isLacking = !field.readOnly && options.some(({ disabled }) => disabled);
  return {
    ...field,
    kind: 'choices',
    options,
    help: [...(field.help ?? []), ...(isLacking ? [LACKED] : [])],
  };
}
