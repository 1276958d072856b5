import { readFileSync } from "node:fs";
import { beforeEach, describe, expect, it, vi } from "vitest";

const SOURCE = readFileSync(new URL("../public/sw.js", import.meta.url), "utf8");
const ORIGIN = "http://node.test";

type Body = Map<string, Response>;

/** The service worker with a network and a cache of the test's, and the browser's part of a fetch. */
class Worker {
  readonly kept: Body = new Map();
  readonly warn = vi.fn();
  fetch = vi.fn(async (request: { url: string }) => new Response(`of the node: ${request.url}`));
  put = async (path: string, response: Response): Promise<void> => {
    this.kept.set(path, response);
  };
  private readonly listeners = new Map<string, (event: unknown) => void>();

  constructor() {
    const self = {
      addEventListener: (name: string, listener: (event: unknown) => void) => this.listeners.set(name, listener),
      location: { origin: ORIGIN },
    };
    const pathOf = (request: string | { url: string }): string =>
      typeof request === "string" ? request : new URL(request.url).pathname;
    const caches = {
      match: async (request: string | { url: string }) => this.kept.get(pathOf(request))?.clone(),
      delete: async () => this.kept.clear(),
      open: async () => ({
        put: (request: string | { url: string }, response: Response) => this.put(pathOf(request), response),
      }),
    };
    new Function("self", "caches", "fetch", "console", SOURCE)(
      self,
      caches,
      (request: { url: string }) => this.fetch(request),
      { warn: this.warn },
    );
  }

  /** What the page gets, and what keeps the worker busy beside it. */
  open(path: string, mode = "no-cors"): { answer: Promise<Response>; beside: Promise<unknown>[] } {
    const beside: Promise<unknown>[] = [];
    let answer: Promise<Response> | undefined;
    this.listeners.get("fetch")?.({
      request: { method: "GET", url: ORIGIN + path, mode },
      respondWith: (given: Promise<Response>) => {
        answer = given;
      },
      waitUntil: (given: Promise<unknown>) => beside.push(given),
    });
    if (answer === undefined) throw new Error("the worker left the request alone");
    return { answer, beside };
  }
}

describe("the service worker", () => {
  let worker: Worker;
  beforeEach(() => {
    worker = new Worker();
  });

  it("answers with an asset while it is still being kept", async () => {
    worker.put = () => new Promise(() => undefined);
    expect(await (await worker.open("/assets/a.js").answer).text()).toContain("/assets/a.js");
  });

  it.each(["/assets/a.js", "/threads"])("answers %s though the cache fails, and warns", async (path) => {
    worker.put = () => Promise.reject(new Error("the disk is full"));
    const { answer, beside } = worker.open(path, path === "/threads" ? "navigate" : "no-cors");
    expect((await answer).ok).toBe(true);
    await Promise.all(beside);
    expect(worker.warn).toHaveBeenCalledOnce();
  });

  it("keeps on after a failure, and answers from what it kept", async () => {
    const { put } = worker;
    worker.put = () => Promise.reject(new Error("the disk is full"));
    const first = worker.open("/assets/a.js");
    await first.answer;
    await Promise.all(first.beside);
    worker.put = put;
    const second = worker.open("/assets/a.js");
    await second.answer;
    await Promise.all(second.beside);
    worker.fetch.mockClear();
    expect((await worker.open("/assets/a.js").answer).ok).toBe(true);
    expect(worker.fetch).not.toHaveBeenCalled();
  });

  it("drops the assets of an old build with its page, and none of the new one", async () => {
    worker.kept.set("/", new Response("old", { headers: { etag: "1" } }));
    worker.kept.set("/assets/old.js", new Response("old"));
    worker.fetch.mockResolvedValueOnce(new Response("new", { headers: { etag: "2" } }));
    const page = worker.open("/threads", "navigate");
    await page.answer;
    const asset = worker.open("/assets/new.js");
    await asset.answer;
    await Promise.all([...page.beside, ...asset.beside]);
    expect([...worker.kept.keys()]).toEqual(["/", "/assets/new.js"]);
  });

  it("shows the kept page without the node, and says so where none is kept", async () => {
    worker.fetch.mockRejectedValue(new TypeError("no node"));
    await expect(worker.open("/threads", "navigate").answer).rejects.toThrow("no node");
    worker.kept.set("/", new Response("kept"));
    expect(await (await worker.open("/threads", "navigate").answer).text()).toBe("kept");
  });
});
