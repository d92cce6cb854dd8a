import { CLAIM_RULES, CLASS_RULES, HEADER_RULES } from '../../server/tokens/rules.ts';

/** Every table of rules that tokens are held to. */
export const ruleTables: Readonly<Record<string, readonly { readonly name: string }[]>> = {
  HEADER_RULES,
  CLAIM_RULES,
  CLASS_RULES,
};
