// Measured figures, as one JSON line each, so that they can be collected.

export interface Figure {
  scenario: string;
  metric: string;
  n: number;
  p50: number;
  p95: number;
  goal: string;
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? NaN;
}

/** Prints how something went over time, where figures are collected (LANDLINE_FIGURES is set). */
export function trace(scenario: string, samples: readonly object[]): void {
  if (process.env['LANDLINE_FIGURES']) console.log(JSON.stringify({ scenario, trace: samples }));
}

/** Prints the median and the 95th percentile in ms, and returns them. */
export function figure(scenario: string, metric: string, values: readonly number[], goal: string): Figure {
  const round = (ms: number) => Math.round(ms * 10) / 10;
  const result = { scenario, metric, n: values.length, p50: round(percentile(values, 0.5)), p95: round(percentile(values, 0.95)), goal };
  console.log(JSON.stringify(result));
  return result;
}
