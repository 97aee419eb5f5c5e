import { until } from "../../lab/deadline.ts";
import type { LabHost } from "../../lab/lab.ts";

/** Names what an interrupted run has left: journals, staged files, units, processes; empty where there is nothing. */
const script = `
  ls /var/lib/jtel-chat/journal /var/lib/jtel-chat/not-put-back 2>/dev/null | grep -v -e : -e '^$'
  find /etc /home /usr/local /var/lib/jtel-chat -xdev -name '.*.jtel-chat' 2>/dev/null
  systemctl list-units --all --plain --no-legend 'jtel-chat-*' | grep -v -e recover -e attest -e agent
  pgrep --full --list-full 'jtel-chatctl (apply|recover|undo|update)'
  true`;

/** Waits until a run that was interrupted has put back what it had begun; says what is left after a minute. */
export const leftOver = async (host: LabHost): Promise<string | undefined> => {
  let left = "";
  await until("the end of what was begun", 60, async () => {
    left = (await host.exec(script)).stdout.trim();
    return left ? undefined : true;
  }).catch(() => undefined);
  return left ? `left over: ${left}` : undefined;
};
