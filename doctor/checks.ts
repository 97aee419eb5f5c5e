import type { Facts, HostFacts, StackFacts } from "./facts.ts";

/** Something that is wrong, or may be. */
export interface Finding {
  /** `runner`, `stack`, or a host's name. */
  about: string;
  text: string;
  /** Whether Pulumi works without it being repaired. @default false */
  works?: boolean;
}

/** What is checked, in the order in which a person repairs it. */
const runnerChecks: ((facts: Facts) => string | undefined)[] = [
  ({ node }) =>
    older(node, "22.18.0")
      ? `Node ${node} is too old: 22.18 or newer is needed. Install it, or use toolchain/exec`
      : undefined,
  ({ sdk }) => (sdk.installed ? undefined : "the npm packages are not installed. Run: npm install"),
  ({ sdk }) =>
    sdk.installed && sdk.installed !== sdk.wanted
      ? `@pulumi/pulumi ${sdk.installed} is installed, the lock file has ${sdk.wanted}. Run: npm ci`
      : undefined,
  ({ pulumi }) => (pulumi ? undefined : "pulumi is not installed, or not on the PATH. See docs/toolchain.md"),
  ({ pulumi, sdk }) =>
    pulumi && older(pulumi, sdk.wanted)
      ? `pulumi ${pulumi} is older than its library, ${sdk.wanted}. Update it: https://www.pulumi.com/docs/install/`
      : undefined,
  ({ plugins }) => {
    const [missing] = Object.entries(plugins).filter(([, { installed }]) => !installed.length);
    return missing && `the plugin ${missing[0]} is missing. Run: ${installing(...missing)}`;
  },
  ({ plugins }) => {
    const [other] = Object.entries(plugins).filter(
      ([, { wanted, installed }]) => installed.length && !installed.includes(wanted),
    );
    return (
      other &&
      `the plugin ${other[0]} is there as ${other[1].installed.join(", ")}, wanted is ${other[1].wanted}. Run: ${installing(...other)}`
    );
  },
  ({ ssh }) =>
    ssh ? undefined : "ssh is not installed, with which hosts are looked at. Install it: apt install openssh-client",
  ({ temporary }) =>
    temporary ? `no temporary file can be written (${temporary}). Make room there, or set TMPDIR` : undefined,
  ({ clock, programWritten }) =>
    clock.now < programWritten - 86_400_000
      ? `the clock says ${new Date(clock.now).toISOString().slice(0, 10)}, which is before the program was written: certificates and windows are judged by it. Set it: timedatectl set-ntp true`
      : undefined,
  ({ agent }) =>
    agent.socket
      ? undefined
      : "no ssh agent: SSH_AUTH_SOCK is not set, and the stack names no ssh.agentSocket. Run: eval $(ssh-agent); ssh-add",
  ({ agent }) =>
    agent.socket && !agent.answers
      ? `no ssh agent answers on ${agent.socket}: it has ended. Start one, and name its socket: ssh-agent -a ${agent.socket}`
      : undefined,
  ({ agent }) =>
    agent.answers && !agent.keys.length ? "the ssh agent has no key. Load it: ssh-add ~/.ssh/id_ed25519" : undefined,
  ({ proxy }) =>
    proxy.url && !/^https?:\/\/[^\s/]+/.test(proxy.url)
      ? "HTTPS_PROXY is no URL. Write it as http://proxy.example:3128, or unset it"
      : undefined,
  ({ proxy }) =>
    proxy.problem
      ? `the proxy of HTTPS_PROXY does not answer (${proxy.problem}), so TynTec and a backend behind it are not reached. Correct it, or name exceptions in NO_PROXY`
      : undefined,
  ({ backend }) =>
    backend.url || backend.problem
      ? undefined
      : "no backend: pulumi is not logged in. Run: pulumi login URL, or set PULUMI_BACKEND_URL",
  ({ backend }) =>
    backend.problem
      ? `the backend ${backend.url} cannot be used (${backend.problem}). Check its address and your access to it`
      : undefined,
];

const runnerWarnings: ((facts: Facts) => string | undefined)[] = [
  ({ agent }) =>
    agent.keys.length > 5
      ? `the ssh agent has ${agent.keys.length} keys, and a host refuses a login after 6 tries. Put this customer's key into an agent of its own: ssh.agentSocket`
      : undefined,
  ({ clock }) =>
    clock.synchronized === false
      ? "the clock is not kept by NTP, and windows are judged by it. Run: timedatectl set-ntp true"
      : undefined,
];

