/** The six steps, as people are told about them. */
import { BookOpen, Eye, type LucideIcon, Quote, Repeat, Target, Zap } from "lucide-react";
import type { StepName } from "@/chorus/events";

export interface StepFace {
  label: string;
  /** What happens in it. */
  means: string;
  icon: LucideIcon;
}

export const STEP_FACES: Record<StepName, StepFace> = {
  action: { label: "Action", means: "A first answer, before anything is looked up", icon: Zap },
  experience: { label: "Experience", means: "What the network remembers about it", icon: BookOpen },
  intention: { label: "Intention", means: "What you are after, and within which limits", icon: Target },
  observation: { label: "Observation", means: "What the answer so far lacks", icon: Eye },
  update: { label: "Update", means: "What changes, and whether to begin again", icon: Repeat },
  yield: { label: "Yield", means: "The answer, with its citations", icon: Quote },
};
