import bash from "highlight.js/lib/languages/bash";
import c from "highlight.js/lib/languages/c";
import go from "highlight.js/lib/languages/go";
import javascript from "highlight.js/lib/languages/javascript";
import json from "highlight.js/lib/languages/json";
import python from "highlight.js/lib/languages/python";
import rust from "highlight.js/lib/languages/rust";
import sql from "highlight.js/lib/languages/sql";
import typescript from "highlight.js/lib/languages/typescript";
import yaml from "highlight.js/lib/languages/yaml";
import rehypeHighlight from "rehype-highlight";
import type { Plugins } from "./extras";

const languages = { bash, c, go, javascript, json, python, rust, sql, typescript, yaml };
const aliases = {
  javascript: ["js", "jsx", "solidity", "sol"],
  typescript: ["ts", "tsx"],
  python: ["py"],
  bash: ["sh"],
  c: ["cpp"],
};

export const plugins: Plugins = {
  remark: [],
  rehype: [[rehypeHighlight, { languages, aliases, detect: false }]],
};
