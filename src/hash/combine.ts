/**
 * Combines the CRCs of parts into the CRC of the whole. A CRC is a polynomial over GF(2) modulo the CRC's own
 * polynomial. Appending `n` bytes multiplies it by x^(8n) and adds (XORs) their CRC (the all-ones start and end values
 * cancel out). The bits are reflected: the highest bit stands for x^0.
 */

/** CRC-64/XZ, reflected. */
const POLYNOMIAL = 0xc96c5795d7870f42n;
const ONE = 1n << 63n;
const X = 1n << 62n;

/** Caches x^(8n) for the last n: all parts of an object except the last have the same length. */
let lastShift = { bytes: 0, factor: ONE };

/**
 * CRC-64 of A followed by B. CRCs are unsigned decimals, as OSS prints them and `crc64ecma` returns them.
 * @param lengthOfB bytes
 */
export function combineCrc64ecma(a: string, b: string, lengthOfB: number): string {
  if (lengthOfB !== lastShift.bytes) lastShift = { bytes: lengthOfB, factor: powerOfX(8 * lengthOfB) };
  return (multiply(lastShift.factor, BigInt(a)) ^ BigInt(b)).toString();
}

/** x^n mod P, by squaring. */
function powerOfX(n: number): bigint {
  let power = ONE;
  let square = X;
  for (let rest = n; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) power = multiply(power, square);
    square = multiply(square, square);
  }
  return power;
}

/** a * b mod P. */
function multiply(a: bigint, b: bigint): bigint {
  let product = 0n;
  let shifted = b;
  for (let bit = ONE; bit > 0n; bit >>= 1n) {
    if (a & bit) product ^= shifted;
    shifted = shifted & 1n ? (shifted >> 1n) ^ POLYNOMIAL : shifted >> 1n;
  }
  return product;
}
