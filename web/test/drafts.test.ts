import { beforeEach, describe, expect, it } from "vitest";
import { changeDraft, citeIn, dropDraft, EMPTY, giveBack, readDraft, withoutPrior } from "@/writing/drafts";

const kept = new Map<string, string>();
globalThis.sessionStorage = {
  getItem: (key: string) => kept.get(key) ?? null,
  setItem: (key: string, value: string) => void kept.set(key, value),
  removeItem: (key: string) => void kept.delete(key),
} as Storage;

describe("drafts", () => {
  beforeEach(() => dropDraft("here"));

  it("number what they cite, each once", () => {
    expect(citeIn("here", "aa")).toBe(1);
    expect(citeIn("here", "bb")).toBe(2);
    expect(citeIn("here", "aa")).toBe(1);
    expect(readDraft("here").priors).toEqual(["aa", "bb"]);
  });

  it("keep the other marks right when a prior goes", () => {
    const draft = { text: "One [1], two [2], three [3], none [9].", priors: ["aa", "bb", "cc"] };
    expect(withoutPrior(draft, "bb")).toMatchObject({
      text: "One [1], two, three [2], none [9].",
      priors: ["aa", "cc"],
    });
    expect(withoutPrior(draft, "zz")).toBe(draft);
  });

  it("get back what could not be sent, with the reason", () => {
    giveBack("here", { text: "sent", priors: ["aa"], stake: "5" }, "no");
    expect(readDraft("here")).toMatchObject({ text: "sent", priors: ["aa"], stake: "5", returned: "no" });
  });

  it("lose nothing that was written meanwhile", () => {
    changeDraft("here", { text: "new [1]", priors: ["bb"] });
    giveBack("here", { text: "sent [1]", priors: ["aa"] }, "no");
    const { text, priors } = readDraft("here");
    expect(text).toBe("sent [1]\n\nnew [2]");
    expect(priors).toEqual(["aa", "bb"]);
  });

  it("are kept for the tab, and gone when dropped", () => {
    changeDraft("here", { text: "x" });
    expect(kept.size).toBe(1);
    dropDraft("here");
    expect(kept.size).toBe(0);
    expect(readDraft("here")).toBe(EMPTY);
  });
});
