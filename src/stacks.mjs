// Part of each joined file: names, in stacks of errors, the module that a line of it comes from.
import { readFileSync } from "node:fs";

const FOLDER = new URL(".", import.meta.url).href;
const FRAME = /file:[^() ]*\/([\w-]+\.js):(\d+):\d+/g;
let modules = null;

/** Read with the first stack that somebody looks at. */
function moduleAt(file, line) {
  modules ??= JSON.parse(readFileSync(new URL("modules.json", FOLDER), "utf8"));
  return modules[file]?.findLast(([begin]) => begin <= line)?.[1];
}

function named(frame, file, line) {
  const module = frame.startsWith(FOLDER) ? moduleAt(file, Number(line)) : undefined;
  return module === undefined ? frame : `${module} in ${frame}`;
}

Error.prepareStackTrace = (error, sites) =>
  [Error.prototype.toString.call(error), ...sites.map((site) => `    at ${site}`.replace(FRAME, named))].join(
    "\n",
  );
