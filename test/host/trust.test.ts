import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { minutes } from "../../lab/deadline.ts";
import { hazelcastFile, home, unitName } from "../../render/client-messenger/places.ts";
import { bootable } from "../bootable.ts";
import { bench } from "./bench.ts";
import { aloneInTheCluster, chatServerSteps, vendor } from "./chat-server-steps.ts";

const runnable = await bootable("what the service's user can do");

const server = bench({ name: "trust", on: "chatserver1", beside: ["acd-dbm"], java: true });
const { lab, host } = server;
const steps = chatServerSteps(server);

/** What must stay as it is, whatever the service's user does: bytes, modes, owners, and what would give him root. */
const victims = () =>
  steps.said(`find /root/victim /etc/passwd /etc/shadow /etc/sudoers /etc/sudoers.d /etc/cron.d /etc/ssh -printf '%p %y %m %u %g %l\\n'
    find /root/victim /etc/passwd /etc/shadow /etc/sudoers /etc/ssh -type f -exec sha256sum {} +
    ls /etc/ld.so.preload /etc/by-jtel 2>/dev/null; find /usr /etc /var/lib /run -xdev -type f -perm /6000 -newer /root/victim -printf '%p\\n'`);

/** What root does in his folder, as far as it gets: a look, the heal of each step, and a recovery. */
const work = async (): Promise<string> => {
  const { hazelcast, messenger } = steps.documents();
  const seen = await steps.look({ hazelcast: hazelcast as string, messenger: messenger as string, firewall: null });
  const applied = [
    await steps.tried("hazelcast", hazelcast as string),
    await steps.tried("messenger", messenger as string),
  ];
  const { stdout, stderr } = await host().exec("jtel-chatctl diff; jtel-chatctl recover");
  return [JSON.stringify(seen), ...applied.map(({ output }) => output), stdout, stderr].join("\n");
};

/** The same, and what restarts the service: its step, an update, and the put-back of both when it does not start. */
const workAndRestart = async (): Promise<string> => {
  const before = await work();
  const { output } = await steps.tried("messenger-running", steps.documents()["messenger-running"] as string);
  const { stdout, stderr } = await host().exec("jtel-chatctl update; jtel-chatctl check");
  return [before, output, stdout, stderr].join("\n");
};

/** What a process of the service's user may prepare; `$H` is the program's folder. The text names what the tool says of it, if anything. */
const attacks: [string, string, RegExp?][] = [
  [
    "the program's folder is a link to a folder of root's",
    "mv $H $H.mine && ln -s /root/victim $H",
    /which is not followed/,
  ],
  [
    "conf is a link to a folder of root's",
    "mv $H/conf $H/conf.mine && ln -s /root/victim $H/conf",
    /which is not followed/,
  ],
  ["conf is a link to /etc", "mv $H/conf $H/conf.mine && ln -s /etc $H/conf", /which is not followed/],
  ["bin is a link to a folder of root's", "mv $H/bin $H/bin.mine && ln -s /root/victim $H/bin"],
  [
    "hazelcast.xml is a link to the host's private key",
    `rm -f ${hazelcastFile} && ln -s /etc/ssh/ssh_host_ed25519_key ${hazelcastFile}`,
  ],
  ["hazelcast.xml is a FIFO", `rm -f ${hazelcastFile} && mkfifo ${hazelcastFile}`, /is no file but a FIFO/],
  [
    "hazelcast.xml is a sparse file of 64 GB",
    `rm -f ${hazelcastFile} && truncate -s 64G ${hazelcastFile}`,
    /has 68719476736 bytes/,
  ],
  ["hazelcast.xml is a folder", `rm -f ${hazelcastFile} && mkdir ${hazelcastFile}`, /is no file but a directory/],
  ["a jar is a link to a file of root's", "ln -sf /etc/shadow $H/bin/shadow.jar", /shadow\.jar is a link/],
  ["a jar is a FIFO", "mkfifo $H/bin/fifo.jar", /fifo\.jar is a FIFO/],
  [
    "the unit is a link to a file of root's",
    `rm -f $H/systemd/${unitName} && ln -s /etc/shadow $H/systemd/${unitName}`,
  ],
  [
    "the staged names are links",
    "ln -s /root/victim $H/.bin.jtel-chat; ln -s /root/victim/file $H/conf/.hazelcast.xml.jtel-chat; ln -s /root/victim $H/.bin.jtel-chat-old; rm -rf $H/bin/*",
  ],
  [
    "what earlier versions kept are links, and their list of entries leads out",
    "ln -sfn /root/victim $H.previous; ln -sfn /root/victim $H.original; printf '../../../etc/shadow\\nbin\\n..\\n' >$H/.release; ln -sfn /root/victim $H/bin.edited-under-jtel-chat",
  ],
  ["a list of entries that is no text", "printf '\\377\\376' >$H/.release"],
  ["a set-uid copy of a shell in the release", "cp /bin/sh $H/bin/sh.sh && chmod 6755 $H/bin/sh.sh"],
  [
    "the vendor's unit asks for root",
    `printf '[Service]\\nUser=root\\nExecStartPre=+/bin/touch /etc/by-jtel\\nStandardOutput=append:/etc/cron.d/x\\nExecStart=/usr/bin/java -Dde.jtel.platform.clientmessenger.connection=x Main\\n' >$H/systemd/${unitName}`,
  ],
  ["the share's unit asks for root", `sed -i 's/^User=jtel/User=root/' ${vendor}/systemd/${unitName}`, /'User=root'/],
];

