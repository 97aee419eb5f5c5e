/** A Debian release that the lab boots: what ClientMessenger runs on there, as in a stack file below `java`. */
interface ReleasePlan {
  java: { package: string; version: number };
}

const java17 = { package: "openjdk-17-jdk", version: 17 };

const plans = {
  // Its updates have ended, and mirrors have lost the last openjdk-17-jdk (404).
  bullseye: { java: { ...java17, package: "openjdk-17-jdk-headless" } },
  bookworm: { java: java17 },
  trixie: { java: { package: "openjdk-21-jdk", version: 21 } },
} satisfies Record<string, ReleasePlan>;

/** A release by its code name, as in the mirror's suites. */
export type Release = keyof typeof plans;

/** All releases, the oldest first. */
export const releases = Object.keys(plans) as Release[];

/** The JDK that a release's own sources have for ClientMessenger: `{ package: "openjdk-21-jdk", version: 21 }`. */
export const javaOf = (release: Release): ReleasePlan["java"] => plans[release].java;

/** @throws when the lab does not boot it */
export const releaseNamed = (name: string): Release => {
  const found = releases.find((release) => release === name);
  if (!found) throw new Error(`lab: release "${name}" is unknown.  Known: ${releases.join(", ")}`);
  return found;
};

/**
 * The release of a lab that names none: `JTEL_CHAT_LAB_RELEASE`, so that a test runs on another one without a change.
 * @default "bookworm", which new stacks of the vendor run on
 */
export const usualRelease = (): Release => releaseNamed(process.env.JTEL_CHAT_LAB_RELEASE || "bookworm");
