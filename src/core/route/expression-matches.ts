import type { ASTNode, ParseResult } from '@marcbachmann/cel-js';
import { HeddleError } from '../base/errors.ts';

const theirs = 'matches';
const ours = 'linearMatches';

/**
 * The expression with every call of `matches` replaced by one that runs on the linear-time engine: JavaScript's own can
 * be made to hang, and the package does not let `matches` be replaced.
 * @throws HeddleError ERR_EXPRESSION_INVALID
 */
export function withLinearMatches(source: string, parse: (source: string) => ParseResult): string {
  let linear = source;
  const calls = callsOf(theirs, parse(source).ast).map((call) => endOf(receiverOf(call)));
  for (const from of calls.sort((a, b) => b - a)) {
    const at = linear.indexOf(theirs, from);
    linear = linear.slice(0, at) + ours + linear.slice(at + theirs.length);
  }
  if (callsOf(theirs, parse(linear).ast).length > 0) {
    throw new HeddleError('ERR_EXPRESSION_INVALID', `${source}: matches() cannot be read here`, {
      context: { reason: 'matches() cannot be read here' },
    });
  }
  return linear;
}

/**
 * Patterns that the expression matches against, so that they are compiled once.
 * @throws HeddleError ERR_EXPRESSION_INVALID for a pattern that is made per request
 */
export function literalPatterns(ast: ASTNode): string[] {
  return callsOf(ours, ast).map((call) => {
    const pattern = (call.args as [string, ASTNode, ASTNode[]])[2][0];
    if (pattern?.op === 'value' && typeof pattern.args === 'string') return pattern.args;
    const reason = 'the pattern of matches() is a text that stands there';
    throw new HeddleError('ERR_EXPRESSION_INVALID', reason, { context: { reason } });
  });
}

const receiverOf = (call: ASTNode): ASTNode => (call.args as [string, ASTNode, ASTNode[]])[1];
const endOf = (node: ASTNode): number => node.range.end;

/** Method calls of that name, anywhere in the tree. */
function callsOf(name: string, node: ASTNode): ASTNode[] {
  const found: ASTNode[] = [];
  const visit = (part: unknown): void => {
    if (Array.isArray(part)) part.forEach(visit);
    else if (typeof part === 'object' && part !== null && 'op' in part) {
      const each = part as ASTNode;
      if (each.op === 'rcall' && each.args[0] === name) found.push(each);
      visit(each.args);
    }
  };
  visit(node);
  return found;
}
