const WIDTH = 24;

/** `[######------------------]  25 %  text`. A total of nothing is done. */
export function progressBar(done: number, total: number, text: string): string {
  const share = total > 0 ? Math.min(1, done / total) : 1;
  const filled = Math.floor(share * WIDTH);
  const percent = String(Math.floor(share * 100)).padStart(3);
  return `[${'#'.repeat(filled)}${'-'.repeat(WIDTH - filled)}] ${percent} %  ${text}`;
}
