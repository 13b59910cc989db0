import { performance } from 'node:perf_hooks';
import type { SharedState } from '../shared-state.ts';
import { readSchedule } from './proc.ts';
import type { TextSource } from './read-text.ts';

/** What a stall looks like right now. */
export interface StallView {
  readonly stallMs: number;
  /** When the heartbeat was due. */
  readonly startMs: number;
  /** CPU of the main thread over the stall, 0 to 1: near 0 it sleeps in a system call; NaN where nobody tells. */
  readonly cpuShare: number;
}

const calm: StallView = { stallMs: 0, startMs: 0, cpuShare: Number.NaN };
/** This thread itself did not run when it looks so much later than it wanted. */
const frozenAfterMs = 200;
/** Nobody burns so much by chance. */
const longCpuMs = 300;

export interface StallTiming {
  /** Time between two looks while all is well. */
  readonly pollMs: number;
  /** A beat is overdue when it is so late. */
  readonly graceMs: number;
}

/**
 * How long the application's loop has not turned. Not counted: the time the main thread waited for a core (a busy
 * machine is not the application's fault), and the time for which this thread did not run either (the process was
 * stopped, or the machine slept).
 */
export class StallWatch {
  readonly #state: SharedState;
  readonly #source: TextSource;
  readonly #pid: number;
  readonly #timing: StallTiming;
  #beatMs = -1;
  #waitAtBeatMs = 0;
  #cpuAtBeatMs = 0;
  #lastPollMs = 0;
  #frozenMs = 0;
  #stall: StallView = calm;

  constructor(state: SharedState, source: TextSource, pid: number, timing: StallTiming) {
    this.#state = state;
    this.#source = source;
    this.#pid = pid;
    this.#timing = timing;
  }

  /** Call every `pollMs`. */
  poll(nowMs: number = performance.timeOrigin + performance.now()): StallView {
    const beatMs = this.#state.get('heartbeatMs');
    const sinceLast = this.#lastPollMs === 0 ? 0 : nowMs - this.#lastPollMs;
    this.#lastPollMs = nowMs;
    const overdueMs = nowMs - this.#state.get('dueMs');
    const { pollMs } = this.#timing;
    const frozenMs = sinceLast > pollMs + frozenAfterMs ? sinceLast - pollMs : 0;
    if (beatMs !== this.#beatMs) {
      this.#beatMs = beatMs;
      // The beat may have come just before this thread was stopped too; only what is after it counts.
      this.#frozenMs = Math.min(frozenMs, Math.max(0, nowMs - beatMs));
      this.#mark();
    } else {
      this.#frozenMs += frozenMs;
    }
    if (overdueMs < this.#timing.graceMs) {
      this.#stall = calm;
      return this.#stall;
    }
    const schedule = readSchedule(this.#source, this.#pid, this.#pid);
    const waitedMs = schedule === undefined ? 0 : schedule.waitMs - this.#waitAtBeatMs;
    // This thread may see a beat late; what the main thread noted itself is exact.
    const cpuAtBeatMs = this.#state.get('mainCpuMs') || this.#cpuAtBeatMs;
    const cpuMs = schedule === undefined ? Number.NaN : schedule.cpuMs - cpuAtBeatMs;
    const lateMs = Math.max(0, overdueMs - this.#frozenMs);
    // On a machine with far too few cores a long computation still is one: its waiting then counts half.
    const forgivenMs = cpuMs >= longCpuMs ? waitedMs / 2 : waitedMs;
    const ranMs = Math.max(1, lateMs - waitedMs);
    this.#stall = {
      stallMs: Math.max(0, lateMs - forgivenMs),
      cpuShare: Math.min(1, cpuMs / ranMs),
      startMs: this.#state.get('dueMs'),
    };
    return this.#stall;
  }

  #mark(): void {
    const schedule = readSchedule(this.#source, this.#pid, this.#pid);
    this.#waitAtBeatMs = schedule?.waitMs ?? 0;
    this.#cpuAtBeatMs = schedule?.cpuMs ?? 0;
  }
}
