import { join } from "node:path";

/** Files in a folder of uploads: what stores have on their way in, without their locks. */
export function uploadsIn(folder: string): string[] {
  const folders = [...Deno.readDirSync(folder)].filter(({ isDirectory }) => isDirectory);
  return folders.flatMap(({ name }) => [...Deno.readDirSync(join(folder, name))].map((file) => join(name, file.name)));
}
