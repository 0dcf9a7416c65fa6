/** Clients that each send one request after the other on a connection of their own, until time is up. */
import { Client } from "undici";
import type { Customer, LoadRequest } from "./customers.ts";
import type { Tally } from "./tally.ts";

/** How many clients, and whose. */
export interface Crowd {
  readonly url: string;
  readonly customer: Customer;
  readonly clients: number;
}

/** Of the answers, one in so many is decrypted and compared. */
const CHECKED = 200;
/** A client waits so much longer than it was told, at most, so that refused clients do not come back together. */
const SPREAD_MS = 1000;

/** Runs crowds side by side for `seconds`; requests that are under way then are waited for, clients that were told to come later are not. */
export async function runClients(crowds: readonly Crowd[], seconds: number, tally: Tally): Promise<void> {
  const end = performance.now() + seconds * 1000;
  const loops = crowds.flatMap(({ url, customer, clients }) =>
    Array.from({ length: clients }, (_, number) => runClient(url, customer, number, end, tally))
  );
  await Promise.all(loops);
}

async function runClient(url: string, customer: Customer, number: number, end: number, tally: Tally): Promise<void> {
  const client = new Client(url, { headersTimeout: 0, bodyTimeout: 0 });
  try {
    for (let turn = number; performance.now() < end; turn++) {
      const request = customer.requests[turn % customer.requests.length];
      const waitMs = await sendOnce(client, customer.name, request, tally);
      if (waitMs > 0) await pause(Math.max(0, Math.min(waitMs, end - performance.now())));
    }
  } finally {
    await client.close();
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Returns how long to wait before the next request. */
async function sendOnce(client: Client, tenant: string, request: LoadRequest, tally: Tally): Promise<number> {
  const start = performance.now();
  const seen = (status: number) => tally.add({ tenant, rows: request.rows, status, ms: performance.now() - start });
  try {
    const { path, body, token } = request;
    const answer = await client.request({ path, method: "POST", body, headers: { authorization: `Bearer ${token}` } });
    const file = await answer.body.bytes();
    seen(answer.statusCode);
    if (answer.statusCode === 200) return await check(request, file, tally);
    return politeWait(answer.headers["retry-after"], tally);
  } catch (error) {
    seen(0);
    tally.failures.add(String(error));
    return SPREAD_MS;
  }
}

async function check(request: LoadRequest, file: Uint8Array, tally: Tally): Promise<number> {
  if (file.length !== request.answerBytes) tally.wrong++;
  else if (tally.requests % CHECKED === 0) {
    tally.checked++;
    if (!(await request.isRight(file))) tally.wrong++;
  }
  return 0;
}

function politeWait(header: string | string[] | undefined, tally: Tally): number {
  const seconds = Number(header);
  if (!(seconds > 0)) tally.rude++;
  return (seconds || 1) * 1000 + Math.random() * SPREAD_MS;
}
