/** What the network page reads of coherence. The epoch that was measured last is part of each key: with a new one they
 * are read again, and not before. */
import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { get } from "@/api/client";
import type { components } from "@/api/schema";

export type Epoch = components["schemas"]["EpochRecord"];
export type Validator = components["schemas"]["ValidatorView"];

export const EPOCHS_READ = 60;

export const epochsQuery = (measured: number | null) =>
  queryOptions({
    queryKey: ["epochs", measured],
    queryFn: ({ signal }) => get("/v1/epochs", { query: { limit: EPOCHS_READ }, signal }),
    placeholderData: keepPreviousData,
    staleTime: Number.POSITIVE_INFINITY,
  });

export const validatorsQuery = (measured: number | null) =>
  queryOptions({
    queryKey: ["validators", measured],
    queryFn: ({ signal }) => get("/v1/validators", { signal }),
    placeholderData: keepPreviousData,
    staleTime: Number.POSITIVE_INFINITY,
  });
