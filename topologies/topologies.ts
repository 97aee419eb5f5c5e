import type { Deployment } from "../config/schema.ts";
import { coLocated } from "./co-located.ts";
import { lbHosted } from "./lb-hosted.ts";
import { separateServer } from "./separate-server.ts";

/** The topologies by their name in the stack file (vendor page "CHAT role", table of resources). */
export const topologies: Record<Deployment["topology"], (deployment: Deployment) => void> = {
  "co-located": coLocated,
  "lb-hosted": lbHosted,
  "separate-server": separateServer,
};
