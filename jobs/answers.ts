/** The answers of a prediction that succeeded: one file, put together of the files of its parts. */
import { decodeHeader, DIGEST_BYTES, expectedLength, fileWriter, HEADER_BYTES } from "../circuits/wire.ts";
import { type JobPartRow, type JobRow, listJobParts } from "../db/mod.ts";
import { SottoError } from "../errors.ts";
import { predictionTaskSchema } from "./handlers/prediction.ts";
import { isFinished } from "./job_state.ts";
import type { JobBasis } from "./job_basis.ts";
import { openPartObject } from "./part_objects.ts";

/** An answers file that is being read. */
export interface Answers {
  readonly stream: ReadableStream<Uint8Array<ArrayBuffer>>;
  readonly bytes: number;
  /** Time of the back end. */
  readonly serverMs: number;
}

/** The same bytes whenever they are asked for. Throws `job_unfinished`, `conflict` for a job that has no answers. */
export async function openAnswers(basis: Pick<JobBasis, "database" | "store">, job: JobRow): Promise<Answers> {
  if (!isFinished(job)) {
    throw new SottoError("job_unfinished", `the job is ${job.state}: ask for its answers when it has succeeded`);
  }
  if (job.state !== "succeeded") {
    throw new SottoError("conflict", `the job has no answers, it ${job.state}: ${job.error?.detail}`);
  }
  if (job.kind !== "prediction") throw new SottoError("conflict", `the job has no answers, it is ${words(job)}`);
  const header = decodeHeader(Uint8Array.fromBase64(predictionTaskSchema.parse(job.task).answers_header));
  const parts = await listJobParts(basis.database, job.id);
  const stream = ReadableStream.from(pieces(basis, fileWriter(header), parts));
  return { stream, bytes: expectedLength(header), serverMs: job.serverMs ?? 0 };
}

const words = ({ kind }: JobRow) => kind === "import" ? "an import" : "a training run";

async function* pieces(
  { store }: Pick<JobBasis, "store">,
  writer: ReturnType<typeof fileWriter>,
  parts: readonly JobPartRow[],
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  yield writer.header as Uint8Array<ArrayBuffer>;
  for (const part of parts) {
    const payload = between(
      await openPartObject(store, part.outputObject),
      HEADER_BYTES,
      part.outputBytes - DIGEST_BYTES,
    );
    for await (const piece of payload) {
      writer.update(piece);
      yield piece;
    }
  }
  yield writer.trailer() as Uint8Array<ArrayBuffer>;
}

/** The bytes from `first` to before `end`; the stream is read to its end, where its digest is checked. */
async function* between(stream: ReadableStream<Uint8Array<ArrayBuffer>>, first: number, end: number) {
  let at = 0;
  for await (const chunk of stream) {
    const piece = chunk.subarray(Math.max(0, first - at), Math.max(0, end - at));
    at += chunk.byteLength;
    if (piece.byteLength > 0) yield piece;
  }
}
