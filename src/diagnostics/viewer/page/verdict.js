import { element, formatValue, table, unitOf } from './dom.js';

/** The verdict as the monitor wrote it; `open` shows a profile of the capture. */
export function drawVerdict(section, capture, open) {
  const { verdict, trigger } = capture;
  section.hidden = false;
  section.replaceChildren(
    element('h2', {}, verdict.title),
    element(
      'div',
      { class: 'cause' },
      element('p', {}, verdict.cause.text),
      ...guilty(verdict.cause),
      evidence(verdict.cause),
      element('p', {}, verdict.cause.advice),
    ),
    element(
      'p',
      {},
      `Rule ${trigger.rule}: ${trigger.reason}${trigger.signal ? ` (${trigger.signal} was ${formatValue(trigger.current, unitOf(trigger.signal))}, ${formatValue(trigger.average, unitOf(trigger.signal))} on average before)` : ''}`,
    ),
    ...moved(verdict.moved),
    ...pending(verdict.pending),
    files(capture, open),
    ...missing(verdict.missing),
  );
}

function guilty(cause) {
  if (cause.guilty === undefined) return [];
  return [
    element(
      'p',
      {},
      'Look at ',
      element('b', {}, cause.guilty.name),
      ' ',
      element('span', { class: 'place' }, cause.guilty.place),
      ` (${cause.confidence} confidence)`,
    ),
  ];
}

const evidence = ({ evidence }) => element('ul', {}, ...evidence.map((text) => element('li', {}, text)));

function moved(rows) {
  if (rows.length === 0) return [];
  const shown = rows.map(({ signal, unit, from, to }) => [
    signal,
    formatValue(from, unit),
    formatValue(to, unit),
  ]);
  return [element('h2', {}, 'What moved'), table(['signal', 'before', 'at the trigger'], shown)];
}

function pending(rows) {
  if (rows.length === 0) return [];
  return [
    element('h2', {}, 'Pending work by creator'),
    table(
      ['function', 'place', 'count'],
      rows.map(({ name, place, value }) => [name, place, value]),
    ),
  ];
}

function files(capture, open) {
  const buttons = capture.files
    .filter(({ format }) => format === 'pprof')
    .map(({ name, kind, window, threadId }) => {
      const button = element(
        'button',
        { type: 'button', 'data-file': name },
        `${kind} (${window}, ${threadId < 0 ? 'all threads' : threadId === 0 ? 'main thread' : `worker ${threadId}`})`,
      );
      button.onclick = () => open(name);
      return button;
    });
  return element('p', { class: 'files' }, 'Profiles: ', ...buttons);
}

const missing = (reasons) => reasons.map((reason) => element('p', { class: 'place' }, `Not had: ${reason}`));
