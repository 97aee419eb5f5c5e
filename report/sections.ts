import { counted, placeText } from "./headline.ts";
import { wayToKeep } from "./keep.ts";
import { code, fenced } from "./neutral.ts";
import type { Report } from "./report.ts";

/** One part of the Markdown of a report. */
export interface Section {
  /** Its one line where it is folded. */
  title: string;
  body: string;
  /** `decision`: never folded and never left out. `detail`: folded, and left out where there is no room. */
  weight: "decision" | "detail";
}

/** The parts of a report below its headline, what wants a decision first. */
export const sections = (report: Report): Section[] =>
  [
    ...problems(report),
    ...unseen(report),
    ...removals(report),
    ...drift(report),
    ...warnings(report),
    ...changes(report),
    ...back(report),
    ...topology(report),
    ...approval(report),
  ].filter(({ body }) => body);

const problems = ({ problems: found }: Report): Section[] =>
  found.length ? [{ title: "Problems", body: fenced(found.join("\n"), "text"), weight: "decision" }] : [];

const unseen = ({ unseen: hosts }: Report): Section[] =>
  hosts.length
    ? [
        {
          title: "Not seen",
          body: hosts.map(({ host, why }) => `- ${code(host)}: ${code(why)}`).join("\n"),
          weight: "decision",
        },
      ]
    : [];

const removals = ({ reach }: Report): Section[] =>
  reach.removed.length
    ? [{ title: "Removed", body: reach.removed.map((step) => `- ${code(step)}`).join("\n"), weight: "decision" }]
    : [];

/** What a person has changed on a host; lines of the commit stand in {@link changes} only. */
const drift = ({ drift: edits }: Report): Section[] =>
  edits.map((edit) => {
    const keep = wayToKeep(edit.step);
    const written = Object.entries(edit.written).map(
      ([path, time]) => `${code(path)} was last written at ${code(time)}`,
    );
    const lines = [
      `${code(edit.reason)}`,
      ...(written.length ? [`${written.join(", ")} (hints, no proof).`] : []),
      ...(edit.diff ? [fenced(edit.diff, "diff")] : []),
      `An \`up\` takes this back.${keep ? ` To keep it: ${keep}.` : ""}`,
    ];
    return { title: `Changed by hand on ${placeText(edit)}`, body: lines.join("\n\n"), weight: "decision" };
  });

const warnings = ({ warnings: found }: Report): Section[] => {
  const lines = found.map((warning) => `- ${code(placeText(warning))}: ${code(warning.text)}`);
  return lines.length ? [{ title: "Warnings", body: lines.join("\n"), weight: "decision" }] : [];
};

const changes = ({ changes: found }: Report): Section[] =>
  found.map(({ operation, cause, diff, secret, ...place }) => {
    const lines = [
      ...(secret ? ["A secret value is new. It is shown nowhere."] : []),
      ...(cause ? [`Because: ${code(cause)}`] : []),
      ...(diff ? [fenced(diff, "diff")] : []),
    ];
    return {
      title: `${operation} ${placeText(place)}`,
      body: lines.join("\n\n") || "Its inputs change.",
      weight: "detail",
    };
  });

const back = ({ verdict }: Report): Section[] =>
  verdict === "changes"
    ? [
        {
          title: "How to get back",
          body: "Revert the commit and apply again: every step goes back to its earlier document. A service that is not healthy is put back by itself. `pulumi destroy` gives the hosts back as they were before chat.",
          weight: "detail",
        },
      ]
    : [];

/** Who talks to whom, as far as the report knows. */
const topology = ({ reach, hosts }: Report): Section[] => {
  const lines = hosts.map(({ name, steps }) => {
    const open = reach.sessions[name];
    const role = [
      ...(steps.includes("haproxy") ? ["load balancer"] : []),
      ...(steps.includes("messenger") ? ["chat server"] : []),
    ];
    return `${name.padEnd(16)} ${role.join(", ")}${open === undefined ? "" : `, ${counted(open, "connection")}`}`;
  });
  return lines.length ? [{ title: "Topology", body: fenced(lines.join("\n"), "text"), weight: "detail" }] : [];
};

const approval = ({ approval: found }: Report): Section[] => {
  const body = "refused" in found ? `Cannot be approved: ${code(found.refused)}` : `To approve: ${code(found.digest)}`;
  return [{ title: "Approval", body, weight: "decision" }];
};
