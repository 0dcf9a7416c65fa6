/** Certificates for tests: self-made, for this machine. */
import { join } from "node:path";
import { generate } from "selfsigned";

export interface CertificateFiles {
  readonly cert: string;
  readonly certFile: string;
  readonly keyFile: string;
}

/** Makes a certificate of `localhost` and 127.0.0.1 with its key, as files of the folder whose names begin with `name`. */
export async function makeCertificate(folder: string, name: string): Promise<CertificateFiles> {
  const names = [{ type: 2, value: "localhost" } as const, { type: 7, ip: "127.0.0.1" } as const];
  const made = await generate([{ name: "commonName", value: "localhost" }], {
    algorithm: "sha256",
    extensions: [{ name: "subjectAltName", altNames: names }],
  });
  const [certFile, keyFile] = [join(folder, `${name}.crt`), join(folder, `${name}.key`)];
  await Deno.writeTextFile(certFile, made.cert);
  await Deno.writeTextFile(keyFile, made.private);
  return { cert: made.cert, certFile, keyFile };
}