describe.skipIf(!runnable)("whatever the service's user does in his folder", () => {
  beforeAll(async () => {
    await server.installRecovery();
    await aloneInTheCluster(lab(), host());
    await steps.said("mkdir -m 700 /root/victim && echo root >/root/victim/file && chmod 600 /root/victim/file");
    for (const [step, text] of Object.entries(steps.documents())) await steps.apply(step, text);
    await steps.said(
      `cp -a ${home} /root/program; cp -a ${vendor} /root/offered; cp -a /var/lib/jtel-chat /root/state; touch /root/victim`,
    );
  }, 5 * minutes);

  afterEach(async () => {
    await steps.said(`rm -rf ${home} ${home}.* ${vendor} /var/lib/jtel-chat; cp -a /root/program ${home}; cp -a /root/offered ${vendor}
      cp -a /root/state /var/lib/jtel-chat; systemctl restart ${unitName} || true`);
  });

  test.each(attacks)(
    "%s: nothing of root's is read, moved or written",
    async (title, script, says) => {
      const before = await victims();
      await steps.said(`H=${home}; ${script}`, "jtel");
      const restarts = /folder of root's$|^the share/.test(title); // only an update reads the share's release
      const printed = await (restarts ? workAndRestart() : work());
      expect(await victims()).toBe(before);
      expect(printed).not.toMatch(/PRIVATE KEY|^root:|root:[*!$]/m);
      expect(printed).toContain('"firewall":'); // the other steps were looked at
      if (says) expect(printed).toMatch(says);
    },
    3 * minutes,
  );

  test(
    "folders are exchanged for links while root works there: nothing of root's changes",
    async () => {
      const before = await victims();
      const race = `cd ${home}; ln -sfn /root/victim .link; while :; do mv -T conf .was 2>/dev/null; mv -T .link conf 2>/dev/null; mv -T conf .link 2>/dev/null; mv -T .was conf 2>/dev/null; done`;
      await steps.said(`systemd-run --quiet --collect --unit=race --uid=jtel sh -c '${race}'`);
      for (let round = 0; round < 4; round++) await workAndRestart();
      await steps.said("systemctl stop race");
      expect(await victims()).toBe(before);
    },
    5 * minutes,
  );

  test(
    "a run that died is put back at boot with his rights, and what cannot be is said and skipped",
    async () => {
      const before = await victims();
      const { hazelcast } = steps.documents();
      await steps.said(`echo '<!-- a -->' >>${hazelcastFile}`);
      // The journal of a run that died behind its write, as the transaction leaves it.
      await steps.said(`mkdir -p -m 700 /var/lib/jtel-chat/journal/1-hazelcast && cd /var/lib/jtel-chat/journal/1-hazelcast
      echo old >0; echo '{"path": "${hazelcastFile}", "was": "file", "blob": "0", "mode": 420, "uid": 0, "gid": 0}' >entries
      echo '{"path": "/etc/jtel-chat/trial", "was": "absent"}' >>entries; touch /etc/jtel-chat/trial`);
      await steps.said(`mv ${home}/conf ${home}/conf.mine && ln -s /root/victim ${home}/conf`, "jtel");
      await host().kill();
      await host().start();
      expect(await victims()).toBe(before);
      expect(await steps.said("ls /etc/jtel-chat/trial 2>/dev/null; ls /var/lib/jtel-chat/journal")).toBe("");
      expect(await steps.said("cat /var/lib/jtel-chat/not-put-back/1-hazelcast/0")).toBe("old");
      expect(await steps.said("jtel-chatctl log")).toMatch(
        /conf\/hazelcast\.xml could not be put back and stays as it is: .*not followed/,
      );
      await steps.said(`rm ${home}/conf && mv ${home}/conf.mine ${home}/conf`);
      expect((await steps.tried("hazelcast", hazelcast as string)).exitCode).toBe(0);
    },
    3 * minutes,
  );

  test(
    "what lies there and is not his is named with the chown, and then taken",
    async () => {
      await steps.said(`chown root:root ${home}/bin ${home}/bin/*; chown root:root ${hazelcastFile}`);
      const { hazelcast, messenger } = steps.documents("follow");
      const seen = await steps.look({ hazelcast: hazelcast as string, messenger: messenger as string });
      expect(seen.messenger?.problems.join()).toContain(`chown -R jtel:jtel ${home}`);
      expect(seen.hazelcast?.problems.join()).toContain(`chown jtel: ${hazelcastFile}`);
      await steps.said(`chown -R jtel:jtel ${home}`);
      expect(
        (await steps.look({ hazelcast: hazelcast as string, messenger: messenger as string })).messenger?.problems,
      ).toEqual([]);
    },
    3 * minutes,
  );

  test(
    "undo gives back his files only, and the victims stay",
    async () => {
      const before = await victims();
      await steps.said(
        `ln -sfn /root/victim ${home}/bin.edited-under-jtel-chat; echo mine >${home}/bin/own.txt`,
        "jtel",
      );
      expect(await steps.undo()).toContain("was edited since");
      expect(await victims()).toBe(before);
      expect(await steps.said(`cat ${home}/bin.edited-under-jtel-chat/own.txt; find ${home} ! -user jtel`)).toBe(
        "mine",
      );
    },
    3 * minutes,
  );
});
