import type { LabHost } from "../../lab/lab.ts";
import { leftOver } from "./left-over.ts";

/** Kills the run of a step once its journal has so many entries. Says how many it had; nothing where the run has ended before. */
export const killAtEntry = async (host: LabHost, step: string, entries: number): Promise<string> => {
  const program = `
import glob, subprocess, time
until, begun = time.monotonic() + 30, False
while time.monotonic() < until:
    journals = glob.glob("/var/lib/jtel-chat/journal/*-${step}/entries")
    if begun and not journals:
        break
    begun = bool(journals)
    for path in journals:
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

/**
 * Has the kernel kill the run of a step after some milliseconds, since it may have no more memory than it has.
 * Hosts of a lab have no memory of their own to use up: the run's processes get into a control group that gives none.
 */
export const withoutMemoryAfter = (host: LabHost, step: string, milliseconds: number) =>
  host.exec(`sleep ${milliseconds / 1000}
    unit=$(systemctl list-units --plain --no-legend 'jtel-chat-${step}-*.service' | cut -d' ' -f1)
    [ "$unit" ] || exit 0
    if [ -e /sys/fs/cgroup/cgroup.controllers ]; then exec systemctl set-property --runtime "$unit" MemoryMax=4K MemorySwapMax=0; fi
    mkdir -p /run/memory; mountpoint --quiet /run/memory || mount -t cgroup -o memory none /run/memory
    group=/run/memory/$(cat /proc/sys/kernel/random/uuid)
    mkdir "$group"; echo 0 >"$group/memory.limit_in_bytes"
    for process in $(cat "/sys/fs/cgroup/unified/system.slice/$unit/cgroup.procs"); do echo "$process" >"$group/cgroup.procs"; done
    while grep -q . "$group/cgroup.procs"; do sleep 0.05; done
    rmdir "$group"`);

/** How long a run may take until it has committed or put back, whatever has become of its ssh connection, in milliseconds. */
const bound = 60_000;

/**
 * Does something to a host's ssh after some milliseconds, and takes it back once the run is over. Says what was wrong meanwhile.
 * @param cut and `mended`: shell scripts
 */
export const withoutSsh = async (host: LabHost, milliseconds: number, cut: string, mended: string) => {
  await host.exec(`sleep ${milliseconds / 1000}; ${cut}`);
  const begin = Date.now();
  const left = await leftOver(host);
  await host.exec(mended);
  return left ?? (Date.now() - begin > bound ? `neither committed nor restored within ${bound / 1000} s` : undefined);
};

/** The file by which a test sets the tool's clock, as {@link withClock} makes the tool: seconds, `86400`. */
const clock = "/run/jtel-chat-clock";

/**
 * The text of a host tool whose clock can be set. The hosts of a lab share the kernel's clock, which no name space divides: this is
 * the tool's own idea of the time. Times of files, and what other programs think, stay the kernel's.
 */
export const withClock = (tool: string): string =>
  tool.replace(
    /^import /m,
    `import time
_kernels = time.time
def _now():
    try:
        return _kernels() + float(open("${clock}").read() or 0)
    except FileNotFoundError:
        return _kernels()
time.time = _now
import `,
  );

/** Sets the clock of a tool that {@link withClock} has made, after some milliseconds. */
export const setClock = (host: LabHost, milliseconds: number, seconds: number) =>
  host.exec(`sleep ${milliseconds / 1000}; echo ${seconds} >${clock}.new; mv ${clock}.new ${clock}`);

/** Has the tool believe the kernel again. */
export const rightClock = (host: LabHost) => host.exec(`rm -f ${clock}`);

const folders = ["/etc", "/usr", "/var"];

/**
 * Scripts that make a host's root read-only, as a kernel does after an error of the drive, and that take it back. A remount of the
 * root itself is refused while somebody writes there, so its folders are bound over themselves.
 */
export const rootIsReadOnly = {
  close: folders.map((each) => `mount --rbind ${each} ${each} && mount -o remount,ro,bind ${each}`).join("\n"),
  open: `umount --lazy ${folders.join(" ")}`,
};

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
