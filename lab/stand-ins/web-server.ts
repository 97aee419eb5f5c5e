import { until } from "../deadline.ts";
import type { LabHost } from "../hosts/host.ts";

/** A platform's web server, as far as chat is concerned: beside Java a Hazelcast member of its own on port 5701. */
const webServer = `
  set -ex
  cat >/etc/systemd/system/acd-web.service <<'UNIT'
[Service]
User=jtel
Restart=on-failure
ExecStart=/usr/bin/java -Xmx96m -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Dhazelcast.config=/home/jtel/shared/hazelcast.xml \\
  -cp /home/jtel/shared/JTELCarrierPortal/Utils/Install/ClientMessenger/bin/* com.hazelcast.core.server.StartServer
[Install]
WantedBy=multi-user.target
UNIT
  ufw allow proto tcp from $SUBNET to any port 5701:5801 comment 'web cluster' >/dev/null
  systemctl enable --quiet --now acd-web`;

/** Which start of the web server's member runs. */
export const webServerStart = "systemctl show --value --property=InvocationID acd-web; systemctl is-active acd-web";

/** Starts the web server's member, waits for it, and gives its {@link webServerStart}. */
export const startWebServer = async (host: LabHost, subnet: string): Promise<string> => {
  const { exitCode, stdout, stderr } = await host.exec(`SUBNET=${subnet}; ${webServer}`);
  if (exitCode) throw new Error(`${host.name}: the web server's member, exit code ${exitCode}: ${stdout}${stderr}`);
  return until(`${host.name}: the web server's member`, 60, async () => {
    const { stdout: start } = await host.exec(webServerStart);
    const { stdout: log } = await host.exec(`journalctl --output=cat _SYSTEMD_INVOCATION_ID=${start.split("\n", 1)}`);
    if (!log.includes("is STARTED")) throw new Error(`${start}${log}`);
    return start.trim();
  });
};
