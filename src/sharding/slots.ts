/**
 * Ringsteady (Ross, "Reinventing Backend Subsetting", ACM Queue 2022): servers stand at van der Corput positions of
 * their slot numbers, clients at positions of their own; a client takes the next N servers. Perfect balance and the
 * least churn as long as both sides keep stable small numbers (an ordinal of a StatefulSet, the lowest free slot).
 */

/** The van der Corput sequence in base 2: the bits of `index` mirrored behind the point. In [0, 1). */
export function vanDerCorput(index: number): number {
  let bits = index >>> 0;
  bits = ((bits & 0x55555555) << 1) | ((bits >>> 1) & 0x55555555);
  bits = ((bits & 0x33333333) << 2) | ((bits >>> 2) & 0x33333333);
  bits = ((bits & 0x0f0f0f0f) << 4) | ((bits >>> 4) & 0x0f0f0f0f);
  bits = ((bits & 0x00ff00ff) << 8) | ((bits >>> 8) & 0x00ff00ff);
  bits = (bits << 16) | (bits >>> 16);
  return (bits >>> 0) / 4294967296;
}

/** Where the client with that number stands: multiples of the golden ratio, as far apart as possible. In [0, 1). */
export function clientPosition(index: number): number {
  return (index * 0.6180339887498949) % 1;
}

/** How far a server lies after a client on the circle of length 1. */
export function circleDistance(client: number, server: number): number {
  const distance = server - client;
  return distance < 0 ? distance + 1 : distance;
}
