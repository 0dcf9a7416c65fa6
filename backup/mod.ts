/** The door of backups: everything that a server keeps, in one file. */
export { type Manifest } from "./manifest.ts";
export { restoreBackup } from "./restore_backup.ts";
export { type BackupOptions, writeBackup } from "./write_backup.ts";
