/** Answers that `src/early.ts` asked for before this code had come. */

declare global {
  /** By address, each to be taken once. Missing where the script that asks did not run. */
  var choirEarly: Map<string, Promise<Response>> | undefined;
}

/** The answer that was asked for early; undefined where none was, or it was taken. */
export function takeEarly(url: string): Promise<Response> | undefined {
  const answer = globalThis.choirEarly?.get(url);
  globalThis.choirEarly?.delete(url);
  return answer;
}
