import type { Flow, FlowOwner, FlowTable as Flows, SameHead } from '../contract/flow.ts';

const places = 1024;
/** A flow may stand in any of the four places of its set. */
const ways = 4;
const setMask = places - ways;
/** A longer head makes no flow. */
export const maxHeadBytes = 2048;
/** Heads that are new against calls that were repeated: below zero the table rests. */
const fullCredit = 1024;
const trialCredit = 512;
const restingCalls = 16_384;

/**
 * The flows of one listener: bounded (1,024 streams of 3 KiB at most). A head is kept when it
 * comes for the second time, in the place of one that did not come again meanwhile. Where heads hardly ever come again, because each names a trace, looking is given up for a
 * while.
 */
export class FlowTable implements Flows {
  readonly #release: (flow: Flow) => void;
  #pipeline: object | null = null;
  #limits: object | null = null;
  #flows: (Flow | null)[] = [];
  /** Of the flows, 0 where there is none. */
  readonly #hashes: Int32Array = new Int32Array(places);
  /** Hashes of heads that came once. */
  readonly #met: Int32Array = new Int32Array(places);
  #credit = trialCredit;
  #resting = 0;
  #viewed: Buffer | null = null;
  #view: DataView | null = null;

  /** @param release gives the stream of a forgotten flow back */
  constructor(release: (flow: Flow) => void) {
    this.#release = release;
  }

  isOpen(owner: FlowOwner): boolean {
    if (this.#pipeline !== owner.pipeline || this.#limits !== owner.limits) {
      this.clear();
      this.#pipeline = owner.pipeline;
      this.#limits = owner.limits;
    }
    if (this.#resting === 0) return true;
    this.#resting--;
    return false;
  }

  find(hash: number, view: DataView, start: number, sizeBytes: number, isSame: SameHead): Flow | null {
    const hashes = this.#hashes;
    const first = hash & setMask;
    for (let i = first; i < first + ways; i++) {
      if (hashes[i] !== hash) continue;
      const flow = this.#flows[i] as Flow;
      if (flow.sizeBytes !== sizeBytes || !isSame(flow.view, view, start, sizeBytes)) continue;
      flow.isUsed = true;
      if (this.#credit < fullCredit) this.#credit++;
      return flow;
    }
    return null;
  }

  wantsFlow(hash: number): boolean {
    const place = hash & (places - 1);
    if (this.#met[place] === hash) return true;
    this.#met[place] = hash;
    if (--this.#credit < 0) {
      this.#credit = trialCredit;
      this.#resting = restingCalls;
    }
    return false;
  }

  /** No call of this pipeline can be repeated. */
  close(): void {
    this.#resting = Number.POSITIVE_INFINITY;
  }

  viewOf(buf: Buffer): DataView {
    if (this.#viewed !== buf || this.#view === null) {
      this.#view = new DataView(buf.buffer, buf.byteOffset, buf.length);
      this.#viewed = buf;
    }
    return this.#view;
  }

  /** Ends the use of what `viewOf` gave last. */
  dropView(): void {
    this.#viewed = this.#view = null;
  }

  /** Is there room for another flow under `hash`? One that was not used since this was asked last gives way. */
  hasRoom(hash: number): boolean {
    const first = hash & setMask;
    let unused = -1;
    for (let i = first; i < first + ways; i++) {
      if (this.#hashes[i] === 0) return true;
      const flow = this.#flows[i] as Flow;
      if (!flow.isUsed) unused = i;
      flow.isUsed = false;
    }
    if (unused < 0) return false;
    this.#drop(unused);
    return true;
  }

  /** Where there is room. */
  add(flow: Flow): void {
    if (this.#flows.length === 0) this.#flows = new Array<Flow | null>(places).fill(null);
    const first = flow.hash & setMask;
    let place = first;
    while (place < first + ways - 1 && this.#hashes[place] !== 0) place++;
    this.#flows[place] = flow;
    this.#hashes[place] = flow.hash;
  }

  /** Its stream goes on by itself. */
  forget(flow: Flow): void {
    const first = flow.hash & setMask;
    for (let i = first; i < first + ways; i++) {
      if (this.#flows[i] !== flow) continue;
      this.#flows[i] = null;
      this.#hashes[i] = 0;
    }
  }

  #drop(place: number): void {
    const flow = this.#flows[place] as Flow;
    this.#flows[place] = null;
    this.#hashes[place] = 0;
    this.#release(flow);
  }

  clear(): void {
    for (let i = 0; i < this.#flows.length; i++) if (this.#hashes[i] !== 0) this.#drop(i);
    this.#flows = [];
    this.#met.fill(0);
    this.#credit = trialCredit;
    this.#resting = 0;
  }
}
