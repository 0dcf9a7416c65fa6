import process from "node:process";
import { Counter, Gauge, type Registry } from "prom-client";

const STARTED = Date.now() / 1000 - process.uptime();

/** What the operating system says about this process, under the names that Prometheus' own clients use. */
export function addProcessMetrics(registry: Registry): void {
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(read());
      },
    });
  gauge("process_resident_memory_bytes", "Resident memory.", () => Deno.memoryUsage().rss);
  gauge("process_heap_bytes", "Heap of JavaScript that is in use.", () => Deno.memoryUsage().heapUsed);
  gauge("process_external_memory_bytes", "Buffers of JavaScript outside its heap.", () => Deno.memoryUsage().external);
  new Counter({
    name: "process_cpu_seconds_total",
    help: "User and system time.",
    registers: [registry],
    collect() {
      const { user, system } = process.cpuUsage();
      this.reset();
      this.inc((user + system) / 1e6);
    },
  });
  gauge("process_start_time_seconds", "When the process started, in seconds since 1970.", () => STARTED);
}
