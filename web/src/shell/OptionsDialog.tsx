import { getDefaultZIndex, Modal } from "@mantine/core";
import { Search } from "lucide-react";
import { type KeyboardEvent, useId, useLayoutEffect, useState } from "react";
import { type Option, type OptionGroup, OptionList, optionId } from "./OptionList";
import classes from "./OptionsDialog.module.css";
import { indexOf, moved, type Selection } from "./selection";
import { type Step, stepsOf, written } from "./typeAhead";

interface Props {
  label: string;
  placeholder: string;
  typed: string;
  onType: (typed: string) => void;
  groups: readonly OptionGroup[];
  /** What was typed before the field had the focus. */
  takeEarlyKeys: () => readonly string[];
  onClose: () => void;
}

/** A field over a list: what is typed narrows the list, Enter takes what is selected. */
export function OptionsDialog({ label, placeholder, typed, onType, groups, takeEarlyKeys, onClose }: Props) {
  const id = useId();
  const [selection, setSelection] = useState<Selection>();
  const options = groups.flatMap((group) => group.options);
  const ids = options.map((option) => option.id);
  const index = indexOf(selection, ids);
  const selectedId = ids[index];

  const type = (text: string): void => {
    setSelection(undefined);
    onType(text);
  };
  const take = (option: Option | undefined): void => {
    if (option === undefined) return;
    onClose();
    option.run();
  };
  const hearEarlyKeys = useEarlySteps(({ is, keys }) => {
    if (is === "written") type(written(typed, keys));
    else if (is === "moving") setSelection(keys.reduce((now, key) => moved(now, ids, key) ?? now, selection));
    else take(options[index]);
  });
  const press = (event: KeyboardEvent): void => {
    // Enter and the arrows choose among an input method's words first. Safari ends composing before it tells of the key.
    if (event.nativeEvent.isComposing || event.keyCode === 229) return;
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    const next = moved(selection, ids, event.key);
    if (next !== undefined) setSelection(next);
    else if (event.key === "Enter") take(options[index]);
    else return;
    event.preventDefault();
  };

  return (
    <Modal.Root
      opened
      onClose={onClose}
      size={600}
      yOffset={80}
      zIndex={getDefaultZIndex("max")}
      // The focus waits for nothing, and goes back by `onClose`.
      transitionProps={{ duration: 0 }}
      returnFocus={false}
      classNames={{ overlay: classes.overlay, content: classes.dialog }}
    >
      <Modal.Overlay backgroundOpacity={0.35} blur={7} />
      <Modal.Content aria-label={label}>
        <div className={classes.field}>
          <Search size={18} aria-hidden />
          <input
            ref={focus}
            data-autofocus
            className={classes.input}
            role="combobox"
            aria-label={label}
            aria-expanded={options.length > 0}
            aria-controls={`${id}-list`}
            aria-autocomplete="list"
            aria-activedescendant={selectedId === undefined ? undefined : optionId(id, selectedId)}
            placeholder={placeholder}
            dir="auto"
            autoComplete="off"
            autoCapitalize="off"
            spellCheck={false}
            enterKeyHint="go"
            value={typed}
            onFocus={() => hearEarlyKeys(takeEarlyKeys())}
            onChange={(event) => type(event.currentTarget.value)}
            onKeyDown={press}
          />
        </div>
        <OptionList
          id={id}
          label={label}
          groups={groups}
          selectedId={selectedId}
          onSelect={(optionId) => setSelection({ id: optionId, index: ids.indexOf(optionId) })}
          onTake={take}
        />
      </Modal.Content>
    </Modal.Root>
  );
}

/** Steps taken one after the other, each when what the one before has changed is there. */
function useEarlySteps(take: (step: Step) => void): (keys: readonly string[]) => void {
  const [steps, setSteps] = useState<readonly Step[]>([]);
  const [step] = steps;
  useLayoutEffect(() => {
    if (step === undefined) return;
    setSteps((now) => now.slice(1));
    take(step);
  }, [step, take]);
  return (keys) => setSteps(stepsOf(keys));
}

function focus(field: HTMLInputElement | null): void {
  field?.focus({ preventScroll: true });
}
