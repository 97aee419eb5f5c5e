/** Hazelcast takes 5701 or the next free port, at most 100 further (Hazelcast manual, "port auto-increment"). */
export const hazelcastPorts = "5701:5801";

/** One allow rule over tcp. */
export interface AllowRule {
  /** A port, or a range `a:b`. */
  port: number | string;
  /** Address or network it is limited to. @default every one */
  source?: string | undefined;
  /** Interface it is limited to. @default every one */
  interface?: string | undefined;
}

/** A rule as the host tool's firewall kind reads it: `allow 3000/tcp from 10.1.0.11 on eth0`. */
export const allow = ({ port, source, interface: limitedTo }: AllowRule): string =>
  [`allow ${port}/tcp`, source && `from ${source}`, limitedTo && `on ${limitedTo}`].filter(Boolean).join(" ");
