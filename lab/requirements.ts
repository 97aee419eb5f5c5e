import { access, constants } from "node:fs/promises";
import { ensurePackages } from "./hosts/debian.ts";

const packages = [
  "apt-cacher-ng",
  "debootstrap",
  "iproute2",
  "openssh-client",
  "openssl",
  "systemd-container",
  "util-linux",
];

const remedy = `The lab boots Debian hosts in containers of this machine (systemd-nspawn).  Three ways on:
  - run it as root on Debian 12, or
  - in a virtual machine with Debian 12 that you can throw away, or
  - leave the lab and write your own hosts into a stack file (README, "Your own hosts").`;

/** Why this machine cannot run a lab; undefined when it can. */
export const labObstacle = async (): Promise<string | undefined> => {
  if (process.platform !== "linux") return `this is ${process.platform}, not Linux`;
  if (process.getuid?.() !== 0) return "this user is not root";
  for (const tool of ["apt-get", "dpkg-query"])
    if (!(await canExecute(`/usr/bin/${tool}`))) return `there is no ${tool}, so this is not Debian`;
  return undefined;
};

const canExecute = (file: string): Promise<boolean> =>
  access(file, constants.X_OK).then(
    () => true,
    () => false,
  );

/**
 * Installs what the lab needs on this machine.
 * @throws at once where a lab is impossible, with the ways on
 */
export const requireLinuxRoot = async (progress: (line: string) => void): Promise<void> => {
  const obstacle = await labObstacle();
  if (obstacle) throw new Error(`lab: ${obstacle}.\n${remedy}`);
  await ensurePackages(packages, progress);
};
