// Joins the compiled modules and the packages they use into few files in dist/bundle: to find and read thousands of files
// one by one is most of a start. The program is one file. Threads run many kinds of task, so what these share lies in files of
// its own, and is in no thread twice. `modules.json` says which module begins at which line, for stacks.mjs.
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const DIST = fileURLToPath(new URL("../dist", import.meta.url));
const OUT = `${DIST}/bundle`;
const STACKS = fileURLToPath(new URL("stacks.mjs", import.meta.url));

/** Of what is loaded only where it is needed, and of what its threads have by themselves and would have twice. */
const APART = [
  "@electric-sql/*",
  "@prisma/client/runtime/query_compiler*",
  "@sentry/node",
  "pg-native",
  "piscina",
];

const THREAD = /new URL\("\.\/([\w-]+)\.js", import\.meta\.url\)/g;
/** Modules that threads begin with, by the name of their joined file. @type {Map<string, string>} */
const threads = new Map();

/** Modules find what lies beside them by where they were; threads begin with what was joined. */
const places = {
  name: "places",
  setup({ onLoad }) {
    onLoad({ filter: /\.[cm]?js$/ }, ({ path }) => {
      if (path === STACKS) return null;
      const text = readFileSync(path, "utf8");
      if (!/\bimport\.meta\.url\b|\b__(dir|file)name\b/.test(text)) return null;
      const from = (place) => JSON.stringify(relative(OUT, place).replaceAll("\\", "/"));
      const contents = text
        .replace(THREAD, (all, name) => {
          if (!path.startsWith(DIST)) return all;
          const joined = relative(DIST, `${dirname(path)}/${name}`).replace(/[\\/]/g, "-");
          threads.set(joined, `${dirname(path)}/${name}.js`);
          return `new URL("./${joined}.js", bundleUrl)`;
        })
        .replace(/\bimport\.meta\.url\b/g, `new URL(${from(path)}, bundleUrl).href`)
        .replace(/(?<![\w.'"[])__dirname\b(?!['"])/g, `bundlePath(${from(dirname(path))})`)
        .replace(/(?<![\w.'"[])__filename\b(?!['"])/g, `bundlePath(${from(path)})`);
      return { contents, loader: "js" };
    });
  },
};

const BANNER = `
import { createRequire as bundleRequire } from "node:module";
import { fileURLToPath as bundleFile } from "node:url";
const require = bundleRequire(import.meta.url);
const bundleUrl = import.meta.url;
const bundlePath = (place) => bundleFile(new URL(place, bundleUrl));
`;

/** @param entryPoints modules by the names of their joined files. */
function join(entryPoints, splitting) {
  return build({
    entryPoints,
    splitting,
    inject: [STACKS],
    outdir: OUT,
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20",
    external: APART,
    banner: { js: BANNER.trim() },
    plugins: [places],
    metafile: true,
    logLevel: "warning",
  });
}

/** Modules of a joined file with the lines at which they begin. */
function modulesOf(file) {
  const begins = [];
  readFileSync(`${OUT}/${file}`, "utf8")
    .split("\n")
    .forEach((line, at) => {
      const place = /^\/\/ (\S+\.[cm]?js(on)?)$/.exec(line)?.[1];
      if (place !== undefined) begins.push([at + 1, place.replace(/^.*?node_modules\//, "")]);
    });
  return begins;
}

/**
 * Constants of our modules are constants again: what is joined has `var` for them, of which V8 reads the value and asks
 * what it is wherever a kernel uses it.
 */
function keepConstants(file) {
  let changing = null;
  const lines = readFileSync(`${OUT}/${file}`, "utf8").split("\n");
  const kept = lines.map((line) => {
    const module = /^\/\/ (\S+\.[cm]?js(on)?)$/.exec(line)?.[1];
    if (module !== undefined) changing = module.startsWith("dist/") ? variablesOf(module) : null;
    const name = /^var (?:([\w$]+?)\d* = |[{[])/.exec(line);
    return changing === null || name === null || changing.has(name[1]) ? line : line.replace("var", "const");
  });
  writeFileSync(`${OUT}/${file}`, kept.join("\n"));
}

/** Names, without the digits at their end, of what a module declares in order to change it. */
function variablesOf(module) {
  const text = readFileSync(`${DIST}/../${module}`, "utf8");
  return new Set(Array.from(text.matchAll(/^(?:export )?let ([\w$]+?)\d*\b/gm), ([, name]) => name));
}

const program = await join({ main: `${DIST}/main.js` }, false);
const tasks = await join(Object.fromEntries(threads), true);
const files = [program, tasks]
  .flatMap(({ metafile }) => Object.keys(metafile.outputs))
  .map((path) => basename(path));
for (const file of files) keepConstants(file);
const modules = JSON.stringify(Object.fromEntries(files.map((file) => [file, modulesOf(file)])));
writeFileSync(`${OUT}/modules.json`, modules);
for (const file of readdirSync(OUT)) {
  if (file !== "modules.json" && !files.includes(file)) rmSync(`${OUT}/${file}`);
}
