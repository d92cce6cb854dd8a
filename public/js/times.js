const UNITS = [
  [86_400, 'd'],
  [3_600, 'h'],
  [60, 'min'],
  [1, 's'],
];

/** Shows every time in the viewer's own zone, with UTC on hover, and keeps distances counting. */
export function showTimes(root) {
  for (const time of root.querySelectorAll('time[data-local]')) {
    time.title = time.textContent;
    time.textContent = new Date(time.dateTime).toLocaleString(undefined, {
      dateStyle: 'medium',
      timeStyle: 'medium',
    });
  }
  const update = () => showDistances(root);
  update();
  setInterval(update, 1_000);
}

function showDistances(root) {
  for (const element of root.querySelectorAll('[data-distance-to]')) {
    element.textContent = distance(element.dataset.distanceTo);
  }
  for (const element of root.querySelectorAll('[data-expires]')) {
    const over = Date.parse(element.dataset.expires) <= Date.now();
    element.classList.toggle('is-over', over);
    element.classList.toggle('is-alive', !over);
    element.textContent = `${over ? 'Expired' : 'Valid now, expires'} ${distance(element.dataset.expires)}`;
  }
}

/** "in 4 min 59 s" or "2 h 5 min ago", in the two largest units. */
function distance(iso) {
  const seconds = Math.round((Date.parse(iso) - Date.now()) / 1_000);
  let rest = Math.abs(seconds);
  const counts = UNITS.map(([size, unit]) => {
    const count = Math.floor(rest / size);
    rest -= count * size;
    return [count, unit];
  });
  const first = counts.findIndex(([count]) => count > 0);
  if (first < 0) return 'now';
  const words = counts
    .slice(first, first + 2)
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count} ${unit}`)
    .join(' ');
  return seconds > 0 ? `in ${words}` : `${words} ago`;
}
