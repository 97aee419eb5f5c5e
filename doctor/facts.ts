/** What was found out about the machine that runs Pulumi, and about one stack's surroundings. */
export interface Facts {
  /** Of Node, e.g. `22.18.0`. */
  node: string;
  /** Of @pulumi/pulumi: as the lock file names it, and as it is installed (empty: not). */
  sdk: { wanted: string; installed: string };
  /** Of the `pulumi` program, e.g. `3.259.0`; empty where there is none. */
  pulumi: string;
  /** Plugins by name: the version that the packages want, and those that are installed. */
  plugins: Record<string, { wanted: string; installed: string[] }>;
  /** The version line of `ssh -V`; empty where there is none. */
  ssh: string;
  /** Whether temporary files can be written, and why not. */
  temporary: string;
  /** The clock: whether it is kept by NTP (undefined: nobody says), and milliseconds since 1970. */
  clock: { synchronized: boolean | undefined; now: number };
  /** When the newest file of the program was written, in milliseconds since 1970. */
  programWritten: number;
  backend: Backend;
  agent: Agent;
  proxy: ProxyFacts;
  /** Of one stack; undefined where none was named. */
  stack?: StackFacts | undefined;
}

/** Where Pulumi keeps states. */
export interface Backend {
  /** `file:///srv/pulumi`; empty where nobody is logged in. */
  url: string;
  /** Why it cannot be used, as Pulumi says it. */
  problem: string;
}

/** The ssh agent that hosts are reached with. */
export interface Agent {
  /** Path of its socket; empty where none is named. */
  socket: string;
  /** Whether it answers. */
  answers: boolean;
  /** Its keys, e.g. `256 SHA256:… alice (ED25519)`. */
  keys: string[];
}

/** The proxy of the environment for https. */
export interface ProxyFacts {
  /** `http://proxy.example:3128`; empty where none is set. */
  url: string;
  /** Why it cannot be reached; empty where it can, or where its URL is none. */
  problem: string;
}

/** One stack's surroundings. */
export interface StackFacts {
  name: string;
  /** Whether its file is there. */
  file: boolean;
  /** Problems of the file, as `npm run validate` says them. */
  problems: string[];
  /** Whether the backend knows it. */
  known: boolean;
  /** Who holds its lock. */
  lock?: Lock | undefined;
  /** How its secrets are encrypted: `passphrase`, or the URL of a key. */
  provider: string;
  passphrase: Passphrase;
  /** Why a secret could not be decrypted, as Pulumi says it. */
  decryption: string;
  hosts: HostFacts[];
}

/** A lock in a backend of files. */
export interface Lock {
  who: string;
  since: string;
  /** Whether the process that took it runs; undefined where it is on another machine. */
  runs: boolean | undefined;
}

/** Where the passphrase comes from. */
export interface Passphrase {
  /** Whether a variable says it. */
  set: boolean;
  /** The file that PULUMI_CONFIG_PASSPHRASE_FILE names. */
  file: string;
  /** Whether that can be read, and others may read it. */
  readable: boolean;
  open: boolean;
}

/** One host, as far as the route to it goes. */
export interface HostFacts {
  name: string;
  address: string;
  port: number;
  /** The jump host in front of it, which is then what was tried. */
  jump?: string | undefined;
  /** The outcome of a TCP connection: `ok`, or an error's code, e.g. `ECONNREFUSED`, `ENOTFOUND`, `timeout`. */
  route: string;
  /** Whether it offers the pinned key; undefined where it was not asked. */
  key: boolean | undefined;
}
