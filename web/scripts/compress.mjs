// Writes a .gz and a .br beside every built file that they make smaller.
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const DIRECTORY = new URL("../../src/choir/web_dist", import.meta.url).pathname;
const TEXT = /\.(html|js|css|svg|json|webmanifest|txt|map)$/;

for (const name of readdirSync(DIRECTORY, { recursive: true })) {
  const path = join(DIRECTORY, name);
  if (!statSync(path).isFile() || !TEXT.test(path)) continue;
  const body = readFileSync(path);
  const forms = {
    ".gz": gzipSync(body, { level: 9 }),
    ".br": brotliCompressSync(body, { params: { [constants.BROTLI_PARAM_SIZE_HINT]: body.length } }),
  };
  for (const [suffix, compressed] of Object.entries(forms)) {
    if (compressed.length < body.length) writeFileSync(path + suffix, compressed);
  }
}
