import type { Deployment } from "../config/schema.ts";
import type { Look } from "../hosts/look/look.ts";
import { coLocated } from "./co-located.ts";
import { lbHosted } from "./lb-hosted.ts";
import { separateServer } from "./separate-server.ts";

/** The topologies by their name in the stack file (vendor page "CHAT role", table of resources). */
export const topologies: Record<Deployment["topology"], (deployment: Deployment, look: Look) => void> = {
  "co-located": coLocated,
  "lb-hosted": lbHosted,
  "separate-server": separateServer,
};
