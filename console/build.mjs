// Builds what the pages load: node build.mjs [DIRECTORY]. The same sources give the same bytes, wherever they are built.
import { copyFileSync, mkdirSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const out = resolve(process.argv[2] ?? join(here, "../agent/console/static"));

mkdirSync(out, { recursive: true });
await build({
  absWorkingDir: here,
  entryPoints: { console: "src/console.ts", builder: "src/builder/app.ts" },
  outdir: out,
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  legalComments: "none",
  charset: "utf8",
  logLevel: "warning",
});
await build({
  absWorkingDir: here,
  entryPoints: { console: "styles/console.css", builder: "styles/builder.css" },
  outdir: out,
  bundle: true,
  minify: true,
  target: ["chrome123", "firefox120", "safari17.5"],
  logLevel: "warning",
});
copyFileSync(join(here, "assets/icon.svg"), join(out, "icon.svg"));
