/** What a transaction asks for, in words, and where that can be looked at. */
import type { components } from "@/api/schema";
import { formatChoir } from "@/lib/amounts";
import { shortAddress } from "@/ui/format";

type Body = components["schemas"]["Transaction"]["body"];
type Target = { threadId: string } | { specId: string } | { hash: string };

export function describeBody(body: Body): string {
  switch (body.type) {
    case "create_thread":
      return "began a thread";
    case "post_message":
      return "wrote a message";
    case "submit_spec":
      return `submitted a spec with ${formatChoir(body.stake)} CHOIR`;
    case "process_approval":
      return body.approve ? "approved a spec" : "denied a spec";
    case "withdraw_spec":
      return "withdrew a spec";
    case "divest":
      return `divested ${formatChoir(body.amount)} CHOIR from a thread`;
    case "transfer":
      return `sent ${formatChoir(body.amount)} CHOIR to ${shortAddress(body.to)}`;
    case "set_privacy":
      return `made a message ${body.level}`;
    case "erase":
      return "erased a message";
    case "subscribe_premium":
      return "paid for premium";
    case "propose":
      return "made a proposal to the council";
    case "endorse":
      return "endorsed a proposal to the council";
  }
}

export function targetOf(body: Body): Target | undefined {
  if (body.type === "process_approval" || body.type === "withdraw_spec") return { specId: body.spec_id };
  if (body.type === "set_privacy" || body.type === "erase") return { hash: body.message_hash };
  return "thread_id" in body ? { threadId: body.thread_id } : undefined;
}
