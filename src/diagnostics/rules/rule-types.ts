/** The rules as data: what a rules file holds, what travels to the worker, what `status` shows. */
interface RuleCommon {
  /** Unique among the rules. */
  readonly name: string;
  readonly enabled: boolean;
  /** Profile kinds to take when it fires. */
  readonly capture: readonly string[];
  /** How long sampling kinds sample. */
  readonly durationMs: number;
  /** Kinds that start observing while the rule is only half-way to firing, so that evidence is there when it fires. */
  readonly prepare: readonly string[];
  /** No second capture sooner, counted from the end of the last. */
  readonly cooldownMs: number;
  readonly maxPerHour: number;
  /** Within an hour only a value twice as large as the largest captured one fires again. */
  readonly twiceTheLast: boolean;
  /** False for rules whose evidence cannot wait for the end of the warm-up. */
  readonly warmUp: boolean;
}

export interface Condition {
  readonly signal: string;
  /** Holds at or above. */
  readonly above?: number;
  /** Holds at or below. */
  readonly below?: number;
}

/** All conditions hold in every sample of the window. */
export interface HoldRule extends RuleCommon {
  readonly type: 'hold';
  readonly when: readonly Condition[];
  readonly forMs: number;
}

/** A signal stands `sigma` deviations above the time before, and above its floor, for the whole window. */
export interface DeviationRule extends RuleCommon {
  readonly type: 'deviation';
  readonly signal: string;
  readonly sigma: number;
  /** Below this nothing fires, however quiet it was before. */
  readonly floor: number;
  readonly overMs: number;
  readonly forMs: number;
  /** Further conditions that hold in the window. */
  readonly when: readonly Condition[];
}

/** The event loop does not turn. Looked at ten times a second. */
export interface StallRule extends RuleCommon {
  readonly type: 'stall';
  readonly aboveMs: number;
}

/** A signal rises without pause over the window. */
export interface SlopeRule extends RuleCommon {
  readonly type: 'slope';
  readonly signal: string;
  readonly windowMs: number;
  /** Rise over the window. */
  readonly minGrowth: number;
  /** Rise over the value at its start: 0.2 is 20 %. */
  readonly minGrowthRatio: number;
  /**
   * `gc` forces a collection when the slope is seen and a second one `confirmMs` later: only what survives both
   * and keeps rising between them fires. Garbage looks like a leak until it is collected.
   */
  readonly confirm: 'none' | 'gc';
  readonly confirmMs: number;
}

/** The heap is about to end: above `above` percent of the old space, or `projectedMs` from its end at the present rise. */
export interface NearLimitRule extends RuleCommon {
  readonly type: 'nearLimit';
  readonly signal: string;
  readonly above: number;
  /** From here on the rise is projected. */
  readonly from: number;
  readonly projectedMs: number;
  /** The application waits so long at most until the evidence is on disk: 0 lets it run on, and perhaps die first. */
  readonly holdMs: number;
}

export type Rule = HoldRule | DeviationRule | StallRule | SlopeRule | NearLimitRule;
