import type { Share } from "../../config/schema.ts";

/** Where ClientMessenger lives on every chat server (vendor page "ClientMessenger"). */
export const home = "/home/jtel/ClientMessenger";

/** Its Hazelcast configuration. */
export const hazelcastFile = `${home}/conf/hazelcast.xml`;

/** Its systemd unit. */
export const unitName = "jtel-clientmessenger.service";

/** Folder of the vendor's release below the share. */
export const releaseFolder = "JTELCarrierPortal/Utils/Install/ClientMessenger";

/** The vendor's release, as a host sees it on the share. */
export const vendorFolder = ({ path }: Pick<Share, "path">): string => `${path}/${releaseFolder}`;
