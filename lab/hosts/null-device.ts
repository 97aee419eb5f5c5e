import { lstat } from "node:fs/promises";

/**
 * Runs a build, and makes sure before and after that `device` is what every program takes it for. A build that goes wrong could
 * leave this machine's with another mode, and then every program fails that is not root's.
 *
 * @throws when it is not, with the way to mend it
 */
export const withNullDevice = async (build: () => Promise<void>, device = "/dev/null"): Promise<void> => {
  await requireNull(device, "before the image was built");
  try {
    await build();
  } finally {
    await requireNull(device, "since the image was built");
  }
};

const requireNull = async (device: string, since: string): Promise<void> => {
  const found = await lstat(device);
  if (found.isCharacterDevice() && (found.mode & 0o777) === 0o666) return;
  const mode = (found.mode & 0o7777).toString(8);
  throw new Error(
    `lab: ${device} of this machine was no device that everybody may write (mode ${mode}), ${since}.  ` +
      `Make it anew: rm -f ${device} && mknod -m 666 ${device} c 1 3`,
  );
};
