import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const SOURCE = new URL("../src", import.meta.url).pathname;
const STYLES = new URL("../node_modules/@mantine/core/styles", import.meta.url).pathname;

function usedComponents(): string[] {
  const files = (readdirSync(SOURCE, { recursive: true }) as string[]).filter((name) => name.endsWith(".tsx"));
  const imports = files.flatMap((name) => [
    ...readFileSync(join(SOURCE, name), "utf8").matchAll(/import \{([^}]*)\} from "@mantine\/core"/g),
  ]);
  const names = imports.flatMap(([, list = ""]) => list.split(",").map((name) => name.replace(/^\s*type /, "").trim()));
  return [...new Set(names)].filter((name) => existsSync(join(STYLES, `${name}.layer.css`)));
}

describe("styles", () => {
  const imported = readFileSync(join(SOURCE, "styles/mantine.css"), "utf8");

  it("are there for every component of Mantine's that the app uses", () => {
    const used = usedComponents();
    expect(used.length).toBeGreaterThan(10);
    expect(used.filter((name) => !imported.includes(`styles/${name}.layer.css`))).toEqual([]);
  });
});

describe("toasts", () => {
  it("are shown by `ui/notify` alone, which has their place come first", () => {
    const files = (readdirSync(SOURCE, { recursive: true }) as string[]).filter((name) => /\.tsx?$/.test(name));
    const importing = files.filter((name) =>
      readFileSync(join(SOURCE, name), "utf8").includes("@mantine/notifications"),
    );
    expect(importing.sort()).toEqual(["ui/Toasts.tsx", "ui/notify.ts"]);
  });
});
