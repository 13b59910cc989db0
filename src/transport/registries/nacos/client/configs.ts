import { createHash } from 'node:crypto';
import { Backoff } from '../../../../core/base/backoff.ts';
import type { Timer } from '../../../../core/base/clock.ts';
import { messageOf } from '../../../../core/base/errors.ts';
import type { RegistryContext } from '../../../../core/contract/registry.ts';
import {
  type ConfigChangesResponse,
  type ConfigQueryResponse,
  NacosCode,
  NacosError,
  type ServerRequest,
} from '../wire/messages.ts';
import type { NacosSession } from './session.ts';

export interface ConfigWatcher {
  /** "" = there is none. */
  onText(text: string): void;
  onTrouble(reason: string): void;
}

interface Watched {
  readonly dataId: string;
  readonly group: string;
  readonly watchers: Set<ConfigWatcher>;
  readonly backoff: Backoff;
  /** Null: not known yet. */
  text: string | null;
  retry: Timer | null;
  isAsking: boolean;
  isStale: boolean;
}

const retry = { baseMs: 1000, maxMs: 30_000 };
/** Others may write the same text at the same time; Dubbo tries as often. */
const maxAttempts = 10;
const settleMs = 50;
/** Looks in a row at a text that is another one each time. */
const maxLooks = 5;
const maxTextLength = 16 * 1024 * 1024;
const headers = { charset: 'UTF-8', exConfigInfo: 'true', 'Client-AppName': 'heddle' };

/** Texts of the configuration centre by data id and group, watched without polling. */
export class Configs {
  readonly #session: NacosSession;
  readonly #tenant: string;
  readonly #context: Pick<RegistryContext, 'clock' | 'random'>;
  readonly #watched = new Map<string, Watched>();
  readonly #stop: () => void;

  /** @param tenant namespace; "" = public */
  constructor(session: NacosSession, tenant: string, context: Pick<RegistryContext, 'clock' | 'random'>) {
    this.#session = session;
    this.#tenant = tenant;
    this.#context = context;
    this.#stop = session.listen({
      onConnected: () => {
        for (const each of this.#watched.values()) this.#look(each);
      },
      onDisconnected: (reason) => {
        for (const { watchers } of this.#watched.values())
          for (const each of watchers) each.onTrouble(reason);
      },
      onPush: (type, request) => this.#push(type, request),
    });
  }

