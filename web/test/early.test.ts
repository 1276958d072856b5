// @vitest-environment jsdom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

const PAGE = { items: [], next_cursor: null };

describe("what is asked for before the app's code has come", () => {
  const ask = vi.fn(async (_: string) => new Response(JSON.stringify({ data: PAGE, error: null })));

  beforeEach(() => {
    vi.resetModules();
    localStorage.clear();
    globalThis.choirEarly = undefined;
    ask.mockClear();
    vi.stubGlobal("fetch", ask);
  });
  afterEach(() => vi.unstubAllGlobals());

  it("is what the app asks for first, and is asked for once", async () => {
    await import("@/early");
    const { queryClient, threadsQuery } = await import("@/api/queries");
    expect((await queryClient.fetchInfiniteQuery(threadsQuery())).pages).toEqual([PAGE]);
    expect(ask).toHaveBeenCalledOnce();
    await queryClient.fetchInfiniteQuery({ ...threadsQuery(), staleTime: 0 });
    expect(ask).toHaveBeenCalledTimes(2);
  });

  it("is nothing for who has an account: what they may read is asked for in their name", async () => {
    localStorage.setItem("choir.account", "somebody");
    await import("@/early");
    expect(ask).not.toHaveBeenCalled();
  });

  it("is not given to who has signed in meanwhile", async () => {
    await import("@/early");
    const { setBearer } = await import("@/api/client");
    const { queryClient, threadsQuery } = await import("@/api/queries");
    setBearer("token");
    await queryClient.fetchInfiniteQuery(threadsQuery());
    expect(ask).toHaveBeenCalledTimes(2);
  });

  it("fails as if the app had asked", async () => {
    ask.mockRejectedValueOnce(new TypeError("no node"));
    await import("@/early");
    const { get } = await import("@/api/client");
    const { Unreachable } = await import("@/api/errors");
    await expect(get("/v1/threads", { query: { limit: 50 } })).rejects.toBeInstanceOf(Unreachable);
  });
});
