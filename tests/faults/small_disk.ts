/** A small disk, in memory: room for the objects of many runs. */

const BYTES = "512m";

/** Calls `work` with a folder on a disk of its own; says why not when this machine does not allow it. */
export async function withSmallDisk(work: (folder: string) => Promise<void>): Promise<string | void> {
  const folder = await Deno.makeTempDir();
  const failure = await run("mount", "-t", "tmpfs", "-o", `size=${BYTES}`, "tmpfs", folder);
  try {
    if (failure !== undefined) return `a disk cannot be mounted here: ${failure}`;
    await work(folder);
  } finally {
    if (failure === undefined) await run("umount", "-l", folder);
    await Deno.remove(folder, { recursive: true });
  }
}

/** Its words when it fails. */
async function run(program: string, ...args: string[]): Promise<string | undefined> {
  try {
    const { success, stderr } = await new Deno.Command(program, { args, stderr: "piped", stdout: "null" }).output();
    return success ? undefined : new TextDecoder().decode(stderr).trim();
  } catch (error) {
    return String(error);
  }
}
