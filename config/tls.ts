import { createPrivateKey, X509Certificate } from "node:crypto";
import { SottoError } from "../errors.ts";

/** Certificate chain and private key (PEM). */
export interface Tls {
  readonly cert: string;
  readonly key: string;
  /** When the first certificate of the chain ends. */
  readonly expiresAt: Date;
}

/** The files that the configuration names; nothing without them. Throws `configuration_invalid` when they cannot serve. */
export function readTls(config: { readonly tlsCertificate?: string; readonly tlsKey?: string }): Tls | undefined {
  const { tlsCertificate, tlsKey } = config;
  if (tlsCertificate === undefined || tlsKey === undefined) return undefined;
  const [cert, key] = [readPem("SOTTO_TLS_CERT", tlsCertificate), readPem("SOTTO_TLS_KEY", tlsKey)];
  const certificate = parsed("SOTTO_TLS_CERT", tlsCertificate, () => new X509Certificate(cert));
  const privateKey = parsed("SOTTO_TLS_KEY", tlsKey, () => createPrivateKey(key));
  if (!certificate.checkPrivateKey(privateKey)) {
    throw wrong("SOTTO_TLS_KEY", `${tlsKey} is not the private key of the certificate`);
  }
  const expiresAt = new Date(certificate.validTo);
  if (expiresAt.getTime() <= Date.now()) throw wrong("SOTTO_TLS_CERT", `the certificate ended ${certificate.validTo}`);
  return { cert, key, expiresAt };
}

function readPem(variable: string, path: string): string {
  return parsed(variable, path, () => Deno.readTextFileSync(path));
}

function parsed<T>(variable: string, path: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw wrong(variable, `${path} is no PEM file that can be read`, cause);
  }
}

function wrong(variable: string, what: string, cause?: unknown): SottoError {
  return new SottoError("configuration_invalid", `correct these environment variables: ${variable}: ${what}`, {
    cause,
  });
}
