/**
 * Removes from `node_modules` what the given programs do not import, such as tools of tests: for images.
 *
 *     deno run -A tools/prune_packages.ts main.ts cli/main.ts
 */

/** Found on the disk by name instead of imported. */
const KEPT = ["swagger-ui-dist"];

interface Graph {
  readonly modules: readonly { readonly npmPackage?: string }[];
  readonly npmPackages: Readonly<Record<string, { name: string; version: string; dependencies: readonly string[] }>>;
}

const folder = "node_modules/.deno";

/** Removes the packages; returns how many stay. */
async function prune(programs: readonly string[]): Promise<number> {
  const needed = new Set<string>();
  for (const program of programs) for (const name of neededBy(await graphOf(program))) needed.add(name);
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const isKept = needed.has(name) || KEPT.some((kept) => name.startsWith(`${kept}@`)) || name === "node_modules";
    if (isDirectory && !isKept) await Deno.remove(`${folder}/${name}`, { recursive: true });
  }
  await removeDangling("node_modules");
  await removeDangling(`${folder}/node_modules`);
  return needed.size + KEPT.length;
}

async function graphOf(program: string): Promise<Graph> {
  const command = new Deno.Command(Deno.execPath(), { args: ["info", "--json", program], stderr: "inherit" });
  const { success, stdout } = await command.output();
  if (!success) throw new Error(`the imports of ${program} cannot be read`);
  return JSON.parse(new TextDecoder().decode(stdout));
}

/** The folders of the imported packages and of everything that these depend on. */
function neededBy({ modules, npmPackages }: Graph): string[] {
  const needed = new Set<string>();
  const left = modules.flatMap(({ npmPackage }) => npmPackage ?? []);
  for (let id = left.pop(); id !== undefined; id = left.pop()) {
    if (needed.has(id)) continue;
    needed.add(id);
    left.push(...npmPackages[id].dependencies);
  }
  return [...needed].map((id) => `${npmPackages[id].name.replace("/", "+")}@${npmPackages[id].version}`);
}

/** Links of removed packages, also below scopes. */
async function removeDangling(path: string): Promise<void> {
  for await (const { name, isSymlink, isDirectory } of Deno.readDir(path)) {
    const entry = `${path}/${name}`;
    if (isDirectory && name.startsWith("@")) await removeDangling(entry);
    else if (isSymlink && !await Deno.stat(entry).catch(() => undefined)) await Deno.remove(entry);
  }
}

console.log(`${await prune(Deno.args)} packages stay`);
