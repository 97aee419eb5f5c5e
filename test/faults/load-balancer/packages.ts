import { document } from "../../../render/document.ts";
import { applyStep, lb1, run, undoStep } from "../../host/haproxy/customer.ts";
import { leftOver } from "../left-over.ts";
import { killAfter } from "../moments.ts";
import type { Fault } from "../trials.ts";

const tree = document({ kind: "packages", name: "tree", fields: { undo: "remove" } });

const locks = ["/var/lib/dpkg/lock-frontend", "/var/lib/apt/lists/lock", "/var/cache/apt/archives/lock"];

/** Neither lists nor archives: apt has everything to do. */
const nothingCached = "rm -rf /var/lib/apt/lists/*_* /var/cache/apt/archives/*.deb";

/** Installs and removes a package. Says what was wrong with that. */
const installs = async (): Promise<string | undefined> => {
  for (const work of [() => applyStep("tree", tree), () => undoStep("tree")]) {
    const { exitCode, output } = await work();
    if (exitCode) return output;
  }
  return (await run("dpkg --audit")) || leftOver(lb1());
};

/** A package of somebody else's whose configuration is killed in its middle; a second time it succeeds, or never does. */
const halfConfigured = (repairable: boolean) => `cd /root; rm -rf half; mkdir -p half/DEBIAN
  printf 'Package: half\\nVersion: 1\\nArchitecture: all\\nMaintainer: x <x@example.com>\\nDescription: x\\n' >half/DEBIAN/control
  printf '#!/bin/sh\\n[ -e /root/half.once ] && exit ${repairable ? 0 : 1}\\ntouch /root/half.once\\nkill -KILL $PPID\\n' >half/DEBIAN/postinst
  chmod 755 half/DEBIAN/postinst; rm -f half.once; dpkg-deb --build half half.deb >/dev/null
  ! dpkg --install half.deb >/dev/null 2>&1
  dpkg --audit | grep -q half`;

/** Faults of apt and dpkg while a step installs a package. */
export const packages: Fault[] = [
  {
    fault: "apt is busy",
    how: `another program holds for 15 s: ${locks.join(", ")}`,
    trial: async ({ number }) => {
      const lock = locks[number % locks.length] as string;
      const holder = `import fcntl, time
file = open("${lock}", "w")
fcntl.lockf(file, fcntl.LOCK_EX)
open("/run/held-${number}", "w")
time.sleep(15)`;
      await run(`${nothingCached}
        systemd-run --quiet --collect --unit=holder-${number} python3 -c '${holder}'
        until [ -e /run/held-${number} ]; do sleep 0.1; done`);
      const lost = await installs();
      return lost && `${lock}: ${lost}`;
    },
  },
  {
    fault: "dpkg is half configured",
    how: "another package's postinst has killed it; a repair succeeds, or fails each time",
    trial: async ({ number }) => {
      const repairable = number % 2 === 0;
      await run(halfConfigured(repairable));
      if (repairable) return installs();
      const { exitCode, output } = await applyStep("tree", tree);
      await run("dpkg --purge --force-all half >/dev/null 2>&1");
      if (!exitCode) return "it was installed beside a package that is half configured";
      if (!output.includes("dpkg --configure --pending")) return `the command to run is not named: ${output}`;
      return installs();
    },
  },
  {
    fault: "the run is killed",
    how: "SIGKILL at a random moment of an installation by apt",
    trial: async ({ below }) => {
      await run(nothingCached);
      await Promise.all([applyStep("tree", tree), killAfter(lb1(), "tree", below(4000))]);
      return (await leftOver(lb1())) ?? installs();
    },
  },
];
