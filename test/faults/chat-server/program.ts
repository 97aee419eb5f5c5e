import { vendor } from "../../host/chat-server-steps.ts";
import { apply, documents, ownedByCustomer, said, status, up } from "../../host/client-messenger/server.ts";
import type { Fault } from "../trials.ts";
import { changed, promise } from "./trial.ts";

const jar = `${vendor}/bin/clientmessenger.jar`;

/** How a new release's program ends: what the program does, and what of that the error has to say. */
const ends: { after: string; does: string; says: RegExp }[] = [
  { after: "at once", does: 'throw new Error("ended on purpose")', says: /ended on purpose/ },
  { after: "after 3 s", does: 'Thread.sleep(3000); throw new Error("ended on purpose")', says: /ended on purpose/ },
  { after: "after 20 s", does: 'Thread.sleep(20000); throw new Error("ended on purpose")', says: /ended on purpose/ },
  {
    after: "out of memory",
    does: "var kept = new java.util.ArrayList<long[]>(); while (true) kept.add(new long[1000000])",
    says: /OutOfMemoryError/,
  },
];

/** Puts a program into the share's release that does something else than chat; the one before is kept. */
const offerProgram = (does: string) =>
  said(`set -e; mkdir -p /root/program; cd /root/program; rm -rf ./*
    cat >Main.java <<'JAVA'
package de.jtel.platform.clientmessenger;
public final class Main { public static void main(String[] values) throws Exception { ${does}; } }
JAVA
    javac -d classes Main.java; jar --create --file program.jar -C classes .
    mv ${jar} ${vendor}/bin/kept; cp program.jar ${jar}`);

const offerNothing = `echo broken >${vendor}/bin/broken; cp ${jar} ${vendor}/bin/kept; mv ${vendor}/bin/broken ${jar}`;

/** Applies what a new release needs, which is not to run. Says what was wrong with that. */
const refused = async (says: RegExp, before: string): Promise<string | undefined> => {
  const { messenger = "", "messenger-running": proof = "" } = documents({ release: "follow" });
  const installed = await apply("messenger", messenger);
  const { exitCode, output } = await apply("messenger-running", proof);
  await said(`mv ${vendor}/bin/kept ${jar}`);
  if (installed.exitCode) return `the release is not installed: ${installed.output}`;
  if (!exitCode) return "the program was taken for a healthy one";
  if (!says.test(output)) return `the error does not say why: ${output}`;
  const { database } = await status();
  if (database !== "ok") return `chat's database is ${database}`;
  return (await ownedByCustomer()) === before ? undefined : "other files than before";
};

/** Releases whose program does not run. */
export const programs: Fault[] = [
  {
    fault: "the program does not start",
    how: "the share's release has a broken program",
    trial: async (chance) => {
      await up(await changed(chance));
      const before = await ownedByCustomer();
      await said(offerNothing);
      const lost = await refused(/jarfile|ClassNotFoundException|Could not find or load/, before);
      return lost ?? promise(before, await changed(chance));
    },
  },
  {
    fault: "the service crashes",
    how: `with a new release, ${ends.map(({ after }) => after).join(", ")}`,
    trial: async (chance) => {
      await up(await changed(chance));
      const before = await ownedByCustomer();
      const { after, does, says } = ends[chance.number % ends.length] as (typeof ends)[number];
      await offerProgram(does);
      const lost = (await refused(says, before)) ?? (await promise(before, await changed(chance)));
      return lost && `${after}: ${lost}`;
    },
  },
];
