/** How long a loop runs: HEDDLE_SOAK_SECONDS, else `byDefault`. */
export function soakSeconds(byDefault: number): number {
  const given = Number(process.env['HEDDLE_SOAK_SECONDS'] ?? byDefault);
  if (!(given > 0))
    throw new Error(`HEDDLE_SOAK_SECONDS=${process.env['HEDDLE_SOAK_SECONDS']} is no number of seconds`);
  return given;
}
