import type { Resource } from "../../config/schema.ts";
import type { Section } from "../document.ts";

/** The systems that the role is tested on. */
const system = ["debian 11", "debian 12", "debian 13"].join(", ");

/** What the vendor asks of a host that runs ClientMessenger. */
export interface Needs {
  /** GB (10⁹ bytes). */
  memory: number;
  cores?: number;
  /** GB (10⁹ bytes) of the drive with the home directories. */
  disk?: number;
  /** Beside what runs there already: free memory counts, and one core more. */
  additional: boolean;
  /** What may be less, named in the stack file. */
  accept?: readonly Resource[];
}

/** The section that has them checked; `program` is what needs no check any more once it is there. */
export const resourcesSection = ({ additional, accept = [], ...needs }: Needs, program: string): Section => ({
  kind: "resources",
  name: program,
  fields: {
    ...Object.fromEntries(Object.entries(needs).map(([name, amount]) => [name, String(amount)])),
    system,
    additional: additional ? "yes" : undefined,
    accept: accept.length ? [...accept] : undefined,
  },
});
