/** Small things kept in this browser, by account. A browser that keeps nothing still works: it forgets. */

export function readKept<T>(key: string, fallback: T): T {
  try {
    const text = localStorage.getItem(key);
    return text === null ? fallback : (JSON.parse(text) as T);
  } catch {
    // Kept by something else, or not to be read: as if it were not there.
    return fallback;
  }
}

/** Whether it could be kept. */
export function keep(key: string, value: unknown): boolean {
  try {
    localStorage.setItem(key, JSON.stringify(value));
    return true;
  } catch {
    return false;
  }
}
