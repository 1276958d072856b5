/** The two ways a request fails: the node refuses it and says why, or no answer comes. */
import type { components } from "./schema";

export type ErrorBody = components["schemas"]["ErrorBody"];
export type ErrorName = ErrorBody["name"];

/** The node's refusal. `message` is a sentence for people. */
export class Refused extends Error {
  override name = "Refused";
  readonly code: number;
  readonly errorName: ErrorName;
  readonly field: string | undefined;
  readonly retryAfterSeconds: number | undefined;

  constructor(
    body: ErrorBody,
    readonly status: number,
  ) {
    super(body.message);
    this.code = body.code;
    this.errorName = body.name;
    this.field = body.field ?? undefined;
    this.retryAfterSeconds = body.retry_after ?? undefined;
  }
}

/** No answer: the network or the node is gone. Whether the node got the request is not known. */
export class Unreachable extends Error {
  override name = "Unreachable";

  constructor(options?: ErrorOptions) {
    super("The node does not answer. Check that it runs and that you are connected.", options);
  }
}

export function isRefusal(error: unknown, ...names: ErrorName[]): error is Refused {
  return error instanceof Refused && names.includes(error.errorName);
}

/** A part of the app itself did not come: the line broke, or the node has another version by now. */
export function isMissingPart(error: unknown): boolean {
  return error instanceof Error && /dynamically imported module|module script failed|preload CSS/i.test(error.message);
}

/** One sentence about any error. */
export function explain(error: unknown): string {
  if (isMissingPart(error)) return "A part of the app did not come from the node. Check that you are connected.";
  return error instanceof Error ? error.message : String(error);
}
