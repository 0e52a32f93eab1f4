import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), "../..");

/** Folders that are made, not written. */
const MADE = new Set(["node_modules", "dist", "data", "coverage", ".git", "src/platform/prisma"]);

/** Paths of all files below a folder, relative to the root, with forward slashes. */
export function filesBelow(folder: string): string[] {
  const found: string[] = [];
  for (const entry of readdirSync(join(ROOT, folder), { withFileTypes: true })) {
    const path = folder === "." ? entry.name : `${folder}/${entry.name}`;
    if (MADE.has(path)) continue;
    if (entry.isDirectory()) found.push(...filesBelow(path));
    else found.push(path);
  }
  return found.sort();
}

export function read(path: string): string {
  return readFileSync(join(ROOT, path), "utf8");
}

const IMPORT = /(?:\bfrom\s*|\bimport\s*\(\s*|\bimport\s+|new URL\(\s*)"([^"]+)"/g;

export interface Import {
  /** As written. */
  readonly specifier: string;
  /** Path of the project file it names, relative to the root; null for packages. */
  readonly file: string | null;
}

/** What a source text imports, statically, dynamically, as a type or as a worker's URL. */
export function importsOf(path: string, text: string): Import[] {
  return [...withoutComments(text).matchAll(IMPORT)].map((match) => {
    const specifier = match[1] ?? "";
    if (!specifier.startsWith(".")) return { specifier, file: null };
    const target = relative(ROOT, resolve(ROOT, dirname(path), specifier)).replaceAll("\\", "/");
    return { specifier, file: target.replace(/\.js$/, ".ts") };
  });
}

export function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/(^|[^:"'`])\/\/[^\n]*/g, "$1");
}
