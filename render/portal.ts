/** What the portal has to be told. */
export interface PortalHandover {
  scheme: "https" | "http";
  /** Public name and port of chat. */
  host: string;
  port: number;
  /** With WhatsApp: the portal's public URL, TynTec's API and the number. */
  whatsapp?: { portal: string; tyntecUrl: string; serviceNumber: string } | undefined;
}

/** The portal's system parameters and their values (vendor page "Portal parameters", "WhatsApp"). */
export const portalParameters = ({ scheme, host, port, whatsapp }: PortalHandover): Record<string, string> => {
  const authority = `${host}:${port}`;
  return {
    "ACD.Chat.Script.Library.URL": `${scheme}://${authority}/gui/`,
    "ACD.Chat.Server.Base.URL": `${scheme === "https" ? "wss" : "ws"}://${authority}`,
    ...(whatsapp && {
      "ACD.Whatsapp.Server.Base.URL": `${scheme}://${authority}`,
      "ACD.Whatsapp.Whatsapp.Url": `https://${new URL(whatsapp.portal).hostname}:${port}`,
      "ACD.Whatsapp.Tyntec.Url": `${whatsapp.tyntecUrl}/messages`,
    }),
  };
};

/** What a person has to do in the portal, one line each (vendor page "Manual steps"). */
export const manualSteps = ({ whatsapp }: PortalHandover): string[] => [
  'Create an agent status for "Chat".',
  "Set the maximum number of parallel chats of every agent who chats (it is 0).",
  ...(whatsapp
    ? [
        `Chat Connector: set the WhatsApp check mark, the TynTec API key and the service number ${whatsapp.serviceNumber}.`,
      ]
    : []),
];

/** What the table shows. */
export interface PortalTable {
  parameters: Record<string, string>;
  steps: string[];
  /** For each parameter, in order, what came of trying its URL; without it the table has no such column. */
  answers?: string[];
}

/** Both as Markdown, for the ticket of the person who does it. */
export const portalTable = ({ parameters, steps, answers }: PortalTable): string => {
  const row = (cells: string[]) => `| ${cells.join(" | ")} |`;
  const tried = (text: string | undefined) => (answers ? [text ?? ""] : []);
  return [
    row(["portal parameter", "value", ...tried("tried from here")]),
    row(["---", "---", ...tried("---")]),
    ...Object.entries(parameters).map(([name, value], index) => row([name, value, ...tried(answers?.[index])])),
    "",
    ...steps.map((step, index) => `${index + 1}. ${step}`),
    "",
  ].join("\n");
};
