import type { LabHost } from "../../lab/lab.ts";

/** What a second `up` must leave as it is: bytes, modes, owners and times of files, ufw's rules, service processes. */
export const snapshot = async (host: LabHost | undefined): Promise<string> => {
  const places = "/etc /usr/local /home /acd-store /var/lib/jtel-chat";
  const { stdout } = await (host as LabHost).exec(`
    find ${places} -xdev -not -path '/etc/mtab' -printf '%p %y %m %U:%G %T@ %l\\n' 2>/dev/null | sort
    find ${places} -xdev -type f -exec sha256sum {} + 2>/dev/null | sort
    for unit in jtel-clientmessenger haproxy ssh; do systemctl show --property=Id,MainPID,ActiveEnterTimestamp $unit; done
  `);
  return stdout;
};
