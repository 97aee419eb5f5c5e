import type { LabHost } from "../../lab/lab.ts";

/** Kills the run of a step once its journal has so many entries. Says how many it had; nothing where the run has ended before. */
export const killAtEntry = async (host: LabHost, step: string, entries: number): Promise<string> => {
  const program = `
import glob, subprocess, time
until = time.monotonic() + 30
while time.monotonic() < until:
    for path in glob.glob("/var/lib/jtel-chat/journal/*-${step}/entries"):
        try:
            count = open(path).read().count("\\n")
        except OSError:
            continue
        if count >= ${entries}:
            subprocess.run(["systemctl", "kill", "--signal=KILL", "jtel-chat-${step}-*"])
            print(count)
            raise SystemExit
`;
  return (await host.exec("timeout 30 python3 -", { input: program })).stdout.trim();
};

/** Kills every process of the run of a step after some milliseconds. */
export const killAfter = (host: LabHost, step: string, milliseconds: number) =>
  host.exec(`sleep ${milliseconds / 1000}; systemctl kill --signal=KILL 'jtel-chat-${step}-*' 2>/dev/null; true`);

/** Cuts the power after some milliseconds, and gives it back. */
export const powerCut = async (host: LabHost, milliseconds: number): Promise<void> => {
  await new Promise((resolve) => setTimeout(resolve, milliseconds));
  await host.kill();
  await host.start();
};

/**
 * Puts a small file system in the place of a folder, with what is there, and fills it to the last byte. After what `made` does in it,
 * the folder has room again, and what was written meanwhile.
 */
export const without = async <Result>(host: LabHost, folder: string, made: () => Promise<Result>): Promise<Result> => {
  await host.exec(`set -e; rm -rf /root/kept; mkdir /root/kept; cp -a ${folder}/. /root/kept
    size=$(du --summarize --block-size=1K ${folder} | cut -f1)
    mount -t tmpfs -o "size=$((size + 512))k,mode=$(stat -c %a ${folder})" none ${folder}
    cp -a /root/kept/. ${folder}; chown --reference=/root/kept ${folder}
    dd if=/dev/zero of=${folder}/filler bs=1k 2>/dev/null || true`);
  try {
    return await made();
  } finally {
    await host.exec(`rm -rf ${folder}/filler /root/kept; mkdir /root/kept; cp -a ${folder}/. /root/kept
      umount --lazy ${folder}; find ${folder} -mindepth 1 -delete; cp -a /root/kept/. ${folder}; rm -r /root/kept`);
  }
};
