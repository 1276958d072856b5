import { Button, FileButton } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { Download, FileUp } from "lucide-react";
import { useState } from "react";
import { explain } from "@/api/errors";
import { proofQuery } from "@/api/queries";
import { checkProof, type Proof } from "@/lib/proofs";
import { Page } from "@/ui/Page";
import { Failure, Loading } from "@/ui/States";
import { ProofSteps } from "./ProofSteps";
import classes from "./ProofView.module.css";
import { TrustNote } from "./TrustNote";
import { findTrust } from "./trust";

/** Checks in this browser that a message was committed, word by word; the node is only asked for the proof. */
export function ProofView() {
  const { hash } = useParams({ from: "/proof/$hash" });
  const { data, error, refetch } = useQuery(proofQuery(hash));
  const [file, setFile] = useState<{ name: string; proof: Proof }>();
  const [problem, setProblem] = useState<string>();
  const proof = file?.proof ?? (data as unknown as Proof | undefined);

  const open = async (chosen: File | null): Promise<void> => {
    if (chosen === null) return;
    try {
      setFile({ name: chosen.name, proof: readProof(await chosen.text()) });
      setProblem(undefined);
    } catch (cause) {
      setProblem(`${chosen.name} is no proof: ${explain(cause)}`);
    }
  };
  return (
    <Page
      title="Proof"
      actions={
        <div className={classes.tools}>
          {data !== undefined && file === undefined && (
            <Button size="xs" variant="default" leftSection={<Download size={15} />} onClick={() => save(hash, data)}>
              Save
            </Button>
          )}
          <FileButton accept="application/json,.json" onChange={(chosen) => void open(chosen)}>
            {(props) => (
              <Button size="xs" variant="default" leftSection={<FileUp size={15} />} {...props}>
                Check a file
              </Button>
            )}
          </FileButton>
        </div>
      }
    >
      {problem !== undefined && (
        <p role="alert" className={classes.problem}>
          {problem}
        </p>
      )}
      <p className={classes.about}>
        {file === undefined ? (
          <>
            For{" "}
            <Link to="/message/$hash" params={{ hash }} className="link">
              this message
            </Link>
            , checked here and now.
          </>
        ) : (
          `From ${file.name}, checked here and now.`
        )}
      </p>
      {proof !== undefined ? (
        <Checked proof={proof} />
      ) : error !== null ? (
        <Failure error={error} onRetry={() => void refetch()} what="The proof" />
      ) : (
        <Loading what="the proof" />
      )}
    </Page>
  );
}

function Checked({ proof }: { proof: Proof }) {
  const { data, error, refetch } = useQuery({
    queryKey: ["checked", proof],
    queryFn: async () => {
      const trust = await findTrust();
      return { trust, steps: await checkProof(proof, trust.validators) };
    },
    staleTime: Number.POSITIVE_INFINITY,
  });
  if (error !== null) return <Failure error={error} onRetry={() => void refetch()} what="The validators to trust" />;
  if (data === undefined) return <Loading what="the check" />;
  return (
    <>
      <ProofSteps proof={proof} steps={data.steps} />
      <TrustNote trust={data.trust} onTrusted={() => void refetch()} />
    </>
  );
}

/** The proof that a file holds. Throws when it has not the form of one. */
function readProof(text: string): Proof {
  const value = JSON.parse(text) as Partial<Proof>;
  const isProof =
    typeof value.total === "number" &&
    Array.isArray(value.transaction_path) &&
    Array.isArray(value.receipt_path) &&
    typeof value.transaction?.body === "object" &&
    typeof value.receipt?.tx_hash === "string" &&
    typeof value.signed_header?.signature === "string";
  if (!isProof) throw new Error("parts of it are missing");
  return value as Proof;
}

function save(hash: string, proof: object): void {
  const url = URL.createObjectURL(new Blob([JSON.stringify(proof, null, 1)], { type: "application/json" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = `choir-proof-${hash.slice(0, 12)}.json`;
  link.click();
  URL.revokeObjectURL(url);
}
