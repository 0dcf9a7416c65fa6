/**
 * The file system of a stage without a container engine: an overlay over this machine's own, whose changes lie in a folder, entered by
 * chroot in a mount namespace. It needs root, or a kernel that lets users mount overlays in their own namespaces.
 */
import { join } from "node:path";
import process from "node:process";

/** How a command is run inside. */
export interface InsideOptions {
  readonly directory: string;
  readonly environment: Record<string, string>;
  /** `uid:gid`; root when absent. */
  readonly user?: string;
  /** Nothing but `/tmp` and the volume can be written. */
  readonly readOnly?: boolean;
  /** A folder of the stage that stays writable. */
  readonly volume?: string;
}

/** Mounts, then becomes the command. $1: the folder of the stage, $2: options as words, then the command. */
const ENTER = `set -eu
stage=$1 directory=$2 user=$3 read_only=$4 volume=$5; shift 5
root=$stage/root
mount -t overlay overlay -o "lowerdir=/,upperdir=$stage/upper,workdir=$stage/work" "$root"
for one in proc sys dev; do mount --rbind "/$one" "$root/$one"; done
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
if [ -n "$volume" ]; then mount --bind "$stage/upper$volume" "$root$volume"; fi
if [ "$read_only" = true ]; then mount -o remount,ro "$root"; fi
exec chroot "$root" /bin/sh -c 'cd "$1" && user=$2 && shift 2 && if [ -n "$user" ]; then
  exec setpriv --reuid "\${user%:*}" --regid "\${user#*:}" --clear-groups --no-new-privs "$@"; fi; exec "$@"' sh "$directory" "$user" "$@"`;

/** The file system of one stage. */
export class StageRoot {
  private constructor(private readonly folder: string) {}

  static async make(folder: string): Promise<StageRoot> {
    for (const name of ["upper", "work", "root"]) await Deno.mkdir(join(folder, name), { recursive: true });
    return new StageRoot(folder);
  }

  /** Where a path of the stage lies on this machine, once the stage has written it. */
  path(inside: string): string {
    return join(this.folder, "upper", inside);
  }

  /** A command inside. The environment is nothing but what is given and the ways to the network of this machine. */
  command(args: readonly string[], options: InsideOptions): Deno.Command {
    const { directory, user = "", readOnly = false, volume = "", environment } = options;
    const enter = ["sh", "-c", ENTER, "sh", this.folder, directory, user, String(readOnly), volume, ...args];
    const space = process.getuid?.() === 0 ? ["--mount"] : ["--mount", "--map-root-user"];
    return new Deno.Command("unshare", {
      args: [...space, "--propagation", "private", ...enter],
      clearEnv: true,
      env: { ...networkEnvironment(), ...environment },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    });
  }
}

/** Proxies, certificates and mirrors that this machine's package clients were told. */
function networkEnvironment(): Record<string, string> {
  const names = /^(https?_proxy|no_proxy|npm_config_.*|.*_CA_(CERTS|BUNDLE)|SSL_CERT_.*|DENO_(CERT|TLS_.*)|HOME)$/i;
  const kept = Object.entries(Deno.env.toObject()).filter(([name]) => names.test(name));
  return { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", ...Object.fromEntries(kept) };
}
