/** `npm run check`: what can be known of a change in less than a minute, without root. */
import { runChecks, shortVitest } from "./checks.ts";

const begin = performance.now();
const { passed, failed, skipped } = await runChecks(shortVitest);
const seconds = Math.round((performance.now() - begin) / 1000);
console.log(`${passed} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ""}, in ${seconds} s`);
process.exitCode = failed ? 1 : 0;
