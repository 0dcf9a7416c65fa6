import { checkKnownAnswers } from "../circuits/known_answers.ts";
import { openBackend } from "./mod.ts";

for (const name of ["ref", "portable", undefined]) {
  Deno.test(`the back end ${name ?? "of this machine"} gives the known answers`, async () => {
    const backend = openBackend({ backend: name, threads: 1 });
    try {
      await checkKnownAnswers(backend);
    } finally {
      backend.close();
    }
  });
}
