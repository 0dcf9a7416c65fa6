/**
 * Proves on the real import graph that folders import only what the architecture allows (ARCHITECTURE.md shows the arrows).
 *
 *     deno run -A tools/check_arrows.ts
 */
import { fileURLToPath } from "node:url";

const root = new URL("..", import.meta.url);

/** Folder (or root file) -> what it may import beside itself. `errors` is allowed everywhere. */
const ALLOWED: Record<string, readonly string[]> = {
  errors: [],
  params: [],
  models: [],
  circuits: ["models", "params"],
  ffi: ["circuits"],
  db: ["config"],
  store: ["config", "db"],
  observation: ["circuits"],
  backup: ["db", "store"],
  config: [],
  jobs: ["circuits", "models", "params", "db", "store", "config", "observation"],
  routes: ["jobs", "circuits", "models", "params", "db", "store", "config", "observation"],
  app: ["routes", "jobs", "circuits", "db", "store", "config", "observation"],
  main: ["app", "jobs", "config", "db", "store", "ffi", "circuits", "observation"],
  client: ["circuits", "models", "params"],
  cli: ["client", "circuits", "models", "params", "main", "config", "db", "ffi", "tools", "store", "backup", "jobs"],
  bench: [
    "client",
    "circuits",
    "models",
    "params",
    "ffi",
    "tools",
    "main",
    "app",
    "config",
    "db",
    "store",
    "cli",
    "tests",
  ],
  tools: ["params"],
  /** Proves what crosses folders, for which it reaches into all of them. */
  tests: [
    "app",
    "backup",
    "bench",
    "circuits",
    "cli",
    "client",
    "config",
    "db",
    "ffi",
    "jobs",
    "main",
    "models",
    "observation",
    "params",
    "routes",
    "store",
    "tools",
  ],
};

const ROOTS = ["main.ts", "cli/main.ts", "cli/demo.ts", "bench/main.ts", "tools/run_tests.ts"];

interface Graph {
  modules: { specifier: string; dependencies?: { code?: { specifier?: string }; type?: { specifier?: string } }[] }[];
}

/** The part of the project a file belongs to: its top folder, or its name at the root. Null outside the project. */
function partOf(specifier: string): string | null {
  if (!specifier.startsWith(root.href)) return null;
  const path = specifier.slice(root.href.length);
  if (path.startsWith("node_modules/")) return null;
  return path.includes("/") ? path.split("/")[0] : path.replace(/\.ts$/, "");
}

async function graphOf(file: string): Promise<Graph> {
  const args = ["info", "--json", fileURLToPath(new URL(file, root))];
  const output = await new Deno.Command(Deno.execPath(), { args, cwd: root, stdout: "piped", stderr: "piped" })
    .output();
  if (!output.success) throw new Error(new TextDecoder().decode(output.stderr));
  return JSON.parse(new TextDecoder().decode(output.stdout));
}

/** One line for each import against the arrows; empty when all is well. */
export async function findArrows(): Promise<string[]> {
  const wrong = new Set<string>();
  for (const file of ROOTS) {
    for (const module of (await graphOf(file)).modules) {
      const from = partOf(module.specifier);
      if (!from) continue;
      for (const dependency of module.dependencies ?? []) {
        for (const specifier of [dependency.code?.specifier, dependency.type?.specifier]) {
          const to = specifier ? partOf(specifier) : null;
          if (!to || to === from || to === "errors" || ALLOWED[from]?.includes(to)) continue;
          const path = (url: string) => url.slice(root.href.length);
          wrong.add(`${path(module.specifier)} imports ${path(specifier!)}: ${from} may not import ${to}`);
        }
      }
    }
  }
  return [...wrong];
}

if (import.meta.main) {
  const wrong = await findArrows();
  for (const line of wrong) console.error(line);
  if (wrong.length) Deno.exit(1);
  console.log("all imports follow the arrows");
}
