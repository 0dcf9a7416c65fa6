import lock from "./security.lock.json" with { type: "json" };
import { SottoError } from "../errors.ts";

/** What the hardness of a ring set depends on. */
export interface SecurityShape {
  readonly name: string;
  readonly ringDegree: number;
  readonly modulus: bigint;
  readonly secret: string;
  readonly noiseBoundLog: number;
  readonly securityBits: number;
}

/** Variance of TUniform(b): uniform on (-2^b, 2^b), the two end points with half the weight: (2^(2b+1) + 1) / 6. */
export function tuniformVariance(boundLog: number): number {
  return (2 ** (2 * boundLog + 1) + 1) / 6;
}

/**
 * Refuses a set that the pinned estimator results do not cover: above the cap of its ring degree, noise below the cap's,
 * no entry of its own in `security.lock.json`, or an entry with other numbers.
 *
 * @throws SottoError `insecure_parameter_set`
 */
export function requireSecure(shape: SecurityShape): void {
  const cap = (lock.caps.modulus_log2 as Record<string, number>)[String(shape.ringDegree)];
  if (cap === undefined) refuse(shape, `no security cap is known for ring degree ${shape.ringDegree}`);
  if (shape.modulus > 1n << BigInt(cap)) refuse(shape, `its modulus is above 2^${cap}, the cap of its ring degree`);
  if (Math.sqrt(tuniformVariance(shape.noiseBoundLog)) < lock.caps.noise_sigma) {
    refuse(shape, `its noise is below the standard deviation ${lock.caps.noise_sigma} that the caps assume`);
  }
  requireLocked(shape);
}

function requireLocked(shape: SecurityShape): void {
  const entry = Object.entries(lock.sets).find(([name]) => name === shape.name)?.[1];
  if (entry === undefined) refuse(shape, "security.lock.json has no estimate for it; run the estimator and add one");
  const same = entry.ring_degree === shape.ringDegree && BigInt(entry.modulus) === shape.modulus &&
    entry.secret === shape.secret && entry.noise.bound_log === shape.noiseBoundLog &&
    entry.security_bits === shape.securityBits;
  if (!same) refuse(shape, "its numbers differ from those that were estimated; give it a new name and a new estimate");
  if (entry.security_bits < lock.minimum_bits) refuse(shape, `its estimate is below ${lock.minimum_bits} bits`);
}

function refuse(shape: SecurityShape, reason: string): never {
  throw new SottoError("insecure_parameter_set", `parameter set ${shape.name} is refused: ${reason}`);
}
