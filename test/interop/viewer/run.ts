import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import {
  type Capture,
  controlSocketPath,
  preloadEnvironment,
  RemoteControl,
  startViewer,
} from '../../../src/diagnostics/index.ts';
import { findChromium, openPage, type Page } from './chromium.ts';

/** Looks at real captures of a real process in a real browser. Screenshots go to `HEDDLE_SCREENSHOTS`, if set. */
export async function run(): Promise<void> {
  const binary = findChromium();
  if (binary === undefined) throw new Error('no Chromium: install one or set CHROMIUM to its path');
  const directory = await mkdtemp(join(tmpdir(), 'heddle-viewer-'));
  const pictures = process.env['HEDDLE_SCREENSHOTS'];
  if (pictures !== undefined) await mkdir(pictures, { recursive: true });
  const picture = async (page: Page, name: string): Promise<void> => {
    if (pictures === undefined) return;
    // New frames grow to their width in 250 ms.
    await delay(500);
    await page.screenshot(join(pictures, `${name}.png`));
  };
  try {
    const captures = await takeCaptures(directory);
    const viewer = await startViewer(directory);
    const page = await openPage(binary);
    try {
      await look(page, viewer.url, captures, picture);
      await lookSmall(binary, viewer.url, picture);
      assert.deepEqual(page.errors, []);
      const elsewhere = page.requests.filter(
        (url) => /^(https?|wss?):/.test(url) && !url.startsWith(viewer.url),
      );
      assert.deepEqual(elsewhere, [], 'the page asked for something outside');
    } finally {
      await page.close();
      await viewer.close();
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
  console.log(
    'viewer: verdict, timeline, flame graph, difference, pending work and speedscope are there; no request left the page',
  );
}

async function look(
  page: Page,
  url: string,
  captures: readonly Capture[],
  picture: (page: Page, name: string) => Promise<void>,
): Promise<void> {
  const ready = `Number(document.body.dataset.ready) > 0`;
  await page.open(url);
  await page.waitFor('the first capture', ready);
  const stall = captures.find(({ trigger }) => trigger.rule !== 'manual');
  assert.ok(stall, 'the stall rule has fired');
  await choose(page, stall);
  await page.waitFor(
    'the flame graph',
    `document.querySelectorAll('#flame .d3-flame-graph rect').length > 3`,
  );
  const text = await page.evaluate<string>(`document.querySelector('#flame').textContent`);
  assert.match(text, /renderInvoice/);
  assert.match(
    await page.evaluate<string>(`document.querySelector('#verdict').textContent`),
    /renderInvoice/,
  );
  assert.ok(
    (await page.evaluate<number>(`document.querySelectorAll('#charts figure').length`)) >= 4,
    'charts of signals',
  );
  assert.ok(
    (await page.evaluate<number>(`document.querySelectorAll('#charts .mark').length`)) >= 1,
    'marks of rules',
  );
  await picture(page, 'capture');

  await search(page);
  await compare(page, captures, stall);
  await picture(page, 'difference');

  const deep = captures.find(({ files }) => files.some(({ kind }) => kind === 'coroutines'));
  assert.ok(deep, 'the dump of coroutines was taken');
  await choose(page, deep);
  await page.waitFor('the tree of pending work', `document.querySelectorAll('#pending details').length > 1`);
  const tree = await page.evaluate<string>(`document.querySelector('#pending').innerText`);
  assert.match(tree, /700\s*placeOrder[\s\S]*700\s*reserveStock/);
  await picture(page, 'pending');

  await clickMark(page, stall);
  const link = await page.evaluate<string>(`document.querySelector('#speedscope').href`);
  await page.open(link);
  await page.waitFor(
    'speedscope',
    `document.title.includes('pb.gz') || document.title.includes('speedscope') && document.querySelector('canvas') !== null`,
  );
  await delay(500);
  await picture(page, 'speedscope');
}

async function choose(page: Page, capture: Capture): Promise<void> {
  const stamp = new Date(capture.startMs).toISOString().replace('T', ' ').slice(0, 19);
  await page.evaluate(`delete document.body.dataset.ready;
    [...document.querySelectorAll('#captures button')].find((button) => button.textContent.includes(${JSON.stringify(stamp)}) && button.textContent.includes(${JSON.stringify(capture.trigger.rule)})).click()`);
  await page.waitFor('the capture', `Number(document.body.dataset.ready) > 0`);
}

/** A mark in the timeline of one capture leads to the capture that it stands for. */
async function clickMark(page: Page, stall: Capture): Promise<void> {
  await page.evaluate(`delete document.body.dataset.ready;
    [...document.querySelectorAll('#charts .fired')].find((mark) => mark.textContent.includes(${JSON.stringify(stall.trigger.reason)})).dispatchEvent(new Event('click'))`);
  await page.waitFor('the capture of the mark', `Number(document.body.dataset.ready) > 0`);
  assert.match(
    await page.evaluate<string>(`document.querySelector('[aria-current=true]').textContent`),
    new RegExp(stall.trigger.rule),
  );
}

/** A phone at night: dark, and nothing sticks out to the side. */
async function lookSmall(
  binary: string,
  url: string,
  picture: (page: Page, name: string) => Promise<void>,
): Promise<void> {
  const flags = ['--blink-settings=preferredColorScheme=0'];
  const page = await openPage(binary, { width: 500, height: 900 }, flags);
  try {
    await page.open(url);
    await page.waitFor('the first capture', `Number(document.body.dataset.ready) > 0`);
    const [red] = await page.evaluate<number[]>(
      `getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)`,
    );
    assert.ok((red ?? 255) < 64, 'the page is dark');
    const [needed, given] = await page.evaluate<[number, number]>(
      `[document.documentElement.scrollWidth, innerWidth]`,
    );
    assert.ok(needed <= given, `${needed} px in a window of ${given}`);
    await picture(page, 'small');
  } finally {
    await page.close();
  }
}

async function search(page: Page): Promise<void> {
  const marked = `[...document.querySelectorAll('#flame rect')].filter((rect) => rect.getAttribute('fill') === 'rgb(230, 0, 230)' || rect.getAttribute('fill') === '#E600E6').length`;
  await page.evaluate(
    `(() => { const field = document.querySelector('#search'); field.value = 'renderInvoice'; field.dispatchEvent(new Event('input')); })()`,
  );
  await page.waitFor('the marked frames', `${marked} > 0`);
  await page.evaluate(
    `(() => { const field = document.querySelector('#search'); field.value = ''; field.dispatchEvent(new Event('input')); })()`,
  );
}

async function compare(page: Page, captures: readonly Capture[], shown: Capture): Promise<void> {
  const quiet = captures.find(({ id, files }) => id !== shown.id && files.some(({ kind }) => kind === 'cpu'));
  const base = quiet?.files.find(({ kind, format }) => kind === 'cpu' && format === 'pprof')?.name;
  assert.ok(base, 'a quiet profile to compare with');
  await page.evaluate(`delete document.body.dataset.ready;
    (() => { const field = document.querySelector('#base'); field.value = ${JSON.stringify(base)}; field.dispatchEvent(new Event('change')); })()`);
  await page.waitFor('the difference', `Number(document.body.dataset.ready) > 0`);
  const colours = await page.evaluate<string[]>(
    `[...document.querySelectorAll('#flame rect')].map((rect) => rect.getAttribute('fill'))`,
  );
  const grew = colours.some(
    (colour) => /^rgb\(235, (\d+), \1\)$/.test(colour) && colour !== 'rgb(235, 235, 235)',
  );
  assert.ok(grew, `something is red: ${colours.join(' ')}`);
}

/** A quiet profile, a stall that a rule catches, and the coroutines. */
async function takeCaptures(directory: string): Promise<readonly Capture[]> {
  const monitor = { directory, service: 'shop', warmUpMs: 0, control: { listen: 'auto' } };
  const application = fork(fileURLToPath(new URL('./application.ts', import.meta.url)), {
    env: preloadEnvironment(process.env, monitor),
  });
  try {
    await once(application, 'message');
    const control = await connectSoon(application);
    await delay(4000);
    await control.capture({ kinds: ['cpu'], durationMs: 1000 });
    const fired = new Promise<void>((resolve) => {
      void control.onEvent((event) => {
        if (event.type === 'capture' && event.capture.trigger.rule !== 'manual') resolve();
      });
    });
    application.send(4000);
    await Promise.race([fired, delay(20_000).then(() => Promise.reject(new Error('no rule fired in 20 s')))]);
    await control.capture({ kinds: ['coroutines'], deep: true });
    const captures = await control.captures();
    control.close();
    return captures;
  } finally {
    application.kill();
    await once(application, 'exit');
  }
}

async function connectSoon(application: ChildProcess): Promise<RemoteControl> {
  for (let tries = 0; ; tries++) {
    const control = await RemoteControl.connect(controlSocketPath(application.pid ?? 0)).catch(
      () => undefined,
    );
    if (control !== undefined) return control;
    if (tries > 100) throw new Error('the monitor does not answer');
    await delay(50);
  }
}
