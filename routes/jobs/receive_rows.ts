import { encodeHeader, expectedLength, type FileStream } from "../../circuits/wire.ts";
import type { JobFolder } from "./job_folder.ts";

/**
 * Writes an encrypted rows file into the folder of a job, as it was sent, after space was promised for it and its answers.
 * Throws `busy`, and what reading the rows throws, `digest_mismatch` at the end.
 */
export async function receiveRows(
  folder: JobFolder,
  id: string,
  rows: FileStream,
  answerBytes: number,
): Promise<void> {
  folder.promise(id, { rows: expectedLength(rows.header), answers: answerBytes });
  await folder.write(id, "rows", async (sink) => {
    await sink.write(encodeHeader(rows.header));
    for await (const records of rows.records()) await sink.write(records);
    await sink.write(Uint8Array.fromHex(rows.digest()));
  });
}
