/** The runs that one has asked for. */
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { get, post, remove } from "@/api/client";
import { queryClient } from "@/api/queries";
import { forget } from "./watching";

export const runsQuery = infiniteQueryOptions({
  queryKey: ["runs"],
  queryFn: ({ pageParam, signal }) => get("/v1/chorus/runs", { query: { cursor: pageParam, limit: 30 }, signal }),
  initialPageParam: null as string | null,
  getNextPageParam: (page) => page.next_cursor,
});

export const runQuery = (runId: string) =>
  queryOptions({
    queryKey: ["run", runId],
    queryFn: ({ signal }) => get("/v1/chorus/runs/{run_id}", { path: { run_id: runId }, signal }),
    staleTime: 60_000,
  });

/** End a run; its `run_cancelled` comes over its stream. */
export async function cancelRun(runId: string): Promise<void> {
  const detail = await post("/v1/chorus/runs/{run_id}/cancel", { path: { run_id: runId } });
  queryClient.setQueryData(runQuery(runId).queryKey, detail);
  await queryClient.invalidateQueries({ queryKey: runsQuery.queryKey });
}

export async function deleteRun(runId: string): Promise<void> {
  await remove("/v1/chorus/runs/{run_id}", { path: { run_id: runId } });
  forget(runId);
  queryClient.removeQueries({ queryKey: ["run", runId] });
  await queryClient.invalidateQueries({ queryKey: runsQuery.queryKey });
}
