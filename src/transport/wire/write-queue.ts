import type { Socket } from 'node:net';

/** What waits above a socket: views in order, passed on while the socket is below its mark. Exists only while needed. */
export class WriteQueue {
  sizeBytes = 0;
  #views: Buffer[] = [];

  push(view: Buffer): void {
    this.#views.push(view);
    this.sizeBytes += view.length;
  }

  /**
   * Several views leave in one writev.
   * @param whenFlushed called once the last view has left: below the mark the socket sends no 'drain'
   * @returns whether the queue is empty now
   */
  feed(socket: Socket, highWaterBytes: number, whenFlushed: (() => void) | null): boolean {
    const views = this.#views;
    const isGathered = views.length > 1;
    let taken = 0;
    if (isGathered) socket.cork();
    while (taken < views.length && socket.writableLength < highWaterBytes) {
      const view = views[taken++] as Buffer;
      this.sizeBytes -= view.length;
      if (taken < views.length || whenFlushed === null) socket.write(view);
      else socket.write(view, whenFlushed);
    }
    if (isGathered) socket.uncork();
    this.#views = views.slice(taken);
    return taken === views.length;
  }
}
