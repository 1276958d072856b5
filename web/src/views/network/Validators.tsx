import { useQuery } from "@tanstack/react-query";
import type { NetworkView as Network } from "@/api/queries";
import { Person } from "@/ui/Person";
import { formatMillionths } from "./measured";
import classes from "./NetworkView.module.css";
import { validatorsQuery } from "./queries";

/** Who may sign blocks, and how well each has done lately. */
export function Validators({ network }: { network: Network }) {
  const { data } = useQuery(validatorsQuery(network.measured_epoch));
  return (
    <>
      <h2>Validators</h2>
      <ul className={classes.validators}>
        {network.validators.map((address) => {
          const known = data?.find((validator) => validator.address === address);
          return (
            <li key={address}>
              <Person address={address} />
              {known?.is_this_node === true && <span className="quiet">this node</span>}
              {known?.psi_millionths != null && (
                <span>
                  score Ψ <strong className="number">{formatMillionths(known.psi_millionths)}</strong>
                </span>
              )}
              {known !== undefined && known.psi_millionths === null && <span className="quiet">not measured yet</span>}
            </li>
          );
        })}
      </ul>
    </>
  );
}
