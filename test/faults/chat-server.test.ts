import { beforeAll, describe } from "vitest";
import { minutes } from "../../lab/deadline.ts";
import { hostTool } from "../../render/host-tool.ts";
import { bootable } from "../bootable.ts";
import { host, install, installRecovery, up } from "../host/client-messenger/server.ts";
import { places } from "./chat-server/places.ts";
import { programs } from "./chat-server/program.ts";
import { sharesFaults } from "./chat-server/share.ts";
import { applied, appliedOverSsh, during, nextUnit } from "./chat-server/trial.ts";
import { interruptions } from "./interruptions.ts";
import { withClock } from "./moments.ts";
import { faults } from "./trials.ts";

const run = { host, step: "messenger", entries: 12, usual: 2500 };

describe.skipIf(!(await bootable("faults of a chat server")))("a chat server", () => {
  beforeAll(async () => {
    await install(withClock(hostTool()));
    await installRecovery();
    await up();
  }, 5 * minutes);

  faults("chat server", [
    ...interruptions(run).map(({ fault, how, happen }) =>
      during(fault, how, happen, fault === "ssh is lost" ? appliedOverSsh : applied),
    ),
    ...sharesFaults,
    during("two controllers", "both apply at once, each something else", async (_, change) => {
      const other = { ...change, ...nextUnit() };
      const { exitCode, output } = await applied(other);
      if (exitCode) return output;
      await applied(change);
      return undefined;
    }),
    ...places,
    ...programs,
  ]);
});
