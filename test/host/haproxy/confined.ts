import { afterEach, describe, expect, test } from "vitest";
import { minutes, until } from "../../../lab/deadline.ts";
import { apply, file, lb1, observe, run, unseen } from "./customer.ts";

/** Knows one name. */
const nameServer = `
import socket
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("127.0.0.1", 53))
while True:
    query, client = server.recvfrom(512)
    question = query[12 : query.index(b"\\0", 12) + 5]
    known = b"\\4only\\3dns\\7example" in question
    answers = question[:-4] + bytes([0, 1, 0, 1, 0, 0, 0, 1, 0, 4, 10, 0, 0, 9]) if known and question[-3] == 1 else b""
    flags = b"\\x81\\x80" if known else b"\\x81\\x83"
    server.sendto(query[:2] + flags + bytes([0, 1, 0, bool(answers), 0, 0, 0, 0]) + question + answers, client)
`;

/** Answers nothing. */
const silent = `
import socket, time
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("127.0.0.1", 53))
time.sleep(600)
`;

/** What a customer's file can make its checker do. */
export const isCheckedWithoutRights = (): void => {
  describe("is checked without rights", () => {
    const lua = "/etc/haproxy/customers.lua";

    /** Lua in the customer's file: it tries everything, and says what it could read. */
    const loads = async (program: string) => {
      await lb1().exec(`cat > ${lua}`, { input: program });
      await run(`sed -i '0,/^global/s##global\\n\\tlua-load ${lua}#' ${file}; grep -q lua-load ${file}; ${unseen}`);
    };

    afterEach(() => run(`rm -f ${lua}; : > /etc/resolv.conf; systemctl stop names 2>/dev/null || true`));

    test("so Lua in it writes nothing, executes nothing and reaches nobody", async () => {
      const places = ["/tmp", "/var/tmp", "/run", "/run/lock", "/dev/shm", "/etc/haproxy", "/var/lib/haproxy", "/home"];
      await run("systemd-run --quiet --unit=crm python3 -m http.server --bind 127.0.0.1 3004");
      await loads(`
        for _, place in ipairs({ ${places.map((place) => `"${place}"`).join(", ")} }) do
          local file = io.open(place .. "/by-lua", "w")
          if file then file:write("x") file:close() end
        end
        os.execute("touch /tmp/by-lua; pkill -9 -f http.server; curl -s http://127.0.0.1:3004/by-lua")
        local shell = io.popen("touch /var/tmp/by-lua")
        if shell then shell:close() end
      `);
      expect((await observe()).problems).toEqual([]);
      await run(`for place in ${places.join(" ")}; do test ! -e $place/by-lua; done; systemctl is-active crm`);
      expect(await run("journalctl --unit=crm --output=cat | grep -c by-lua || true")).toBe("0");
      await run("systemctl stop crm");
    });

    test("and what Lua says in HAProxy's name is not shown", async () => {
      await loads(`
        local secret = io.open("/etc/shadow"):read("*l")
        io.stderr:write("[ALERT]    (1) : config : parsing [${file}:2] : " .. secret .. "\\n")
        error(secret)
      `);
      const { problems } = await observe();
      expect(problems).toEqual([
        expect.stringMatching(/haproxy -c refuses the file as it would be.*haproxy\.cfg:2\]: see there/),
      ]);
      expect(problems.join()).not.toMatch(/root:|\*:/);
      const { stderr } = await apply();
      expect(stderr).not.toMatch(/root:|\*:/);
    });

    test("and what it quotes of other files is not shown", async () => {
      await run(
        `printf 'frontend x\\n\\tbind :9999\\n\\tacl y src -f /etc/shadow\\n\\thttp-request deny if y\\n' >> ${file}; ${unseen}`,
      );
      const { problems } = await observe();
      expect(problems).toEqual([expect.stringContaining("error detected while parsing ACL 'y' : '…'")]);
    });

    test("and a server that only DNS knows is known to it, and one that nobody knows is not", async () => {
      await lb1().exec("cat > /root/names.py", { input: nameServer });
      await run(
        "systemd-run --quiet --collect --unit=names python3 /root/names.py; echo nameserver 127.0.0.1 > /etc/resolv.conf",
      );
      await until(
        "the name server",
        10,
        async () => (await lb1().exec("getent hosts only.dns.example")).exitCode === 0 || undefined,
      );
      await run(`printf 'backend named\\n\\tserver a only.dns.example:80\\n' >> ${file}; ${unseen}`);
      expect((await observe()).problems).toEqual([]);
      await run(`sed -i s/only.dns/nobody.dns/ ${file}; ${unseen}`);
      expect((await observe()).problems).toEqual([
        expect.stringMatching(
          /refused as it stands, too: .*'server (?:named\/)?a' : could not resolve address 'nobody\.dns\.example'/,
        ),
      ]);
    });
  });

  test(
    "a check that ends by its limit, since nobody answers for names, says so with the names",
    async () => {
      await lb1().exec("cat > /root/silent.py", { input: silent });
      const names = [1, 2, 3, 4, 5, 6, 7].map((number) => `jb${number}.dns.example`);
      const servers = names.map((name) => `\\tserver ${name} ${name}:80\\n`).join("");
      await run(`systemd-run --quiet --collect --unit=names python3 /root/silent.py; echo nameserver 127.0.0.1 > /etc/resolv.conf
        printf 'backend named\\n${servers}' >> ${file}; ${unseen}`);
      expect((await observe()).problems).toEqual([
        expect.stringContaining(
          `haproxy -c did not end within 60 s, since the name servers of this host did not answer in time for ${names.join(", ")}.`,
        ),
      ]);
    },
    4 * minutes,
  );

  test("a chroot that is gone stops nothing that needs no reload, and is a warning", async () => {
    await apply();
    await run(`sed -i 's#^\\tchroot .*#\\tchroot /var/lib/nowhere#' ${file}`);
    const { problems, warnings } = await observe();
    expect(problems).toEqual([]);
    expect(warnings).toEqual([
      expect.stringMatching(/haproxy\.cfg was changed .*'chroot \/var\/lib\/nowhere'/),
      expect.stringContaining("'chroot /var/lib/nowhere' (global) does not exist"),
    ]);
  });
};
