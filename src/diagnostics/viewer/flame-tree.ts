import { diffProfiles, displayName, pathOf } from '../pprof/index.ts';
import type { Profile } from '../profile-model.ts';

/** A node as d3-flame-graph reads it; `value` includes the children. */
export interface FlameNode {
  readonly name: string;
  /** `file:line`, '' where there is none. */
  readonly place: string;
  value: number;
  /** Difference to the base, children included. */
  delta?: number;
  children: FlameNode[];
}

/** Nodes below this share of the whole are left out: nobody sees them, and a browser draws the rest at once. */
const leastRatio = 0.0005;

/** The call tree of one sample type; functions called from the same place are one node, whatever line ran. */
export function flameTree(profile: Profile, sampleType: number = profile.defaultSampleType): FlameNode {
  const root = fullTree(profile, sampleType);
  return prune(root, Math.abs(root.value) * leastRatio);
}

function fullTree(profile: Profile, sampleType: number): FlameNode {
  const root = emptyNode('all', '');
  const nodes: FlameNode[] = [root];
  const { parents, frames } = profile.tree;
  const children = new Map<FlameNode, Map<string, FlameNode>>([[root, new Map()]]);
  for (let node = 1; node < parents.length; node++) {
    const parent = nodes[parents[node] as number] as FlameNode;
    const frame = profile.frames[frames[node] as number];
    const name = frame === undefined ? '?' : displayName(frame);
    const place = frame === undefined || frame.url === '' ? '' : `${pathOf(frame.url)}:${frame.line}`;
    const key = `${name}\0${place}`;
    const siblings = children.get(parent) as Map<string, FlameNode>;
    const known = siblings.get(key);
    if (known === undefined) {
      const made = emptyNode(name, place);
      siblings.set(key, made);
      children.set(made, new Map());
      parent.children.push(made);
      nodes.push(made);
    } else nodes.push(known);
  }
  for (const { node, values } of profile.samples) {
    const value = values[sampleType] ?? 0;
    for (let at = node; at > 0; at = parents[at] as number) (nodes[at] as FlameNode).value += value;
    root.value += value;
  }
  return root;
}

/** The tree of `profile` with, at each node, how much it changed against `base` (scaled as `diffProfiles` does). */
export function differentialTree(base: Profile, profile: Profile): FlameNode {
  // Nothing is pruned from the difference: what grew and what shrank below one node may add up to nothing.
  const changed = diffProfiles(base, profile);
  const difference = fullTree(changed, changed.defaultSampleType);
  const tree = flameTree(profile);
  addDelta(tree, difference);
  return tree;
}

function addDelta(node: FlameNode, difference: FlameNode | undefined): void {
  node.delta = difference?.value ?? 0;
  for (const child of node.children) {
    addDelta(
      child,
      difference?.children.find(({ name, place }) => name === child.name && place === child.place),
    );
  }
}

function emptyNode(name: string, place: string): FlameNode {
  return { name, place, value: 0, children: [] };
}

/** Without recursion: stacks of an application are as deep as its recursion. */
function prune(root: FlameNode, least: number): FlameNode {
  const open = [root];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    node.children = node.children.filter(({ value }) => Math.abs(value) > least);
    open.push(...node.children);
  }
  return root;
}
