import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";

const checkout = join(import.meta.dirname, "../..");

const pages = ["README.md", "SECURITY.md", ...readdirSync(join(checkout, "docs")).map((name) => `docs/${name}`)].filter(
  (name) => name.endsWith(".md"),
);

const textOf = (page: string) => readFileSync(join(checkout, page), "utf8");

/** As GitHub makes them of headings: `## Confined programs` → `confined-programs`. */
const anchorsOf = (page: string): string[] =>
  [...textOf(page).matchAll(/^#+ (.*)$/gm)].map(([, title = ""]) =>
    title
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-"),
  );

/** Links to files and headings of the project: `[text](target)`. */
const linksOf = (page: string): string[] =>
  [...textOf(page).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = ""]) => target)
    .filter((target) => !/^\w+:/.test(target));

const leads = (page: string, link: string): boolean => {
  const [file = "", anchor] = link.split("#");
  const target = file ? join(dirname(page), file) : page;
  return existsSync(join(checkout, target)) && (!anchor || anchorsOf(target).includes(anchor));
};

test.each(pages)("every link in %s leads to a file and a heading that exist", (page) => {
  expect(linksOf(page).filter((link) => !leads(page, link))).toEqual([]);
});

test.each(pages)("every test that %s names by its path exists", (page) => {
  const named = [...textOf(page).matchAll(/\btest\/[\w./-]+\.(?:ts|py)\b/g)].map(([path]) => path);
  expect(named.filter((path) => !existsSync(join(checkout, path)))).toEqual([]);
});
