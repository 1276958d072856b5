import { Button } from "@mantine/core";
import { CopyText } from "@/ui/CopyText";
import { shortAddress, shortHash } from "@/ui/format";
import classes from "./ProofView.module.css";
import { type Trust, trustFromNowOn } from "./trust";

/** What a proof can show, and whom one trusts with it. */
export function TrustNote({ trust, onTrusted }: { trust: Trust; onTrusted: () => void }) {
  return (
    <section className={classes.trust}>
      <h2>Whom you trust</h2>
      {trust.remembered !== undefined && (
        <div className={classes.warning} role="alert">
          <p>
            The genesis of {trust.chainId} is another one than this browser met before ({shortHash(trust.remembered)}).
            Either the chain was begun anew, or somebody shows you another one.
          </p>
          <Button
            size="xs"
            variant="default"
            onClick={() => {
              trustFromNowOn(trust);
              onTrusted();
            }}
          >
            I know why: trust the new one
          </Button>
        </div>
      )}
      <p>
        The validators named in the genesis <CopyText text={trust.genesisHash} shown={shortHash(trust.genesisHash)} />:{" "}
        {trust.validators.map(shortAddress).join(", ")}. Its hash was calculated here. Compare it with one that you have
        from elsewhere than this node.
      </p>
      <p>
        A proof shows that this text was signed and committed. It does not show that it is true, that it is the last
        word in its thread, or that a validator tells everybody the same.
      </p>
    </section>
  );
}
