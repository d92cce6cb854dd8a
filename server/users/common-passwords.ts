let passwords: Promise<ReadonlySet<string>> | undefined;

/** Whether a password is one of the 49,000 most used. Capitals and surrounding spaces make no difference. */
export async function isCommonPassword(password: string): Promise<boolean> {
  passwords ??= load();
  return (await passwords).has(password.toLowerCase().trim());
}

/** Loaded at the first use: it takes time and memory that a server may never need. */
async function load(): Promise<ReadonlySet<string>> {
  const { dictionary } = await import('@zxcvbn-ts/language-common');
  return new Set(dictionary['passwords-common']);
}
