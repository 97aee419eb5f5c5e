import { describe, expect, test } from "vitest";
import { toolPath } from "../../render/tool.ts";
import { bootable } from "../bootable.ts";
import { bench } from "./bench.ts";

const runnable = await bootable("confined programs on a booted host");

const { lab, host } = bench({ name: "confined", on: "chatserver1" });

/** What a program tries, each as `NAME: done` or `NAME: refused`. Its first argument is another process of its user. */
const attempts = `
import ctypes, os, signal, socket, sys
victim = int(sys.argv[1])
libc = ctypes.CDLL(None, use_errno=True)

def wrote(place):
    with open(place + "/by-checker", "w") as file:
        file.write("x")

def traced():
    if libc.ptrace(16, victim, 0, 0):
        raise OSError(ctypes.get_errno(), "ptrace")

def connected(family, address):
    with socket.socket(family) as connection:
        connection.settimeout(2)
        connection.connect(address)

tries = {
    "signal": lambda: os.kill(victim, signal.SIGTERM),
    "signal by pidfd": lambda: signal.pidfd_send_signal(os.pidfd_open(victim), signal.SIGTERM),
    "memory": lambda: open("/proc/%d/mem" % victim, "r+b"),
    "environment": lambda: open("/proc/%d/environ" % victim, "rb").read(),
    "trace": traced,
    "database": lambda: connected(socket.AF_INET, (sys.argv[2], 22)),
    "loopback": lambda: connected(socket.AF_INET, ("127.0.0.1", 22)),
    "unix socket": lambda: connected(socket.AF_UNIX, "/run/dbus/system_bus_socket"),
    "root's file": lambda: open("/etc/shadow").read(),
    **{"write " + place: (lambda place=place: wrote(place)) for place in ["/home/jtel", "/tmp", "/var/tmp", "/dev/shm", "/run/lock", "/run", "/etc"]},
}
for name, attempt in tries.items():
    try:
        attempt()
        print(name + ": done")
    except OSError:
        print(name + ": refused")
`;

/** The host tool's own function, from the tool as it is installed. */
const driver = (call: string): string => `
import json, runpy, subprocess, sys
runpy.run_path("${toolPath}", run_name="tool")
from jtel_chat.programs import confined, java
from jtel_chat.programs.confined import GIVEN, Rights
attempts = ${JSON.stringify(attempts)}
victim = subprocess.Popen(["setpriv", "--reuid=jtel", "--regid=jtel", "--clear-groups", "sleep", "1000"])
try:
    done = ${call}
    print(json.dumps({"code": done.returncode, "stdout": done.stdout, "stderr": done.stderr, "victim": victim.poll()}))
finally:
    victim.kill()
`;

interface Done {
  code: number;
  stdout: string;
  stderr: string;
  /** The exit code of the other process; null while it lives. */
  victim: number | null;
}

const done = async (call: string): Promise<Done> => {
  const { exitCode, stdout, stderr } = await host().exec("python3 -I -", { input: driver(call) });
  expect(exitCode, stderr).toBe(0);
  return JSON.parse(stdout);
};

const tried = (network: string, address: string): string =>
  `confined.run(["python3", "-I", "-c", attempts, str(victim.pid), "${address}"], user="jtel", timeout=30, network=${network}, rights=java._RIGHTS)`;

describe.skipIf(!runnable)("A confined program", () => {
  test("can do nothing to its user's other processes, to files or over a network", async () => {
    const { code, stdout, stderr, victim } = await done(tried("()", lab().controllerAddress));
    const lines = stdout.trim().split("\n");
    expect(lines, stderr).toHaveLength(16);
    expect(lines.filter((line) => !line.endsWith(": refused"))).toEqual([]);
    expect([code, victim]).toEqual([0, null]);
  });

  test("reaches the addresses that it was given", async () => {
    const { stdout, victim } = await done(tried(`["${host().address}", "127.0.0.0/8"]`, host().address));
    const allowed = stdout.split("\n").filter((line) => line.endsWith(": done"));
    expect(allowed).toEqual(["database: done", "loopback: done"]);
    expect(victim).toBeNull();
  });

  test("gets files and variables that nobody else sees, whatever they hold", async () => {
    const value = "a\"b\\c`d$e f\n\tg %n 'h' #;ü";
    const program =
      "import os, sys; sys.stdout.write(os.environ['VALUE'] + '|' + open(sys.argv[1]).read() + '|' + sys.argv[2])";
    const given = `given={"file": b"secret"}, environment={"VALUE": ${JSON.stringify(value)}}`;
    const argv = `["python3", "-I", "-c", ${JSON.stringify(program)}, GIVEN + "/file", "$HOME $$"]`;
    const { stdout, code } = await done(`confined.run(${argv}, user="jtel", timeout=30, ${given})`);
    expect(stdout).toBe(`${value}|secret|$HOME $$`);
    expect(code).toBe(0);
    expect((await host().exec("ls /run/jtel-chat /run/credentials 2>/dev/null")).stdout).not.toMatch(
      /confined|jtel-chat-check/,
    );
  });

  test.each([
    ['["sh", "-c", "echo out; echo err >&2; exit 1"]', { code: 1, stdout: "out\n", stderr: "err\n" }],
    ['["sleep", "30"]', { code: 124, stderr: "no end in time" }],
    ['["python3", "-c", "import os; os.abort()"]', { code: 125, stderr: expect.stringContaining("(signal)") }],
  ])("%s ends as it says, and no failed unit is left", async (argv, expected) => {
    expect(await done(`confined.run(${argv}, user="jtel", timeout=2)`)).toMatchObject(expected);
    expect((await host().exec("systemctl list-units --all --no-legend 'jtel-chat-check-*'")).stdout).toBe("");
  });

  test("is not started at all where it cannot be confined", async () => {
    const { exitCode, stderr } = await host().exec("python3 -I -", {
      input: driver('confined.run(["touch", "/run/by-checker"], user="no-such-user", timeout=5)'),
    });
    expect(stderr).toMatch(/Refused: .*this host starts none: systemd cannot set its unit up \(exit code 217/);
    expect(exitCode).not.toBe(0);
  });
});
