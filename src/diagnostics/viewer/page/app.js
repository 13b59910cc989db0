import { element, formatValue } from './dom.js';
import { drawFlame } from './flame.js';
import { drawTimeline } from './timeline.js';
import { drawVerdict } from './verdict.js';

const at = (id) => document.getElementById(id);
const state = { index: undefined, file: '', base: '', type: -1, draw: () => {} };

const nothingYet =
  'There is no capture and no profile here yet. A capture is written when a rule fires; "heddle profile PID cpu" takes one now. Load this page again then.';

/** Kinds that read better as a tree of counts than as a flame graph alone. */
const treeKinds = new Set(['pending', 'coroutines', 'in-flight', 'streams']);

async function ask(method, query = {}) {
  const response = await fetch(`api/${method}?${new URLSearchParams(query)}`);
  const body = await response.json().catch(() => ({ message: `${method}: ${response.status}` }));
  if (!response.ok) throw new Error(body.message);
  return body;
}

function tell(text) {
  at('message').textContent = text;
  at('message').hidden = text === '';
}

let turn = 0;

/** Runs what a click asked for. A later click wins: `isStale` tells the earlier one to draw nothing more. */
const guarded =
  (run) =>
  async (...values) => {
    const mine = ++turn;
    const isStale = () => mine !== turn;
    try {
      tell('');
      await run(isStale, ...values);
    } catch (error) {
      if (!isStale()) tell(String(error.message ?? error));
    }
    if (!isStale()) document.body.dataset.ready = String(turn);
  };

const loadScript = (name) =>
  new Promise((resolve, reject) => {
    const script = element('script', { src: `library/${name}` });
    script.onload = resolve;
    script.onerror = () => reject(new Error(`${name} cannot be loaded`));
    document.head.append(script);
  });

function choose(button) {
  for (const other of document.querySelectorAll('nav button')) other.removeAttribute('aria-current');
  button.setAttribute('aria-current', 'true');
}

const profilesOf = (capture) => capture.files.filter(({ format }) => format === 'pprof');

const showCapture = guarded(async (isStale, id, button) => {
  choose(button);
  const capture = await ask('capture', { id });
  if (isStale()) return;
  drawVerdict(at('verdict'), capture, (name) => showProfile(name));
  const { pid, service } = capture;
  const neighbours = state.index.captures.filter((other) => other.pid === pid && other.service === service);
  drawTimeline(at('timeline'), at('charts'), capture.samples ?? [], neighbours, openCapture);
  const [first] = profilesOf(capture);
  if (first === undefined) at('profile').hidden = true;
  else await drawProfile(isStale, first.name);
});

function openCapture(id) {
  const index = state.index.captures.findIndex((capture) => capture.id === id);
  const button = at('captures').children[index];
  button?.scrollIntoView({ block: 'nearest' });
  button?.click();
}

const showProfile = guarded((isStale, name, type, base) => drawProfile(isStale, name, type, base));

async function drawProfile(isStale, name, type = -1, base = '') {
  Object.assign(state, { file: name, type, base });
  const view =
    base === '' ? await ask('profile', { file: name, type }) : await ask('diff', { base, file: name });
  if (isStale()) return;
  at('profile').hidden = false;
  at('profile-name').textContent = name;
  fillTypes(view);
  fillBases(name, base);
  const file = encodeURIComponent(new URL(`files/${name}`, location.href).href);
  at('speedscope').href = `speedscope/index.html#profileURL=${file}&title=${encodeURIComponent(name)}`;
  for (const button of document.querySelectorAll('.files button'))
    button.setAttribute('aria-pressed', String(button.dataset.file === name));
  const unit = view.types[view.type].unit;
  state.draw = () => {
    drawFlame(at('flame'), at('details'), view.tree, { unit, isDifference: base !== '' });
    find();
  };
  state.draw();
  at('pending').replaceChildren();
  if (treeKinds.has(view.kind))
    at('pending').append(element('h2', {}, 'Who waits'), workTree(view.tree, unit));
}

function find() {
  at('flame').search?.(at('search').value);
}

function fillTypes(view) {
  const options = view.types.map(({ type, unit }, index) =>
    element('option', { value: String(index) }, `${type} (${unit})`),
  );
  at('type').replaceChildren(...options);
  at('type').value = String(view.type);
}

function fillBases(name, base) {
  const others = state.index.profiles.filter((other) => other !== name);
  const options = [
    element('option', { value: '' }, 'nothing'),
    ...others.map((other) => element('option', { value: other }, other)),
  ];
  at('base').replaceChildren(...options);
  at('base').value = base;
}

function workTree(node, unit, depth = 0) {
  const label = [
    element('b', {}, formatValue(node.value, unit)),
    document.createTextNode(node.name),
    ' ',
    element('span', { class: 'place' }, node.place),
  ];
  if (node.children.length === 0) return element('div', { class: 'leaf' }, ...label);
  const children = [...node.children].sort((a, b) => b.value - a.value).slice(0, 200);
  const details = element(
    'details',
    {},
    element('summary', {}, ...label),
    ...children.map((child) => workTree(child, unit, depth + 1)),
  );
  details.open = depth < 4;
  return details;
}

function listCaptures(captures) {
  const buttons = captures.map((capture) => {
    const cause = capture.verdict?.cause;
    const title =
      cause === undefined
        ? capture.trigger.rule
        : `${cause.name}${cause.guilty ? `: ${cause.guilty.name}` : ''}`;
    const when = new Date(capture.startMs).toISOString().replace('T', ' ').slice(0, 19);
    const button = element(
      'button',
      { type: 'button' },
      title,
      element('small', {}, `${when}  ${capture.service}[${capture.pid}]  ${capture.trigger.rule}`),
    );
    button.onclick = () => showCapture(capture.id, button);
    return button;
  });
  at('captures').replaceChildren(...buttons);
  return buttons;
}

function listProfiles(names, captures) {
  const captured = new Set(captures.flatMap(profilesOf).map(({ name }) => name));
  const buttons = names
    .filter((name) => !captured.has(name))
    .map((name) => {
      const button = element('button', { type: 'button' }, name);
      button.onclick = () => {
        choose(button);
        at('verdict').hidden = true;
        at('timeline').hidden = true;
        void showProfile(name);
      };
      return button;
    });
  at('others').hidden = buttons.length === 0;
  at('others-title').textContent = captures.length === 0 ? 'Profiles' : 'Other profiles';
  at('profiles').replaceChildren(...buttons);
  return buttons;
}

const start = guarded(async () => {
  state.index = await ask('index');
  at('title').textContent = state.index.title;
  for (const name of state.index.scripts) await loadScript(name);
  const [first] = [
    ...listCaptures(state.index.captures),
    ...listProfiles(state.index.profiles, state.index.captures),
  ];
  if (first === undefined) tell(nothingYet);
  else first.click();
});

at('type').onchange = () => showProfile(state.file, Number(at('type').value));
at('base').onchange = () => showProfile(state.file, state.type, at('base').value);
at('search').oninput = find;
let resized;
window.addEventListener('resize', () => {
  clearTimeout(resized);
  resized = setTimeout(() => state.draw(), 150);
});
await start();
