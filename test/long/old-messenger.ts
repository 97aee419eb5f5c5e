import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { buildClientMessenger } from "../../lab/stand-ins/clientmessenger/build.ts";
import { releaseFolder, unitName } from "../../render/client-messenger/places.ts";

const source = join(import.meta.dirname, "OldMessenger.java");

/** Libraries of the stand-in that run on Java 8. */
const kept = /^(?:hazelcast|mysql-connector)-/;

/** Puts a release on the share that Java 8 runs: its classes, Hazelcast 3.12, the driver, and a unit with no later option. */
export const offerOldMessenger = async (share: string): Promise<void> => {
  const release = join(share, releaseFolder);
  const [bin, unit] = [join(release, "bin"), join(release, "systemd", unitName)];
  await rm(release, { recursive: true });
  await cp(await buildClientMessenger(), release, { recursive: true });
  for (const jar of await readdir(bin)) if (!kept.test(jar)) await rm(join(bin, jar));
  const classes = await mkdtemp(join(tmpdir(), "old-messenger-"));
  try {
    await execa("javac", ["--release", "8", "-Xlint:-options", "-cp", `${bin}/*`, "-d", classes, source]);
    await execa("jar", ["--create", "--file", join(bin, "clientmessenger.jar"), "-C", classes, "."]);
  } finally {
    await rm(classes, { recursive: true });
  }
  const text = await readFile(unit, "utf8");
  const later = text.replaceAll(/^ +--add-.*\n/gm, "").replace(/\S+[.]Main$/m, "OldMessenger");
  await writeFile(unit, later);
};