  /** Null: there is none. */
  async read(dataId: string, group: string): Promise<string | null> {
    return (await this.#query(dataId, group))?.text ?? null;
  }

  async write(dataId: string, group: string, content: string, casMd5?: string): Promise<void> {
    const body = { dataId, group, tenant: this.#tenant, content, additionMap: {}, module: 'config' };
    await this.#session.request(
      'ConfigPublishRequest',
      casMd5 === undefined ? body : { ...body, casMd5 },
      headers,
    );
  }

  /** Changes a text as often as it takes, if others change it too. @param change null: nothing to do */
  async edit(dataId: string, group: string, change: (text: string) => string | null): Promise<void> {
    for (let attempt = 1; attempt <= maxAttempts; attempt++) {
      const found = await this.#query(dataId, group);
      const text = change(found?.text ?? '');
      if (text === null) return;
      try {
        await this.write(dataId, group, text, found?.md5);
      } catch (thrown) {
        // Somebody was faster; any other refusal stays one at the last attempt.
        const mayTryAgain = thrown instanceof NacosError && thrown.errorCode !== NacosCode.noRight;
        if (!mayTryAgain || attempt === maxAttempts) throw thrown;
      }
      // The first text of all goes without comparison: a look tells whether it is there. Servers show a text a moment
      // after they took it.
      await this.#pause(settleMs * attempt);
    }
    throw new Error(`${dataId} of ${group} changes all the time`);
  }

  /** Calls back on later turns. */
  watch(dataId: string, group: string, watcher: ConfigWatcher): () => void {
    const key = `${group}\n${dataId}`;
    let watched = this.#watched.get(key);
    if (watched === undefined) {
      const backoff = new Backoff(retry, this.#context.random);
      watched = {
        ...{ dataId, group, watchers: new Set<ConfigWatcher>(), backoff },
        ...{ text: null, retry: null, isAsking: false, isStale: false },
      };
      this.#watched.set(key, watched);
      this.#look(watched);
    }
    const joined = watched;
    joined.watchers.add(watcher);
    if (joined.text !== null) {
      queueMicrotask(() => {
        if (joined.watchers.has(watcher) && joined.text !== null) watcher.onText(joined.text);
      });
    }
    return () => {
      joined.watchers.delete(watcher);
      if (joined.watchers.size > 0 || this.#watched.get(key) !== joined) return;
      this.#watched.delete(key);
      joined.retry?.cancel();
      void this.#listen(joined, false).catch(() => {});
    };
  }

  stop(): void {
    this.#stop();
    for (const each of this.#watched.values()) each.retry?.cancel();
    this.#watched.clear();
  }

  #pause(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#context.clock.setTimer(ms, resolve);
    return promise;
  }

  /** One look at a time; what changes during one asks for another. */
  #look(watched: Watched): void {
    watched.isStale = true;
    watched.retry?.cancel();
    if (watched.isAsking || !this.#session.isConnected) return;
    watched.isAsking = true;
    void this.#lookNow(watched).finally(() => {
      watched.isAsking = false;
      if (watched.isStale && watched.retry === null) this.#look(watched);
    });
  }

  async #lookNow(watched: Watched): Promise<void> {
    watched.retry = null;
    try {
      for (let looks = 0; watched.isStale; looks++) {
        if (looks === maxLooks) throw new Error(`${watched.dataId} of ${watched.group} changes all the time`);
        watched.isStale = false;
        // First the text, then to listen with what was found: a change in between is told at once.
        const found = await this.#query(watched.dataId, watched.group);
        this.#take(watched, found?.text ?? '');
        const { changedConfigs = [] } = await this.#listen(watched, true);
        if (changedConfigs.length > 0) watched.isStale = true;
      }
      watched.backoff.reset();
    } catch (thrown) {
      for (const each of watched.watchers) each.onTrouble(messageOf(thrown));
      if (watched.watchers.size === 0) return;
      watched.isStale = false;
      watched.retry = this.#context.clock.setTimer(watched.backoff.nextMs(), () => this.#look(watched));
    }
  }

  #take(watched: Watched, text: string): void {
    watched.text = text;
    for (const each of [...watched.watchers]) each.onText(text);
  }

  #listen({ dataId, group, text }: Watched, isWanted: boolean): Promise<ConfigChangesResponse> {
    const md5 = text === null || text === '' ? '' : md5Of(text);
    const contexts = [{ dataId, group, tenant: this.#tenant, md5 }];
    const body = { listen: isWanted, configListenContexts: contexts, module: 'config' };
    return this.#session.request<ConfigChangesResponse>('ConfigBatchListenRequest', body, headers);
  }

  async #query(dataId: string, group: string): Promise<{ text: string; md5: string } | null> {
    try {
      const body = { dataId, group, tenant: this.#tenant, module: 'config' };
      const found = await this.#session.request<ConfigQueryResponse>('ConfigQueryRequest', body, headers);
      const text = found.content ?? '';
      if (text.length > maxTextLength) throw new Error(`${dataId} of ${group} has ${text.length} characters`);
      return { text, md5: found.md5 ?? md5Of(text) };
    } catch (thrown) {
      if (thrown instanceof NacosError && thrown.errorCode === NacosCode.notFound) return null;
      throw thrown;
    }
  }

  #push(type: string, { dataId = '', group = '' }: ServerRequest): boolean {
    if (type !== 'ConfigChangeNotifyRequest') return false;
    const watched = this.#watched.get(`${group}\n${dataId}`);
    if (watched !== undefined) this.#look(watched);
    return true;
  }
}

const md5Of = (text: string): string => createHash('md5').update(text, 'utf8').digest('hex');
