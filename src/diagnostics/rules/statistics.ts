/** Mean and population standard deviation; zeros for an empty list. */
export function meanAndDeviation(values: readonly number[]): { mean: number; deviation: number } {
  if (values.length === 0) return { mean: 0, deviation: 0 };
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return { mean, deviation: Math.sqrt(variance) };
}

/** Least squares over equally spaced values: rise per step and correlation (-1 to 1; 0 for a flat line). */
export function linearTrend(values: readonly number[]): { slope: number; correlation: number } {
  const count = values.length;
  if (count < 2) return { slope: 0, correlation: 0 };
  const middle = (count - 1) / 2;
  const { mean } = meanAndDeviation(values);
  let both = 0;
  let squareX = 0;
  let squareY = 0;
  values.forEach((value, index) => {
    both += (index - middle) * (value - mean);
    squareX += (index - middle) ** 2;
    squareY += (value - mean) ** 2;
  });
  const correlation = squareY === 0 ? 0 : both / Math.sqrt(squareX * squareY);
  return { slope: both / squareX, correlation };
}