const stackChecks: ((stack: StackFacts) => string | undefined)[] = [
  ({ name, file }) =>
    file ? undefined : `Pulumi.${name}.yaml is not here. Run this in the checkout; npm run new makes a stack`,
  ({ problems: [first], problems }) =>
    first &&
    `its file has ${problems.length === 1 ? "a problem" : `${problems.length} problems`}: ${first}. All of them: npm run validate`,
  ({ name, file, known }) =>
    file && !known
      ? `the backend does not know ${name}. Is it the right backend? A new one: pulumi stack init ${name}`
      : undefined,
  ({ name, lock }) =>
    lock && lock.runs !== true
      ? `its lock is held by ${lock.who} since ${lock.since}${lock.runs === false ? ", and that process has ended" : ""}. When nobody runs pulumi for it: pulumi cancel --stack ${name}`
      : undefined,
  ({ lock }) =>
    lock?.runs ? `${lock.who} runs pulumi for it since ${lock.since}. Wait until that has ended` : undefined,
  ({ provider, passphrase }) =>
    provider === "passphrase" && !passphrase.set && !passphrase.file
      ? "its secrets have a passphrase, and none is set. Set PULUMI_CONFIG_PASSPHRASE_FILE to a file with it"
      : undefined,
  ({ passphrase: { file, readable } }) =>
    file && !readable
      ? `PULUMI_CONFIG_PASSPHRASE_FILE names ${file}, which cannot be read. Correct the path, or its owner`
      : undefined,
  ({ decryption }) =>
    /passphrase/i.test(decryption)
      ? "the passphrase is not the one that its secrets were encrypted with. Ask who made the stack"
      : undefined,
  ({ provider, decryption }) =>
    decryption && !/passphrase/i.test(decryption)
      ? `its secrets cannot be decrypted with ${provider} (${decryption}). Check your access to that key`
      : undefined,
];

const stackWarnings: ((stack: StackFacts) => string | undefined)[] = [
  ({ passphrase: { file, open } }) =>
    file && open
      ? `${file} has the passphrase, and every user of this machine may read it. Run: chmod 600 ${file}`
      : undefined,
];

const hostChecks: ((host: HostFacts) => string | undefined)[] = [
  ({ address, route }) =>
    /^(?:ENOTFOUND|EAI_AGAIN)$/.test(route)
      ? `${address} does not resolve here. Correct its address, or use the IP address`
      : undefined,
  ({ address, port, route }) =>
    route === "ECONNREFUSED"
      ? `nothing listens on ${address}, port ${port}. Does sshd run there, and on that port?`
      : undefined,
  ({ address, port, route, jump }) =>
    /^(?:timeout|EHOSTUNREACH|ENETUNREACH)$/.test(route)
      ? `there is no way to ${address}, port ${port}. ${jump ? "Is the jump host up?" : "Is a VPN or a jump host needed (jump)? Does its firewall let ssh in from here?"}`
      : undefined,
  ({ key }) =>
    key === false
      ? "it offers another host key than the pinned one. Compare with its console: cat /etc/ssh/ssh_host_ed25519_key.pub. A rebuilt host has a new one"
      : undefined,
];

/** All that is wrong, each with its remedy. What cannot be judged because of something before it is left out. */
export const findings = (facts: Facts): Finding[] => {
  const { stack } = facts;
  return [
    ...all(runnerChecks, facts).map((text) => ({ about: "runner", text })),
    ...all(runnerWarnings, facts).map((text) => ({ about: "runner", text, works: true })),
    ...(stack ? all(stackChecks, stack).map((text) => ({ about: stack.name, text })) : []),
    ...(stack ? all(stackWarnings, stack).map((text) => ({ about: stack.name, text, works: true })) : []),
    ...(stack?.hosts ?? []).flatMap((host) => all(hostChecks, host).map((text) => ({ about: host.name, text }))),
  ];
};

const all = <Subject>(checks: ((subject: Subject) => string | undefined)[], subject: Subject): string[] =>
  checks.flatMap((check) => check(subject) ?? []);

const installing = (name: string, { wanted }: { wanted: string }): string =>
  `pulumi plugin install resource ${name} ${wanted}`;

const older = (one: string, other: string): boolean => {
  const [mine = [], theirs = []] = [one, other].map((each) => each.split(".").map(Number));
  const at = theirs.findIndex((number, index) => number !== (mine[index] ?? 0));
  return at >= 0 && (mine[at] ?? 0) < (theirs[at] ?? 0);
};
