import { useQuery } from "@tanstack/react-query";
import { Navigate, useParams, useSearch } from "@tanstack/react-router";
import { messageQuery } from "@/api/queries";
import { Failure, Loading } from "@/ui/States";

/** A message's own address: leads to it in its thread. */
export function MessageView() {
  const { hash } = useParams({ from: "/message/$hash" });
  const search = useSearch({ from: "/message/$hash" });
  const { data, error, refetch } = useQuery(messageQuery(hash));
  if (data !== undefined) {
    return (
      <Navigate
        to="/thread/$threadId"
        params={{ threadId: data.thread_id }}
        search={{ message: hash, ...search }}
        replace
      />
    );
  }
  if (error !== null) return <Failure error={error} onRetry={() => void refetch()} what="The message" />;
  return <Loading what="the message" />;
}
