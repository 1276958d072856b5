import "katex/dist/katex.min.css";
import rehypeKatex from "rehype-katex";
import remarkMath from "remark-math";
import type { Plugins } from "./extras";

// `trust` is off: a formula may not make links, load pictures or set classes. Its size and expansion are bounded.
export const plugins: Plugins = {
  remark: [remarkMath],
  rehype: [[rehypeKatex, { trust: false, throwOnError: false, strict: "ignore", maxSize: 20, maxExpand: 500 }]],
};
