/** What a run tells (docs/reference/chorus.md), as the API's document types it. */
import type { components } from "@/api/schema";

type Schemas = components["schemas"];
export type RunDetail = Schemas["RunDetail"];
export type RunView = Schemas["RunView"];
export type RunEvent = RunDetail["events"][number];
export type PriorView = Schemas["PriorView"];
export type AnswerCitation = Schemas["AnswerCitation"];
export type StepOutput = Schemas["StepFinished"]["output"];
export type StepName = Schemas["Step"];
export type RunFinished = Schemas["RunFinished"];

export const STEPS = ["action", "experience", "intention", "observation", "update", "yield"] as const;

const ENDINGS = new Set(["run_finished", "run_failed", "run_cancelled"]);

export function isEnding(event: RunEvent): boolean {
  return ENDINGS.has(event.type);
}
