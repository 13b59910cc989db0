export { leastRequest } from './least-request.ts';
export { random } from './random.ts';
export { roundRobin } from './round-robin.ts';
export { weighted } from './weighted-round-robin.ts';
