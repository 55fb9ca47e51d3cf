/** Places for the lines of an axis: 1, 2 or 5 times a power of ten, from 0 up to the first that is not below `top`. */
export function ticks(top: number, atMost: number): number[] {
  if (!(top > 0) || !Number.isFinite(top)) return [0, 1];
  const rough = top / atMost;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map(factor => factor * power).find(size => size >= rough) ?? 10 * power;
  const count = Math.ceil(top / step - 1e-9);
  return Array.from({ length: count + 1 }, (_, i) => Number((i * step).toPrecision(12)));
}

/** A number for an axis or a legend, with three digits that matter. */
export function figure(value: number): string {
  if (value === 0) return '0';
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return Number(value.toFixed(Math.min(digits, 6))).toLocaleString('en-US', { maximumFractionDigits: 6 });
}

/** A moment on a time axis: `90 s`, `2.5 min`, `3 h`. */
export function moment(seconds: number, topSeconds: number): string {
  if (topSeconds <= 180) return `${figure(seconds)} s`;
  if (topSeconds <= 2 * 3600) return `${figure(seconds / 60)} min`;
  return `${figure(seconds / 3600)} h`;
}

/** Lines of a time axis, on whole seconds, minutes or hours. */
export function timeTicks(topSeconds: number, atMost: number): number[] {
  const unit = topSeconds <= 180 ? 1 : topSeconds <= 2 * 3600 ? 60 : 3600;
  return ticks(topSeconds / unit, atMost)
    .map(value => value * unit)
    .filter(value => value <= topSeconds);
}
