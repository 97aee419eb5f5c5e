import { beforeAll, beforeEach, describe } from "vitest";
import { hostTool } from "../../render/host-tool.ts";
import { bootable } from "../bootable.ts";
import { apply, configuration, install, installRecovery, lb1, run } from "../host/haproxy/customer.ts";
import { interruptions } from "./interruptions.ts";
import { packages } from "./load-balancer/packages.ts";
import { places } from "./load-balancer/places.ts";
import { appliedOverSsh, during, promise } from "./load-balancer/trial.ts";
import { versions } from "./load-balancer/versions.ts";
import { withClock } from "./moments.ts";
import { faults } from "./trials.ts";

const interrupted = { host: lb1, step: "haproxy", entries: 4, usual: 2500 };

describe.skipIf(!(await bootable("faults of a load balancer")))("a load balancer", () => {
  beforeAll(() => installRecovery());

  beforeEach(() => install(withClock(hostTool())));

  faults("load balancer", [
    ...interruptions(interrupted).map(({ fault, how, happen, ...options }) =>
      during(fault, how, happen, { ...options, ...(fault === "ssh is lost" && { work: appliedOverSsh }) }),
    ),
    ...places,
    ...packages,
    versions,
    {
      fault: "chat's port is taken",
      how: "by another program, after the look",
      trial: async ({ number }) => {
        const port = 4000 + number;
        const before = await configuration();
        await run(`ufw allow ${port}/tcp >/dev/null; systemd-run --quiet --unit=taker-${port} python3 -m http.server ${port}
          until ss -Hltn | grep -q :${port}; do sleep 0.1; done`);
        const { exitCode, output } = await apply({ port });
        await run(`systemctl stop taker-${port}`);
        if (!exitCode) return "the apply has succeeded";
        if (!output.includes(`${port}`)) return `the port is not named: ${output}`;
        return promise(before, { port });
      },
    },
  ]);
});
