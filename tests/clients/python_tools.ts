/** Tools from PyPI in a virtual environment of their own. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const requirements = fileURLToPath(new URL("requirements.txt", import.meta.url));

/**
 * The folder of the programs that a list of requirements pins, in `build/NAME`; makes it first where it is not there or of another list.
 * One process at a time does that.
 */
export async function pythonTools(name = "python", list = requirements): Promise<string> {
  const folder = join(root, "build", name);
  const [bin, stamp] = [join(folder, "bin"), join(folder, "installed.txt")];
  const wanted = await Deno.readTextFile(list);
  const isThere = async () => await Deno.readTextFile(stamp).catch(() => "") === wanted;
  if (await isThere()) return bin;
  await Deno.mkdir(join(root, "build"), { recursive: true });
  using lock = await Deno.open(`${folder}.lock`, { create: true, write: true });
  await lock.lock(true);
  if (await isThere()) return bin;
  await runQuietly("python3", ["-m", "venv", "--clear", folder]);
  await runQuietly(join(bin, "pip"), ["install", "--quiet", "--disable-pip-version-check", "-r", list]);
  await Deno.writeTextFile(stamp, wanted);
  return bin;
}

/** Runs a program that must succeed; its words are in the error when it does not. */
export async function runQuietly(program: string, args: string[], options: Deno.CommandOptions = {}): Promise<string> {
  const command = new Deno.Command(program, { stdin: "null", ...options, args, stdout: "piped", stderr: "piped" });
  const { success, stdout, stderr } = await command.output();
  const words = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  if (!success) throw new Error(`${program} ${args.join(" ")} failed:\n${words}`);
  return words;
}
