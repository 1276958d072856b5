import type { LucideIcon } from "lucide-react";
import { useLayoutEffect, useRef } from "react";
import { Keys } from "./commands";
import classes from "./OptionsDialog.module.css";

export interface Option {
  /** Unlike that of every other option in the list. */
  id: string;
  label: string;
  description?: string;
  icon: LucideIcon;
  /** The keys that do it too. */
  keys?: string;
  run: () => void;
}

export interface OptionGroup {
  label: string;
  options: readonly Option[];
}

interface Props {
  id: string;
  label: string;
  groups: readonly OptionGroup[];
  selectedId: string | undefined;
  onSelect: (id: string) => void;
  onTake: (option: Option) => void;
}

/** Options under headings, for a field that keeps the focus and hears the keys. */
export function OptionList({ id, label, groups, selectedId, onSelect, onTake }: Props) {
  const list = useRef<HTMLDivElement>(null);
  const isFirst = selectedId !== undefined && selectedId === groups[0]?.options[0]?.id;
  useLayoutEffect(() => {
    if (selectedId === undefined) return;
    // With the heading over it.
    if (isFirst) list.current?.scrollTo?.({ top: 0 });
    else document.getElementById(optionId(id, selectedId))?.scrollIntoView?.({ block: "nearest" });
  }, [id, selectedId, isFirst]);
  return (
    <div ref={list} id={`${id}-list`} role="listbox" aria-label={label} className={classes.list}>
      {groups.map((group, at) => (
        // biome-ignore lint/a11y/useSemanticElements: a list box has no fieldsets
        <div key={group.label} role="group" aria-labelledby={`${id}-group-${at}`} className={classes.group}>
          <div id={`${id}-group-${at}`} className={classes.heading}>
            {group.label}
          </div>
          {group.options.map((option) => (
            <OptionRow
              key={option.id}
              id={optionId(id, option.id)}
              option={option}
              isSelected={option.id === selectedId}
              onSelect={() => onSelect(option.id)}
              onTake={() => onTake(option)}
            />
          ))}
        </div>
      ))}
    </div>
  );
}

interface RowProps {
  id: string;
  option: Option;
  isSelected: boolean;
  onSelect: () => void;
  onTake: () => void;
}

function OptionRow({ id, option: { label, description, icon: Icon, keys }, isSelected, onSelect, onTake }: RowProps) {
  return (
    // The field has the focus and hears the keys.
    // biome-ignore lint/a11y/useKeyWithClickEvents: as above
    // biome-ignore lint/a11y/useFocusableInteractive: as above
    <div
      id={id}
      role="option"
      aria-selected={isSelected}
      className={classes.option}
      onMouseDown={(event) => event.preventDefault()}
      // Not when the list moves under a mouse at rest.
      onMouseMove={() => isSelected || onSelect()}
      onClick={onTake}
    >
      <Icon size={18} aria-hidden />
      <span className={classes.words}>
        <bdi>{label}</bdi>
        {description !== undefined && (
          <small>
            <bdi>{description}</bdi>
          </small>
        )}
      </span>
      <Keys of={keys} />
    </div>
  );
}

export function optionId(listId: string, id: string): string {
  return `${listId}-option-${id}`;
}
