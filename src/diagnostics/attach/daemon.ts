import { messageOf } from '../../core/base/errors.ts';
import type { MonitorEvent } from '../contract.ts';
import type { AgentOptions } from './agent.ts';
import { AgentHub } from './agent-hub.ts';
import { injectAgent } from './attach.ts';
import { listNodeProcesses, type ProcessFacts } from './process-table.ts';
import { refusalOf } from './refusal.ts';
import { RemoteControl } from './remote-control.ts';
import { controlSocketPath } from './socket-path.ts';

/** Which processes are watched; every condition given must hold. None given: all of this user's. */
export interface ProcessMatch {
  /** The script's file name without extension, exactly. */
  readonly name?: string;
  /** A part of the command line. */
  readonly commandLine?: string;
  /** Labels from the process's HEDDLE_LABELS (`team=shop,tier=web`). */
  readonly labels?: Readonly<Record<string, string>>;
}

export type WatchState =
  /** The monitor runs in it and is connected. */
  | 'watched'
  /** Being attached to, or on its way back after the daemon was restarted. */
  | 'joining'
  /** Not attached to, for the reason given. */
  | 'refused';

export interface WatchedProcess {
  readonly facts: ProcessFacts;
  readonly state: WatchState;
  readonly reason: string;
  readonly control: RemoteControl | undefined;
}

export interface DaemonOptions {
  /** Unix socket to which the agents dial. */
  readonly socketPath: string;
  /** @default [{}]: every Node.js process of this user */
  readonly match?: readonly ProcessMatch[];
  readonly monitor?: AgentOptions;
  /** How often new processes are looked for. @default 2000 */
  readonly scanIntervalMs?: number;
  readonly attachTimeoutMs?: number;
  readonly onChange?: (process: WatchedProcess, change: 'joined' | 'refused' | 'ended') => void;
  readonly onEvent?: (process: WatchedProcess, event: MonitorEvent) => void;
  /** @default the Node.js processes in /proc */
  readonly listProcesses?: () => readonly ProcessFacts[];
}

/** After a failed attach the next try waits this long, doubled each time. */
const retry = { firstMs: 5000, mostMs: 300_000 };

interface Entry {
  facts: ProcessFacts;
  state: WatchState;
  reason: string;
  control: RemoteControl | undefined;
  failures: number;
  nextTryMs: number;
}

/**
 * Watches many processes: looks for new ones in /proc, attaches to those that match (one at a time, since all open
 * their inspector on the same port) and keeps their agents on one socket. A restart is a new process: pid and start
 * time together name one.
 */
export class WatchDaemon {
  readonly #options: DaemonOptions;
  readonly #entries = new Map<string, Entry>();
  #hub: AgentHub | undefined;
  #timer: NodeJS.Timeout | undefined;
  #scanning: Promise<void> | undefined;
  #isClosed = false;

  private constructor(options: DaemonOptions) {
    this.#options = options;
  }

