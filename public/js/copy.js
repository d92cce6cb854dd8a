/** How long the button says that it is done, in milliseconds. */
const CONFIRMATION = 2_000;

/** Puts a button behind everything marked `data-copy` that copies its text. */
export function addCopyButtons(root) {
  for (const source of root.querySelectorAll('[data-copy]')) {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'copy-button';
    const label = document.createElement('span');
    label.textContent = 'Copy';
    const what = document.createElement('span');
    what.className = 'visually-hidden';
    what.textContent = ` ${source.dataset.copy}`;
    button.append(label, what);
    const text = source.textContent;
    button.addEventListener('click', () => copy(text, source, label));
    source.after(button);
  }
}

async function copy(text, source, label) {
  const copied = await wrote(text);
  label.textContent = copied ? 'Copied' : 'Press Ctrl+C to copy';
  if (!copied) getSelection().selectAllChildren(source);
  setTimeout(() => {
    label.textContent = 'Copy';
  }, CONFIRMATION);
}

/** Over plain http, other than to this machine, a browser offers no clipboard. */
async function wrote(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}
