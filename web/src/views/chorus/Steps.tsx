import { SegmentedControl, Tabs } from "@mantine/core";
import { useState } from "react";
import { STEPS, type StepName } from "@/chorus/events";
import { isOver, type RoundState, type RunState, type StepState } from "@/chorus/run";
import { BottomSheet } from "@/ui/BottomSheet";
import { useSwipe } from "@/ui/swipe";
import { useIsPhone } from "@/ui/usePhone";
import { progressOf } from "./Answer";
import { StepPanel } from "./StepPanel";
import classes from "./Steps.module.css";
import { STEP_FACES } from "./steps";

/** How the answer comes about: the six steps as tabs, beside the answer, or on a phone in a sheet over it. */
export function Steps({ state }: { state: RunState }) {
  const isPhone = useIsPhone();
  if (isPhone) {
    return (
      <BottomSheet label="Steps" summary={isOver(state) ? headingOf(state) : progressOf(state)}>
        <StepTabs state={state} />
      </BottomSheet>
    );
  }
  return (
    <aside className={classes.aside} aria-label="Steps">
      <h2 className={classes.heading}>{headingOf(state)}</h2>
      <StepTabs state={state} />
    </aside>
  );
}

function headingOf(state: RunState): string {
  if (!isOver(state)) return "How the answer comes about";
  return state.ending === undefined ? "How far it came" : "How the answer came about";
}

function StepTabs({ state }: { state: RunState }) {
  const [chosen, setChosen] = useState<StepName>();
  const [chosenRound, setChosenRound] = useState<number>();
  const round = state.rounds.find(({ number }) => number === chosenRound) ?? state.rounds.at(-1);
  // Whoever chose none sees the step under way, and at the end what was found.
  const last = STEPS.findLast((name) => round?.steps[name] !== undefined) ?? "action";
  const current = state.step ?? (state.ending === undefined ? last : "experience");
  const shown = chosen ?? current;
  const choose = (name: StepName): void => setChosen(name === state.step ? undefined : name);
  const swipe = useSwipe((by) => {
    const next = STEPS[STEPS.indexOf(shown) + by];
    if (next !== undefined) choose(next);
  });
  return (
    <div className={classes.steps}>
      {state.rounds.length > 1 && (
        <Rounds rounds={state.rounds} shown={round?.number} onChoose={(number) => setChosenRound(number)} />
      )}
      <Tabs
        value={shown}
        onChange={(name) => choose(name as StepName)}
        variant="none"
        keepMounted={false}
        activateTabWithKeyboard
      >
        <Tabs.List className={classes.list} aria-label="Steps of the run">
          {STEPS.map((name) => (
            <StepTab key={name} name={name} step={round?.steps[name]} />
          ))}
        </Tabs.List>
        <div {...swipe}>
          {STEPS.map((name) => (
            <Tabs.Panel key={name} value={name} className={classes.panel} tabIndex={0}>
              <StepPanel name={name} step={round?.steps[name]} round={round} state={state} />
            </Tabs.Panel>
          ))}
        </div>
      </Tabs>
    </div>
  );
}

function StepTab({ name, step }: { name: StepName; step: StepState | undefined }) {
  const { label, icon: Icon } = STEP_FACES[name];
  const status = step?.status ?? "waiting";
  return (
    <Tabs.Tab value={name} className={classes.tab} data-step={name} data-status={status}>
      <Icon size={17} aria-hidden />
      <span className={classes.label}>{label}</span>
      <span className="visually-hidden">, {SPOKEN[status]}</span>
    </Tabs.Tab>
  );
}

const SPOKEN = { waiting: "not begun", writing: "under way", done: "done", failed: "failed" };

interface RoundsProps {
  rounds: readonly RoundState[];
  shown: number | undefined;
  onChoose: (number: number) => void;
}

function Rounds({ rounds, shown, onChoose }: RoundsProps) {
  const last = rounds.at(-1)?.number;
  return (
    <SegmentedControl
      size="xs"
      aria-label="Round"
      className={classes.rounds}
      value={String(shown ?? last)}
      onChange={(value) => onChoose(Number(value))}
      data={rounds.map(({ number, isVoid }) => ({
        value: String(number),
        label: `Round ${number}${isVoid ? " (void)" : ""}`,
      }))}
    />
  );
}
