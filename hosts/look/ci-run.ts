/**
 * What a host's log says of the CI run that changes it: `commit 1a2b3c4…, https://ci.example/runs/7`; empty outside CI.
 */
export const ciRun = async (): Promise<string> => {
  if (!process.env.CI) return "";
  const { default: envCi } = await import("env-ci");
  const run = envCi();
  const url = "buildUrl" in run ? run.buildUrl : undefined;
  return [run.commit && `commit ${run.commit}`, url].filter(Boolean).join(", ");
};
