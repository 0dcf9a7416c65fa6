/** The CUDA assembler's report (`-Xptxas -v`): what each kernel takes on each architecture. */

export interface KernelReport {
  /** Mangled. */
  readonly kernel: string;
  readonly architecture: string;
  readonly spilledBytes: number;
  readonly registers: number;
  /** Static; dynamic shared memory is asked for at a launch. */
  readonly sharedBytes: number;
}

export function readReport(text: string): KernelReport[] {
  const parts = text.split(/Compiling entry function /).slice(1);
  return parts.map((part) => {
    const head = part.match(/^'(\S+)' for '(\w+)'/);
    const registers = part.match(/Used (\d+) registers/);
    if (!head || !registers) throw new Error(`not a report of the CUDA assembler: ${part.slice(0, 200)}`);
    return {
      kernel: head[1],
      architecture: head[2],
      spilledBytes: Number(part.match(/(\d+) bytes spill stores/)?.[1] ?? 0),
      registers: Number(registers[1]),
      sharedBytes: Number(part.match(/(\d+) bytes smem/)?.[1] ?? 0),
    };
  });
}

/**
 * Kernels that keep values in local memory. Rotations of two lookups of two levels take more shared memory than sm_80 has, so they
 * are compiled for it and never launched.
 */
export function findSpills(reports: readonly KernelReport[]): string[] {
  const neverLaunched = ({ kernel, architecture }: KernelReport) =>
    architecture === "sm_80" && /rotate_blindly\w*FieldELj2ELj16ELj3ELj2E/.test(kernel);
  return reports.filter((report) => report.spilledBytes > 0 && !neverLaunched(report))
    .map(({ kernel, architecture, spilledBytes }) => `${kernel} on ${architecture}: ${spilledBytes} bytes`);
}