  static async start(options: DaemonOptions): Promise<WatchDaemon> {
    const daemon = new WatchDaemon(options);
    daemon.#hub = await AgentHub.open(options.socketPath, {
      onJoin: ({ hello, control }) => {
        const key = `${hello.pid}-${hello.startTicks}`;
        daemon.#instruct(key, control);
        daemon.#joined(key, control);
      },
      onLeave: ({ hello, control }) => {
        const key = `${hello.pid}-${hello.startTicks}`;
        if (daemon.#entries.get(key)?.control === control) daemon.#left(key);
      },
      onEvent: ({ hello }, event) => daemon.#event(`${hello.pid}-${hello.startTicks}`, event),
    });
    daemon.#timer = setInterval(() => void daemon.scan(), options.scanIntervalMs ?? 2000);
    await daemon.scan();
    return daemon;
  }

  processes(): WatchedProcess[] {
    return [...this.#entries.values()].map((entry) => ({ ...entry }));
  }

  /** Looks for new and ended processes now; one look at a time. */
  async scan(): Promise<void> {
    if (this.#isClosed) return;
    this.#scanning ??= this.#scan().finally(() => {
      this.#scanning = undefined;
    });
    await this.#scanning;
  }

  /** Closes the socket. The monitors go on where they are and dial again: the next daemon finds them. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#timer);
    await this.#scanning?.catch(() => {});
    for (const { control } of this.#entries.values()) control?.close();
    await this.#hub?.close();
  }

  async #scan(): Promise<void> {
    const list = this.#options.listProcesses ?? listNodeProcesses;
    const found = new Map(
      list()
        .filter((facts) => matchesProcess(facts, this.#options.match))
        .map((facts) => [keyOf(facts), facts]),
    );
    for (const key of this.#entries.keys()) if (!found.has(key)) this.#ended(key);
    for (const [key, facts] of found) {
      if (this.#isClosed) return;
      await this.#look(key, facts);
    }
  }

  async #look(key: string, facts: ProcessFacts): Promise<void> {
    const entry = this.#entries.get(key) ?? this.#add(key, facts);
    entry.facts = facts;
    if (entry.control !== undefined || performance.now() < entry.nextTryMs) return;
    const refusal = refusalOf(facts);
    if (refusal !== undefined) return this.#refuse(entry, refusal);
    entry.state = 'joining';
    if (await this.#useRunning(key, entry)) return;
    try {
      await injectAgent(facts, this.#agentOptions(), this.#options.attachTimeoutMs ?? 5000);
      entry.nextTryMs = performance.now() + retry.firstMs;
    } catch (thrown) {
      this.#refuse(entry, messageOf(thrown));
    }
  }

  /** A monitor of its own, or of an earlier daemon, is there already: it is used as it is. */
  async #useRunning(key: string, { facts }: Entry): Promise<boolean> {
    const control = await RemoteControl.connect(controlSocketPath(facts.pid)).catch(() => undefined);
    if (control === undefined) return false;
    control.onClose(() => {
      if (this.#entries.get(key)?.control === control) this.#left(key);
    });
    await control.onEvent((event) => this.#event(key, event));
    this.#joined(key, control);
    return true;
  }

  /** Who dials this daemon takes its rules: they may have changed since that monitor was started. */
  #instruct(key: string, control: RemoteControl): void {
    const rules = this.#options.monitor?.rules;
    if (rules === undefined) return;
    control.setRules(rules).catch((error: unknown) => {
      const message = `it keeps the rules that it has: ${messageOf(error)}`;
      this.#event(key, { type: 'problem', atMs: Date.now(), message });
    });
  }

  #agentOptions(): AgentOptions {
    return { ...this.#options.monitor, control: { dial: this.#options.socketPath, listen: 'auto' } };
  }

  #refuse(entry: Entry, reason: string): void {
    entry.nextTryMs = performance.now() + Math.min(retry.firstMs * 2 ** entry.failures, retry.mostMs);
    entry.failures++;
    const isNew = entry.reason !== reason;
    entry.state = 'refused';
    entry.reason = reason;
    if (isNew) this.#options.onChange?.({ ...entry }, 'refused');
  }

  #add(key: string, facts: ProcessFacts): Entry {
    const control = this.#hub?.find(facts.pid, facts.startTicks)?.control;
    const entry: Entry = {
      facts,
      state: control === undefined ? 'joining' : 'watched',
      reason: '',
      control,
      failures: 0,
      nextTryMs: 0,
    };
    this.#entries.set(key, entry);
    if (control !== undefined) this.#options.onChange?.({ ...entry }, 'joined');
    return entry;
  }

  #event(key: string, event: MonitorEvent): void {
    const entry = this.#entries.get(key);
    if (entry !== undefined) this.#options.onEvent?.({ ...entry }, event);
  }

  /** The same agent may come both ways: the later connection, the one it dialled, stays. */
  #joined(key: string, control: RemoteControl): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    const before = entry.control;
    entry.control = control;
    if (before !== undefined) {
      before.close();
      return;
    }
    entry.state = 'watched';
    entry.reason = '';
    entry.failures = 0;
    this.#options.onChange?.({ ...entry }, 'joined');
  }

  #left(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    entry.control = undefined;
    entry.state = 'joining';
  }

  #ended(key: string): void {
    const entry = this.#entries.get(key);
    this.#entries.delete(key);
    if (entry !== undefined) this.#options.onChange?.({ ...entry }, 'ended');
  }
}

/** Whether one of the matches holds; without any, every process is wanted. */
export function matchesProcess(facts: ProcessFacts, matches: readonly ProcessMatch[] = [{}]): boolean {
  return matches.some(
    ({ name, commandLine, labels }) =>
      (name === undefined || facts.name === name) &&
      (commandLine === undefined || facts.commandLine.join(' ').includes(commandLine)) &&
      Object.entries(labels ?? {}).every(([key, value]) => facts.labels[key] === value),
  );
}

const keyOf = ({ pid, startTicks }: ProcessFacts): string => `${pid}-${startTicks}`;
