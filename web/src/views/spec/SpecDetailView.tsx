import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Navigate, useParams } from "@tanstack/react-router";
import { useEffect } from "react";
import { messageQuery, specsQuery } from "@/api/queries";
import { SpecCard } from "@/deciding/SpecCard";
import { ThreadName } from "@/deciding/ThreadName";
import { Page } from "@/ui/Page";
import { Failure, Loading } from "@/ui/States";

/** A spec's own address. */
export function SpecDetailView() {
  const { specId } = useParams({ from: "/spec/$specId" });
  const message = useQuery(messageQuery(specId));
  const { data } = message;
  const specs = useInfiniteQuery({
    ...specsQuery(data === undefined ? {} : { author: data.author, thread_id: data.thread_id }),
    enabled: data !== undefined,
  });
  const spec = specs.data?.pages.flatMap((page) => page.items).find((item) => item.spec_id === specId);
  const { hasNextPage, isFetching, fetchNextPage } = specs;
  useEffect(() => {
    if (spec === undefined && hasNextPage && !isFetching) void fetchNextPage();
  }, [spec, hasNextPage, isFetching, fetchNextPage]);
  const error = message.error ?? specs.error;
  // The address of a message that never was a spec.
  if (data !== undefined && specs.data !== undefined && spec === undefined && !hasNextPage && !isFetching)
    return <Navigate to="/message/$hash" params={{ hash: specId }} replace />;
  return (
    <Page title="Spec">
      {spec !== undefined && data !== undefined ? (
        <>
          <p className="quiet">
            For <ThreadName threadId={data.thread_id} />
          </p>
          <SpecCard spec={spec} isFull />
        </>
      ) : error !== null ? (
        <Failure error={error} onRetry={() => void Promise.all([message.refetch(), specs.refetch()])} what="The spec" />
      ) : (
        <Loading what="the spec" />
      )}
    </Page>
  );
}
