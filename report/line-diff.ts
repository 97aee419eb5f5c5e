import { createTwoFilesPatch } from "diff";

/** The lines in which two texts differ, unified, without the names of files: `@@ -1,3 +1,3 @@` first. Empty where none does. */
export const lineDiff = (before: string, after: string): string => {
  if (before === after) return "";
  const patch = createTwoFilesPatch("", "", before, after, "", "", { context: 2 });
  return patch.slice(patch.indexOf("@@")).trimEnd();
};
