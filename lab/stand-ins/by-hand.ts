import { home, releaseFolder, unitName } from "../../render/client-messenger/places.ts";

const vendor = `/home/jtel/shared/${releaseFolder}`;

/**
 * The vendor's procedure for one chat server, typed in by a person who did one step twice: a script for root.
 *
 * Chat runs then, its password stands in the unit, and there is a nested copy of the program.
 */
export const installedByHand = (password: string): string => `
  cp -R ${vendor}/ ${home} && cp -R ${vendor}/ ${home}
  sed 's/<hazelcast/<!-- own -->\\n<hazelcast/' /home/jtel/shared/hazelcast.xml > ${home}/conf/hazelcast.xml
  cd ${home}/systemd
  python3 - <<'END'
import pathlib
unit = pathlib.Path("${unitName}")
text = unit.read_text().replace("<password>", """${inUnit(password)}""").replace("/srv/jtel/shared/Data/Clients/", "/home/jtel/shared/Data/clients/")
unit.write_text(text)
END
  chown -R jtel:jtel ${home}
  cp ${unitName} /etc/systemd/system/ && systemctl daemon-reload && systemctl enable --now ${unitName}
  printf '#!/bin/sh\\nservice jtel-clientmessenger stop\\ncp -R ${vendor}/bin/* ${home}/bin\\n' > /usr/local/bin/updatesc.sh
  chmod 755 /usr/local/bin/updatesc.sh
  ufw allow 5701:5801/tcp && ufw allow 3000/tcp`;

/** A password in a JDBC URL, in a unit's ExecStart. */
const inUnit = (password: string): string => encodeURIComponent(password).replaceAll("%", "%%").replaceAll("'", "%%27");
