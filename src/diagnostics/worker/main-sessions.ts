import { connectToMain, type MainSession } from './main-session.ts';

/** Every session to the application's thread that is open, so that all can be ended at once when it exits. */
export class MainSessions {
  readonly #open = new Set<MainSession>();

  connect(): MainSession {
    const session = connectToMain();
    const { disconnect } = session;
    const tracked: MainSession = {
      ...session,
      disconnect: () => {
        this.#open.delete(tracked);
        disconnect();
      },
    };
    this.#open.add(tracked);
    return tracked;
  }

  disconnectAll(): void {
    for (const session of this.#open) session.disconnect();
  }
}
