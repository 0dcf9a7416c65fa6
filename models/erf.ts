/** The error function, in double precision. */

/**
 * 1 - erf(x), to about 1e-15 of its size: the power series of erf near zero, and further out Lentz's evaluation of the
 * continued fraction of erfc (Abramowitz and Stegun 7.1.6 and 7.1.14).
 */
export function erfc(x: number): number {
  if (x < 0) return 2 - erfc(-x);
  if (x < 2.5) return 1 - erfSeries(x);
  return x > 27 ? 0 : Math.exp(-x * x) * scaledErfc(x);
}

/** The error function. */
export function erf(x: number): number {
  return Math.abs(x) < 2.5 ? erfSeries(x) : 1 - erfc(x);
}

/** erf x = 2 / sqrt(pi) exp(-x^2) sum of 2^n x^(2n+1) / (2n+1)!!. */
function erfSeries(x: number): number {
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) {
    term *= 2 * x * x / (2 * n + 1);
    sum += term;
  }
  return 2 / Math.sqrt(Math.PI) * Math.exp(-x * x) * sum;
}

/** exp(x^2) erfc x = 1 / sqrt(pi) (1 / (x + (1/2) / (x + 1 / (x + (3/2) / ..)))), from the inside out; x >= 2. */
export function scaledErfc(x: number): number {
  let tail = x;
  for (let n = 120; n >= 1; n--) tail = x + n / 2 / tail;
  return 1 / (Math.sqrt(Math.PI) * tail);
}
