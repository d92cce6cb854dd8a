/**
 * Where to go on, if that is an address of this server: a path, and never what a browser would take for another
 * host, a script or a second header.
 */
export function localPath(next: string | null | undefined, otherwise: string): string {
  if (!next || !/^\/(?![/\\])[\x21-\x7e]*$/.test(next) || next.includes('\\')) return otherwise;
  return next;
}
