/** Builds an element; children are nodes or text. Text is never read as HTML: names come from strangers. */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

const svgNamespace = 'http://www.w3.org/2000/svg';
export function svg(name, attributes = {}, ...children) {
  const made = document.createElementNS(svgNamespace, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  made.append(...children);
  return made;
}

export function table(head, rows) {
  const cells = (row, kind) =>
    row.map((cell) => element(kind, typeof cell === 'number' ? { class: 'number' } : {}, String(cell)));
  return element(
    'table',
    {},
    element('thead', {}, element('tr', {}, ...cells(head, 'th'))),
    element('tbody', {}, ...rows.map((row) => element('tr', {}, ...cells(row, 'td')))),
  );
}

const scales = {
  nanoseconds: [
    [1e9, 's'],
    [1e6, 'ms'],
    [1e3, 'µs'],
    [1, 'ns'],
  ],
  bytes: [
    [2 ** 30, 'GiB'],
    [2 ** 20, 'MiB'],
    [2 ** 10, 'KiB'],
    [1, 'B'],
  ],
  milliseconds: [
    [60_000, 'min'],
    [1000, 's'],
    [1, 'ms'],
  ],
};

const plain = new Intl.NumberFormat('en', { maximumFractionDigits: 2 });

export function formatValue(value, unit) {
  if (unit === 'percent') return `${plain.format(value)} %`;
  if (unit === 'ratio') return `${plain.format(value * 100)} %`;
  if (scales[unit] === undefined || value === 0) return plain.format(value);
  const [size, name] = scales[unit].find(([least]) => Math.abs(value) >= least) ?? scales[unit].at(-1);
  return `${(value / size).toFixed(2)} ${name}`;
}

/** Of a signal, by its name. */
export function unitOf(signal) {
  if (signal.endsWith('Bytes')) return 'bytes';
  if (signal.endsWith('Percent')) return 'percent';
  if (signal === 'loopUtilization') return 'ratio';
  return signal.endsWith('Ms') ? 'milliseconds' : 'count';
}
