/** Takes the pieces of a file in order. */
export interface Sink {
  write(chunk: Uint8Array): Promise<void>;
}
