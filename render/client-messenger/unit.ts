import type { Share } from "../../config/schema.ts";
import type { Section } from "../document.ts";
import { connectionArgument, handover } from "./handover.ts";
import { home, unitName, vendorFolder } from "./places.ts";

/** What the service's unit depends on. */
export interface Unit {
  share: Share;
  /** `hold`, `follow`, or a release's digest. */
  release: string;
  /** Major release of the Java that runs it. */
  javaVersion: number;
  /** What a person has decided about it. */
  unit: {
    /** Lines of the vendor's unit that are taken over although they are not on the list. */
    accept: string[];
    /** What the service may not reach: files, tmp, network. */
    limits: string[];
  };
}

/** The service's unit: what the host's closed list lets through of the vendor's, and values for the lines that are ours. */
export const unitSection = ({ share, release, javaVersion, unit }: Unit): Section => {
  const { path, field } = handover(javaVersion);
  return {
    kind: "unit",
    name: unitName,
    fields: {
      from: `${home}/systemd/${unitName}`,
      offered: `${vendorFolder(share)}/systemd/${unitName}`,
      release,
      argument: connectionArgument,
      [field]: path,
      data: dataDirectory(share),
      mount: share.hosted ? undefined : share.path,
      accept: unit.accept.length ? unit.accept : undefined,
      limits: unit.limits.length ? unit.limits : undefined,
    },
  };
};

/** Where ClientMessenger keeps attachments; the vendor's two paths differ in case, too. */
const dataDirectory = (share: Share): string =>
  share.hosted ? "/srv/jtel/shared/Data/Clients/" : `${share.path}/Data/clients/`;
