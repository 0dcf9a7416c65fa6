/** Clients that send byte by byte, fall silent in the middle, or do not read what they asked for. */
import type { Address, Prepared } from "./customer.ts";

const CLIENTS = 8;
const LASTS_MS = 6000;

/** Lets them bother the server, and hangs up. Others must be served meanwhile, which the ledger shows. */
export async function slowClients({ url, token }: Address, { path, short }: Prepared): Promise<void> {
  const head = (method: string, target: string, length: number) =>
    new TextEncoder().encode(
      `${method} ${target} HTTP/1.1\r\nhost: slow\r\nauthorization: Bearer ${token}\r\ncontent-length: ${length}\r\n\r\n`,
    );
  const upload = head("POST", path, short.length);
  const kinds = [
    (connection: Deno.Conn) => trickle(connection, upload, short),
    (connection: Deno.Conn) => trickle(connection, upload, short.subarray(0, 1)),
    (connection: Deno.Conn) => askMuch(connection, head("GET", "/openapi.json", 0)),
  ];
  const port = Number(new URL(url).port);
  await Promise.all(Array.from({ length: CLIENTS * kinds.length }, async (_, number) => {
    using connection = await Deno.connect({ hostname: "127.0.0.1", port });
    await kinds[number % kinds.length](connection);
  }));
}

/** The head at once, then a byte after the other, then silence. */
async function trickle(connection: Deno.Conn, head: Uint8Array, body: Uint8Array): Promise<void> {
  const end = Date.now() + LASTS_MS;
  try {
    await connection.write(head);
    for (let sent = 0; Date.now() < end; sent++) {
      if (sent < body.length) await connection.write(body.subarray(sent, sent + 1));
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  } catch {
    // The server hung up, as it may.
  }
}

/** Asks for far more than fits into the buffers of a connection, and reads nothing. */
async function askMuch(connection: Deno.Conn, head: Uint8Array): Promise<void> {
  const end = Date.now() + LASTS_MS;
  try {
    for (let asked = 0; asked < 200 && Date.now() < end; asked++) {
      await Promise.race([connection.write(head), new Promise((resolve) => setTimeout(resolve, LASTS_MS))]);
    }
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, end - Date.now())));
  } catch {
    // The server hung up, as it may.
  }
}
