import { element, formatValue, svg, unitOf } from './dom.js';

const size = { width: 420, height: 90, left: 4, top: 12 };
/** Shown first, where they were sampled; others follow when they moved. */
const first = [
  'cpuPercent',
  'rssBytes',
  'heapUsedBytes',
  'loopDelayMaxMs',
  'gcTimePercent',
  'pendingCount',
  'activeResources',
  'serverInFlight',
  'clientInFlight',
  'stallMs',
];
const maxCharts = 12;

/** One small chart for each signal that moved, with a mark where a rule fired; `open` shows the capture of a mark. */
export function drawTimeline(section, place, samples, captures, open) {
  const names = chooseSignals(samples);
  section.hidden = names.length === 0;
  place.replaceChildren(...names.map((name) => chart(name, samples, captures, open)));
}

function chooseSignals(samples) {
  const seen = new Map();
  for (const { values } of samples) {
    for (const [name, value] of Object.entries(values)) {
      const range = seen.get(name) ?? [value, value];
      seen.set(name, [Math.min(range[0], value), Math.max(range[1], value)]);
    }
  }
  const moved = [...seen].filter(([, [least, most]]) => most > least).map(([name]) => name);
  const rank = (name) => (first.indexOf(name) + first.length + 1) % (first.length + 1);
  return moved.sort((a, b) => rank(a) - rank(b)).slice(0, maxCharts);
}

function chart(name, samples, captures, open) {
  const points = samples
    .filter(({ values }) => values[name] !== undefined)
    .map(({ atMs, values }) => [atMs, values[name]]);
  const from = points[0][0];
  const to = Math.max(points.at(-1)[0], from + 1);
  const most = Math.max(...points.map(([, value]) => value), 0);
  const least = Math.min(...points.map(([, value]) => value), 0);
  const x = (atMs) => size.left + ((atMs - from) / (to - from)) * (size.width - 2 * size.left);
  const y = (value) => size.top + (1 - (value - least) / (most - least || 1)) * (size.height - size.top - 4);
  const path = points
    .map(([atMs, value], index) => `${index === 0 ? 'M' : 'L'}${x(atMs).toFixed(1)} ${y(value).toFixed(1)}`)
    .join('');
  const marks = captures
    .filter(({ trigger }) => trigger.atMs >= from && trigger.atMs <= to + 1000)
    .map((capture) => mark(capture, Math.min(x(capture.trigger.atMs), size.width - 2), open));
  const drawing = svg(
    'svg',
    { viewBox: `0 0 ${size.width} ${size.height}`, role: 'img', 'aria-label': name },
    svg('rect', {
      class: 'frame',
      x: 0.5,
      y: size.top - 0.5,
      width: size.width - 1,
      height: size.height - size.top,
    }),
    svg('path', { d: path }),
    ...marks,
  );
  const unit = unitOf(name);
  const caption = `${name}: now ${formatValue(points.at(-1)[1], unit)}, most ${formatValue(most, unit)}, over ${formatValue(to - from, 'milliseconds')}`;
  return element(
    'figure',
    { class: 'chart', 'data-signal': name },
    element('figcaption', {}, caption),
    drawing,
  );
}

function mark(capture, place, open) {
  const { trigger, startMs } = capture;
  const isRight = place > size.width / 2;
  const line = { x1: place, x2: place, y1: size.top, y2: size.height - 4 };
  const name = { class: 'mark-name', x: place + (isRight ? -3 : 3), y: size.top - 2 };
  const drawn = svg(
    'g',
    { class: 'fired' },
    svg('title', {}, `${trigger.rule} at ${new Date(startMs).toISOString()}: ${trigger.reason}`),
    svg('line', { class: 'mark-area', ...line }),
    svg('line', { class: 'mark', ...line }),
    svg(
      'text',
      { ...name, 'text-anchor': isRight ? 'end' : 'start' },
      trigger.rule === 'manual' ? '' : trigger.rule,
    ),
  );
  drawn.addEventListener('click', () => open(capture.id));
  return drawn;
}
