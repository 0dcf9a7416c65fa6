/** A TCP proxy on this machine whose connections can be cut. */

/** In front of one port. */
export class Proxy implements AsyncDisposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #open = new Set<Deno.Conn>();
  readonly #accepting: Promise<void>;
  #cut = false;

  constructor(private readonly target: number) {
    this.#accepting = this.#accept();
  }

  get port(): number {
    return this.#listener.addr.port;
  }

  /** Cuts every connection, and each new one at once, until `mend`. */
  cut(): void {
    this.#cut = true;
    for (const connection of this.#open) close(connection);
  }

  mend(): void {
    this.#cut = false;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    this.#listener.close();
    await this.#accepting;
  }

  async #accept(): Promise<void> {
    for await (const client of this.#listener) {
      if (this.#cut) client.close();
      else this.#join(client).catch(() => close(client));
    }
  }

  async #join(client: Deno.Conn): Promise<void> {
    const server = await Deno.connect({ hostname: "127.0.0.1", port: this.target });
    const both = [client, server];
    if (this.#cut) return both.forEach(close);
    both.forEach((connection) => this.#open.add(connection));
    const carry = (from: Deno.Conn, to: Deno.Conn) => from.readable.pipeTo(to.writable).catch(() => undefined);
    await Promise.all([carry(client, server), carry(server, client)]);
    for (const connection of both) {
      this.#open.delete(connection);
      close(connection);
    }
  }
}

function close(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch {
    // It was closed by the other side.
  }
}
