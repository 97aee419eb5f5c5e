import { look, said, status } from "../../host/client-messenger/server.ts";
import type { Fault } from "../trials.ts";
import { during } from "./trial.ts";

const share = "/home/jtel/shared";

/**
 * Mounts the share from a server of its own: sshfs, whose reads wait for an answer and cannot be killed, as of NFS mounted hard.
 * Its server is a process of the host's own, so that it can be told to be silent.
 */
const served = `set -e
  [ -e /usr/bin/sshfs ] || { apt-get update -q=2; apt-get install --yes -q=2 --no-install-recommends sshfs; } >/dev/null
  [ -e /dev/fuse ] || mknod /dev/fuse c 10 229
  printf '#!/bin/sh\\nexec /usr/lib/openssh/sftp-server\\n' >/root/share-server; chmod 755 /root/share-server
  umount ${share}
  sshfs -o ssh_command=/root/share-server,allow_other,default_permissions,cache=no host:/media/share ${share}`;

const local = `umount ${share}; mount ${share}`;

/** How long a look may take in any case (programs/bounded.py), in milliseconds: systemd may be busy with the silent mount, too. */
const patience = 180_000;

/** Whether a look ends while the server is silent, and says so. */
const seesSilence = async (): Promise<string | undefined> => {
  const begin = Date.now();
  const answers = await look({ release: "follow" });
  const problems = Object.values(answers).flatMap((answer) => answer.problems);
  if (Date.now() - begin > patience) return `a look took ${Date.now() - begin} ms`;
  if (!problems.some((each) => each.includes(`the server of the share at ${share} gives no answer`)))
    return `a look does not name the silent share: ${problems.join("; ")}`;
  return (await status()).database === "ok" ? undefined : "the old release does not run on";
};

const silent = during(
  "the share's server is silent",
  "stopped (SIGSTOP) at a random moment of the copy; reads of it cannot be killed",
  async ({ below }) => {
    await said(`timeout 20 sh -c 'until [ -e /var/lib/jtel-chat/releases/.staged ]; do sleep 0.01; done'
      sleep ${below(150) / 1000}; pkill -STOP -x sftp-server`);
    return seesSilence().finally(() => said("pkill -CONT -x sftp-server"));
  },
);

/** Faults of the share while a release is copied from it. */
export const sharesFaults: Fault[] = [
  during("the share is gone", "unmounted lazily at a random moment of the copy", async ({ below }) => {
    await said(`sleep ${below(2500) / 1000}; umount --lazy ${share}; sleep 2; mount ${share}`);
    return undefined;
  }),
  {
    ...silent,
    trial: async (chance) => {
      await said(served);
      return silent.trial(chance).finally(() => said(`pkill -CONT -x sftp-server; ${local}`));
    },
  },
];
