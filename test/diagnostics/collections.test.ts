import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import test from 'ava';
import { Collections } from '../../src/diagnostics/hooks/collections.ts';
import { SharedState } from '../../src/diagnostics/shared-state.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as (options?: { type: 'minor' }) => void;

/** What was observed is told some turns later. */
async function collectAndTurn(count: number, type?: 'minor'): Promise<void> {
  for (let index = 0; index < count; index++) {
    // An argument, even undefined, means a minor collection.
    if (type === undefined) collect();
    else collect({ type });
  }
  for (let index = 0; index < 20; index++) await turn();
}

function stateWithLimit(): SharedState {
  const state = new SharedState();
  state.set('heapLimitBytes', 4e9);
  return state;
}

test.serial('a major collection is counted with its pause and the heap that it leaves', async (t) => {
  const state = stateWithLimit();
  const collections = new Collections(state, 0);
  await collectAndTurn(1);
  collections.write(1000);
  collections.stop();
  t.is(state.get('majorGcCount'), 1);
  t.true(state.get('heapAfterGcBytes') > 1e6);
  t.true(state.get('gcPauseMs') > 0);
  t.true(state.get('gcPauseMaxMs') > 0);
});

test.serial('the longest pause begins anew with each tick', async (t) => {
  const state = stateWithLimit();
  const collections = new Collections(state, 0);
  await collectAndTurn(1);
  collections.write(1000);
  collections.write(2000);
  collections.stop();
  t.is(state.get('gcPauseMaxMs'), 0);
});

test.serial(
  'many short collections are recorded in one tick of ten, and the others taken to be alike',
  async (t) => {
    const state = stateWithLimit();
    const collections = new Collections(state, 0);
    await collectAndTurn(150, 'minor');
    // Much time has passed: the share of collections is harmless.
    collections.write(1e6);
    const counted = state.get('minorGcCount');
    t.true(counted >= 150);
    await collectAndTurn(30, 'minor');
    collections.write(2e6);
    t.is(state.get('minorGcCount'), counted * 2, 'nothing is recorded while it rests');
    for (let tick = 3; tick <= 10; tick++) collections.write(tick * 1e6);
    const rested = state.get('minorGcCount');
    t.is(rested, counted * 10);
    await collectAndTurn(5, 'minor');
    t.true(state.get('minorGcCount') >= rested + 5, 'and then it records again');
    collections.stop();
  },
);

test.serial(
  'collections that take much of the time are all recorded, and so are those of a full heap',
  async (t) => {
    const state = stateWithLimit();
    const collections = new Collections(state, 0);
    await collectAndTurn(150, 'minor');
    collections.write(1);
    const counted = state.get('minorGcCount');
    await collectAndTurn(150, 'minor');
    t.true(state.get('minorGcCount') >= counted + 150);
    state.set('heapUsedBytes', 3e9);
    collections.write(1e6);
    await collectAndTurn(20, 'minor');
    t.true(state.get('minorGcCount') >= counted + 170);
    collections.stop();
  },
);
