import { existsSync } from "node:fs";
import { chmod } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { call } from "../../lab/clients/https.ts";
import { minutes } from "../../lab/deadline.ts";
import { withNullDevice } from "../../lab/hosts/null-device.ts";
import { type Release, releaseNamed, releases } from "../../lab/hosts/release.ts";
import { downLab, type Lab, openLab, upLab } from "../../lab/lab.ts";
import { bootable } from "../bootable.ts";
import { daemons, traces } from "./traces.ts";

const runnable = await bootable("the lab's own tests");

describe.skipIf(!runnable)("a lab", () => {
  const name = `test-${process.pid}`;
  let lab: Lab;
  let id: string;

  const host = (name: string) => {
    const found = lab.hosts[name];
    if (!found) throw new Error(`no host ${name}`);
    return found;
  };
  const ssh = (user: string, hostKey: string, command: string, ...options: string[]) => {
    const { address } = host("chatserver1");
    const known = ["-o", `KnownHostsCommand=/bin/echo %H ${hostKey}`, "-o", "UserKnownHostsFile=none"];
    const strict = [
      "-F",
      "none",
      "-o",
      "BatchMode=yes",
      "-o",
      "StrictHostKeyChecking=yes",
      "-o",
      `IdentityAgent=${lab.agentSocket}`,
    ];
    return execa("ssh", [...strict, ...known, ...options, `${user}@${address}`, command], { reject: false });
  };
  const tyntec = (path: string, options = {}) =>
    call(`${lab.tyntec.url}${path}`, { caFile: lab.caFile, headers: { apikey: lab.tyntec.apiKey }, ...options });
  const patch = (webhooks: unknown) => ({
    method: "PATCH",
    headers: { apikey: lab.tyntec.apiKey, "content-type": "application/json" },
    body: JSON.stringify({ webhooks }),
  });

  beforeAll(async () => {
    lab = await upLab(name, { hosts: ["lb1", "chatserver1", "acd-dbm"], temporary: true });
    id = basename(dirname(lab.agentSocket));
  }, 20 * minutes);

  afterAll(() => downLab(name), minutes);

  test("its user logs in with the agent's key to the pinned host key and may become root", async () => {
    const { stdout } = await ssh("deploy", host("chatserver1").hostKey, "id -un; sudo -n id -un; hostname");
    expect(stdout.split("\n")).toEqual(["deploy", "root", "chatserver1"]);
  });

  test("root, passwords and another host key are refused", async () => {
    const { hostKey } = host("chatserver1");
    expect((await ssh("root", hostKey, "true")).stderr).toContain("Permission denied (publickey)");
    const password = await ssh(
      "deploy",
      hostKey,
      "true",
      "-o",
      "PreferredAuthentications=password,keyboard-interactive",
    );
    expect(password.stderr).toContain("Permission denied (publickey)");
    expect((await ssh("deploy", host("lb1").hostKey, "true")).stderr).toContain("Host key verification failed");
  });

  test("every host boots clean, is itself, and has no way out", async () => {
    const ids = new Set<string>();
    for (const name of ["lb1", "chatserver1", "acd-dbm"]) {
      const { stdout } = await host(name).exec(
        "systemctl is-system-running; hostname; ip route show default; cat /etc/machine-id",
      );
      const [state, hostname, machineId] = stdout.split("\n");
      expect([state, hostname]).toEqual(["running", name]);
      ids.add(machineId as string);
    }
    expect(ids.size).toBe(3);
  });

  test("the firewall is active and refuses what it was not told to allow", async () => {
    const { stdout } = await host("chatserver1").exec("LC_ALL=C ufw status verbose");
    expect(stdout).toContain("Status: active");
    expect(stdout).toContain("deny (incoming)");
    expect(stdout).toMatch(/^22\/tcp +ALLOW IN/m);
  });

  test("the share is a mount of the user jtel's, and can be unmounted and mounted again", async () => {
    const isMounted = async () =>
      (await host("chatserver1").exec("grep -c ' /home/jtel/shared ' /proc/self/mountinfo")).stdout === "1";
    expect(await isMounted()).toBe(true);
    const unit = "JTELCarrierPortal/Utils/Install/ClientMessenger/systemd/jtel-clientmessenger.service";
    const { stdout } = await host("chatserver1").exec(
      `cd /home/jtel/shared && stat -c %U:%G hazelcast.xml Data/clients ${unit}`,
    );
    expect(stdout.split("\n")).toEqual(["jtel:jtel", "jtel:jtel", "jtel:jtel"]);
    expect(existsSync(`${lab.share}/${unit}`)).toBe(true);
    await host("chatserver1").exec("umount /home/jtel/shared");
    expect(await isMounted()).toBe(false);
    await host("chatserver1").exec("mount /home/jtel/shared");
    expect(await isMounted()).toBe(true);
  });

  test("the portal answers over the load balancer's TLS, which only the lab's authority vouches for", async () => {
    const { address } = host("lb1");
    const page = `https://${lab.portal}/CarrierPortal/login/`;
    expect((await call(page, { address, caFile: lab.caFile })).body).toContain(
      "jtel portal (lab): GET /CarrierPortal/login/",
    );
    await expect(call(page, { address })).rejects.toThrow(/certificate/);
    const root = await call(`https://${lab.portal}/`, { address, caFile: lab.caFile });
    expect(root.headers.location).toBe("/CarrierPortal/login/?client=1");
  });

  test("HAProxy has its master socket", async () => {
    expect((await host("lb1").exec("test -S /run/haproxy-master.sock")).exitCode).toBe(0);
  });

  test("the database accepts the password with all its characters, and is reached from a chat server", async () => {
    const { user, password, name } = lab.database;
    expect(password).toContain(`&'"\\%$#+ @:/?=`);
    const query = `MYSQL_PWD=$(cat) mariadb --host=acd-dbm --protocol=tcp --user=${user} ${name} -Ne 'select database()'`;
    expect((await host("acd-dbm").exec(query, { input: password })).stdout).toBe(name);
    expect((await host("acd-dbm").exec(query, { input: "wrong" })).exitCode).not.toBe(0);
    const connect = `python3 -c 'import socket; socket.create_connection(("acd-dbm", 3306), 5)'`;
    expect((await host("chatserver1").exec(connect)).exitCode).toBe(0);
  });

  test("TynTec knows its key, merges webhooks by event, and explains what it refuses", async () => {
    const before = JSON.parse((await tyntec("/applications/default")).body);
    expect(before.webhooks).toHaveLength(1);
    const webhook = { events: ["MoMessage"], callbackUrl: `https://${lab.portal}/incoming` };
    expect(await tyntec("/applications/default", patch([webhook]))).toMatchObject({ status: 204, body: "" });
    expect(JSON.parse((await tyntec("/applications/default")).body).webhooks).toEqual([...before.webhooks, webhook]);

    const refused = await tyntec("/applications/default", patch([{ ...webhook, callbackUrl: "http://x.example" }]));
    expect(refused.status).toBe(400);
    expect(refused.headers["content-type"]).toBe("application/problem+json");
    expect(JSON.parse(refused.body).violations).toEqual([
      { field: "webhooks[0].callbackUrl", message: 'must match "^https://"' },
    ]);
    expect((await tyntec("/applications/default", { headers: { apikey: "x" } })).status).toBe(401);
    expect((await tyntec("/elsewhere")).status).toBe(404);
    await lab.tyntec.reset();
    expect(JSON.parse((await tyntec("/applications/default")).body)).toEqual(before);
  });

  test("TynTec fails as told, and its log holds requests but never the key", async () => {
    await lab.tyntec.fail({ status: 503, retryAfter: 2, count: 1 });
    expect(await tyntec("/applications/default")).toMatchObject({ status: 503, headers: { "retry-after": "2" } });
    expect((await tyntec("/applications/default")).status).toBe(200);
    await lab.tyntec.fail({ cut: true, method: "PATCH" });
    await expect(tyntec("/applications/default", patch([]))).rejects.toThrow("socket hang up");
    await lab.tyntec.fail({});
    const requests = await lab.tyntec.requests();
    expect(requests.slice(-3).map(({ method, status }) => [method, status])).toEqual([
      ["GET", 503],
      ["GET", 200],
      ["PATCH", "cut"],
    ]);
    expect(JSON.stringify(requests)).not.toContain(lab.tyntec.apiKey);
  });

  test(
    "a host installs packages without a way out",
    async () => {
      const { exitCode } = await host("chatserver1").exec("apt-get install --yes --quiet=2 hello && hello");
      expect(exitCode).toBe(0);
    },
    minutes,
  );

  test(
    "a host keeps its files over a power cut and a controller's boot, and only its identity over a new installation",
    async () => {
      const { exec, kill, start, rebuild, root, hostKey, address } = host("chatserver1");
      await exec("echo kept > /root/note");
      await kill();
      expect(await exec("true")).toMatchObject({ exitCode: 255, stderr: "chatserver1 is off" });
      await execa("umount", [root]); // as the controller's boot does
      await start();
      expect((await exec("cat /root/note")).stdout).toBe("kept");
      await rebuild();
      expect((await exec("cat /root/note")).exitCode).toBe(1);
      expect((await ssh("deploy", hostKey, "hostname -I")).stdout.trim()).toBe(address);
    },
    2 * minutes,
  );

  test("a lab keeps its release: another one is refused, and so is one that there is not", async () => {
    const other = releases.find((release) => release !== lab.release) as Release;
    await expect(upLab(name, { hosts: [], release: other })).rejects.toThrow(
      `lab: ${name} is Debian ${lab.release}.  Remove it first: npm run lab -- down --name ${name}`,
    );
    expect((await host("chatserver1").exec(". /etc/os-release; echo $VERSION_CODENAME")).stdout).toBe(lab.release);
    expect(() => releaseNamed("sarge")).toThrow("Known: bullseye, bookworm, trixie");
  });

  test("a build that leaves this machine's null device unusable says so", async () => {
    const device = join(lab.directory, "null");
    await execa("mknod", ["-m", "666", device, "c", "1", "3"]);
    await withNullDevice(async () => {}, device);
    const spoiled = withNullDevice(() => chmod(device, 0o755), device);
    await expect(spoiled).rejects.toThrow(
      /mode 755\), since the image was built\. {2}Make it anew: rm -f .*\/null && mknod/,
    );
    const before = withNullDevice(async () => {}, device);
    await expect(before).rejects.toThrow("mode 755), before the image was built");
  });

  test("a second up starts nothing that runs", async () => {
    const running = daemons(id);
    expect(running).toHaveLength(6); // agent, apt cache, TynTec, three hosts
    const begin = Date.now();
    await upLab(name, { hosts: ["lb1", "chatserver1", "acd-dbm"] });
    expect(Date.now() - begin).toBeLessThan(5_000);
    expect(daemons(id)).toEqual(running);
  });

  test(
    "a lab whose owner has ended is swept by the next up; this one is left alone",
    async () => {
      const orphan = `orphan-${process.pid}`;
      const program = `import { upLab } from ${JSON.stringify(new URL("../../lab/lab.ts", import.meta.url).href)};
      const lab = await upLab("${orphan}", { hosts: [], temporary: true }); console.log(lab.agentSocket);`;
      const { stdout } = await execa(process.execPath, ["--input-type=module", "--eval", program]);
      const orphanId = basename(dirname(stdout));
      expect(await traces(orphanId)).not.toEqual([]);
      const running = daemons(id);
      await upLab(name, { hosts: [] });
      expect(await traces(orphanId)).toEqual([]);
      expect(await openLab(orphan)).toBeUndefined();
      expect(daemons(id)).toEqual(running);
    },
    minutes,
  );

  test(
    "down leaves nothing",
    async () => {
      expect(await traces(id)).not.toEqual([]);
      await downLab(name);
      expect(await traces(id)).toEqual([]);
      expect(existsSync(lab.directory)).toBe(false);
      expect(existsSync(dirname(lab.agentSocket))).toBe(false);
    },
    minutes,
  );
});
