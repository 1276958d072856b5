/// <reference types="vitest/config" />
import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

const NODE_URL = process.env.CHOIR_NODE ?? "http://127.0.0.1:8420";

export default defineConfig({
  plugins: [react()],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  build: {
    outDir: "../src/choir/web_dist",
    emptyOutDir: true,
    target: "es2022",
    // No file is put into another: the page's policy lets fonts and scripts come from the node only.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 700,
  },
  server: {
    // `npm run dev` shows the app of the source tree over a running node's data.
    proxy: { "/v1": { target: NODE_URL, ws: true }, "/health": NODE_URL, "/openapi.json": NODE_URL, "/docs": NODE_URL },
  },
  test: { environment: "node", include: ["test/**/*.test.{ts,tsx}"] },
});
