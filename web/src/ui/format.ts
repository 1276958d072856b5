/** Dates, times and counts in the reader's locale. */

const relative = new Intl.RelativeTimeFormat(undefined, { numeric: "auto", style: "long" });
const compact = new Intl.NumberFormat(undefined, { notation: "compact", maximumFractionDigits: 1 });
const plain = new Intl.NumberFormat();
const percent = new Intl.NumberFormat(undefined, { style: "percent", maximumFractionDigits: 0 });
const dateTime = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const dateOnly = new Intl.DateTimeFormat(undefined, { dateStyle: "medium" });

const UNITS: readonly [Intl.RelativeTimeFormatUnit, number][] = [
  ["day", 86_400],
  ["hour", 3600],
  ["minute", 60],
];
const A_MONTH_S = 30 * 86_400;

/** "5 minutes ago", "in 3 days"; beyond a month the date. */
export function formatRelative(ms: number, nowMs = Date.now()): string {
  const seconds = (ms - nowMs) / 1000;
  if (Math.abs(seconds) > A_MONTH_S) return dateOnly.format(ms);
  for (const [unit, length] of UNITS) {
    if (Math.abs(seconds) >= length) return relative.format(Math.trunc(seconds / length), unit);
  }
  return relative.format(0, "second");
}

export function formatDateTime(ms: number): string {
  return dateTime.format(ms);
}

export function formatCount(count: number): string {
  return plain.format(count);
}

export function formatCompact(count: number): string {
  return compact.format(count);
}

export function formatShare(share: number): string {
  return percent.format(share);
}

/** "3 messages": the count in the locale's digits with its noun. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${plain.format(count)} ${count === 1 ? one : many}`;
}

export function shortAddress(address: string): string {
  return address.length <= 12 ? address : `${address.slice(0, 4)}…${address.slice(-4)}`;
}

export function shortHash(hash: string): string {
  return hash.length <= 14 ? hash : `${hash.slice(0, 8)}…${hash.slice(-4)}`;
}

/** "0.8 s", "2 min 5 s". */
export function formatDuration(ms: number): string {
  const seconds = ms / 1000;
  if (seconds < 0.1) return `< ${unitFormat("second", 1).format(0.1)}`;
  if (seconds < 60) return unitFormat("second", seconds < 10 ? 1 : 0).format(seconds);
  const whole = Math.round(seconds);
  return `${unitFormat("minute", 0).format(Math.floor(whole / 60))} ${unitFormat("second", 0).format(whole % 60)}`;
}

function unitFormat(unit: "second" | "minute", digits: number): Intl.NumberFormat {
  return new Intl.NumberFormat(undefined, { style: "unit", unit, unitDisplay: "short", maximumFractionDigits: digits });
}
