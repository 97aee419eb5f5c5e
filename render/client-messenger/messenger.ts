import { document, type Section } from "../document.ts";
import { ownTextSection } from "../own-text.ts";
import type { Database } from "./jdbc-url.ts";
import { home, unitName, vendorFolder } from "./places.ts";
import { type Needs, resourcesSection } from "./resources.ts";
import { type Unit, unitSection } from "./unit.ts";

/** What ClientMessenger's installation depends on. */
export interface Installation extends Unit {
  database: Pick<Database, "host" | "port">;
}

/** The program, its unit and the update script; what the host has to have is checked before. */
export const messengerDocument = (installation: Installation & { needs: Needs }): string =>
  document(resourcesSection(installation.needs, `${home}/bin`), ...installationSections(installation));

/** The same without the host's resources, which a container of a test does not have. */
export const installationSections = (installation: Installation): Section[] => [
  { kind: "database", name: installation.database.host, fields: { port: String(installation.database.port) } },
  releaseSection(installation),
  unitSection(installation),
  ownTextSection("usr/local/bin/updatesc.sh"),
];

const releaseSection = ({ share, release }: Installation): Section => ({
  kind: "release",
  name: home,
  fields: {
    from: vendorFolder(share),
    mount: share.hosted ? undefined : share.path,
    release,
    "loaded-by": unitName,
  },
});
