import type { Clock, Timer } from '../../base/clock.ts';
import type { MigrationStance } from '../dubbo/migration-rule.ts';

/** What is known of one of the two lists of a service. */
export interface LevelFacts {
  /** It has been answered at least once. */
  readonly isReady: boolean;
  readonly size: number;
}

/** The list that serves; `both`: calls are shared between the two. */
export type LevelInUse = 'none' | 'application' | 'interface' | 'both';

export interface LevelAnswer {
  readonly use: LevelInUse;
  readonly wantsApplication: boolean;
  readonly wantsInterface: boolean;
}

/**
 * Which of the two lists of one service serves: Dubbo's migration rule.
 *
 *   APPLICATION_FIRST   both are read; the application level serves while it has hosts, enough of them by `threshold`
 *   FORCE_x             x is read; after `delay` it takes over if it has enough hosts or `force`, then the other is let go;
 *                       until then the one before serves
 *
 * Nothing is closed here: who asks puts one list in the place of the other, and only hosts that differ change.
 */
export class LevelChoice {
  readonly #clock: Clock;
  readonly #onDelayOver: () => void;
  #stance: MigrationStance;
  #use: LevelInUse = 'none';
  #isForced = false;
  #hasWaited = false;
  #delay: Timer | null = null;

  /** @param onDelayOver it is time to ask again */
  constructor(stance: MigrationStance, clock: Clock, onDelayOver: () => void) {
    this.#stance = stance;
    this.#clock = clock;
    this.#onDelayOver = onDelayOver;
  }

  get stance(): MigrationStance {
    return this.#stance;
  }

  /** A rule changed: delays begin anew. @returns false when it says the same */
  change(stance: MigrationStance): boolean {
    const before = this.#stance;
    const keys = Object.keys(stance) as (keyof MigrationStance)[];
    if (keys.every((key) => before[key] === stance[key])) return false;
    this.#stance = stance;
    this.#isForced = false;
    this.#hasWaited = false;
    this.#delay?.cancel();
    this.#delay = null;
    return true;
  }

  choose(application: LevelFacts, interfaces: LevelFacts): LevelAnswer {
    const { step } = this.#stance;
    if (step === 'APPLICATION_FIRST') {
      this.#use = this.#preferred(application, interfaces);
      return { use: this.#use, wantsApplication: true, wantsInterface: true };
    }
    const isToApplication = step === 'FORCE_APPLICATION';
    const target = isToApplication ? application : interfaces;
    const old = isToApplication ? interfaces : application;
    const goal = isToApplication ? 'application' : 'interface';
    this.#isForced ||= this.#mayForce(goal, target, old);
    if (this.#isForced) {
      this.#use = goal;
      return { use: goal, wantsApplication: isToApplication, wantsInterface: !isToApplication };
    }
    const keepsOld = this.#use !== 'none';
    return {
      use: this.#use,
      wantsApplication: isToApplication || keepsOld,
      wantsInterface: !isToApplication || keepsOld,
    };
  }

  close(): void {
    this.#delay?.cancel();
    this.#delay = null;
  }

  #preferred(application: LevelFacts, interfaces: LevelFacts): LevelInUse {
    const { threshold, proportion } = this.#stance;
    if (application.isReady && application.size > 0 && isEnough(application, interfaces, threshold)) {
      return proportion < 100 && interfaces.size > 0 ? 'both' : 'application';
    }
    if (interfaces.isReady && interfaces.size > 0) return 'interface';
    if (application.isReady && application.size > 0) return 'application';
    // Neither has hosts: an answer of both is an empty list, an answer of one may still be wrong.
    return application.isReady && interfaces.isReady ? 'application' : 'none';
  }

  #mayForce(goal: LevelInUse, target: LevelFacts, old: LevelFacts): boolean {
    if (!target.isReady) return false;
    // Nothing serves yet, or it serves already: there is nothing to lose.
    if (this.#use === 'none' || this.#use === goal) return true;
    if (!this.#waited()) return false;
    return this.#stance.force || (target.size > 0 && isEnough(target, old, this.#stance.threshold));
  }

  #waited(): boolean {
    if (this.#hasWaited || this.#stance.delayMs === 0) return true;
    this.#delay ??= this.#clock.setTimer(this.#stance.delayMs, () => {
      this.#delay = null;
      this.#hasWaited = true;
      this.#onDelayOver();
    });
    return false;
  }
}

function isEnough(next: LevelFacts, old: LevelFacts, threshold: number): boolean {
  return old.size === 0 || threshold < 0 || next.size / old.size >= threshold;
}
