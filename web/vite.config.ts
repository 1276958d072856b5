/// <reference types="vitest/config" />
import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";

const NODE_URL = process.env.CHOIR_NODE ?? "http://127.0.0.1:8420";

const EARLY = "src/early.ts";

/** The script that runs first, in a file of its own. */
function early(): Plugin {
  return {
    name: "choir-early",
    buildStart() {
      if (this.environment.mode === "build") this.emitFile({ type: "chunk", id: EARLY, name: "early" });
    },
    transformIndexHtml: {
      order: "post",
      handler: (_, { bundle }) => {
        const built = Object.values(bundle ?? {}).find((file) => file.type === "chunk" && file.name === "early");
        // Not a module: those wait for the whole page, and for one another.
        const attrs = built === undefined ? { type: "module", src: `/${EARLY}` } : { src: `/${built.fileName}` };
        return [{ tag: "script", attrs, injectTo: "head-prepend" }];
      },
    },
  };
}

export default defineConfig({
  plugins: [react(), early()],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  build: {
    outDir: "../src/choir/web_dist",
    emptyOutDir: true,
    target: "es2022",
    // No file is put into another: the page's policy lets fonts and scripts come from the node only.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 700,
    rolldownOptions: {
      output: {
        // Nearly all of it runs at the start: Chromium compiles it whole, beside the page, and not function by function.
        postBanner: ({ name }) => (name === "react" ? "//# allFunctionsCalledOnLoad" : ""),
        codeSplitting: {
          groups: [
            // Compiled beside each other. React's files stand apart: they stay as they are when the app changes.
            { name: "react", test: /node_modules[\\/](react|react-dom|scheduler)[\\/]|src[\\/]root\.ts$/, priority: 2 },
            // What the first view needs, in one file instead of thirty.
            { name: "start", test: (id) => !/src[\\/](early|main)\.tsx?$/.test(id), tags: ["$initial"], priority: 1 },
          ],
        },
      },
    },
  },
  server: {
    // `npm run dev` shows the app of the source tree over a running node's data.
    proxy: { "/v1": { target: NODE_URL, ws: true }, "/health": NODE_URL, "/openapi.json": NODE_URL, "/docs": NODE_URL },
  },
  test: { environment: "node", include: ["test/**/*.test.{ts,tsx}"] },
});
