import { createTheme, type MantineColorsTuple } from "@mantine/core";

const iris: MantineColorsTuple = [
  "#eeeffc",
  "#dcddf7",
  "#b7baef",
  "#9094e6",
  "#7075df",
  "#5c61db",
  "#4a4fd0",
  "#4044bd",
  "#383ca9",
  "#2e3296",
];
const slate: MantineColorsTuple = [
  "#ecebf1",
  "#c9c8d1",
  "#a9a7b4",
  "#8b8996",
  "#5c5a66",
  "#3a3942",
  "#2a2a31",
  "#1d1d22",
  "#17171b",
  "#0e0e10",
];

export const theme = createTheme({
  primaryColor: "iris",
  primaryShade: { light: 6, dark: 5 },
  colors: { iris, dark: slate },
  fontFamily: '"Inter Variable", system-ui, sans-serif',
  fontFamilyMonospace: 'ui-monospace, "SF Mono", "Cascadia Code", Menlo, Consolas, monospace',
  headings: { fontFamily: '"Source Serif 4 Variable", Georgia, serif', fontWeight: "600" },
  defaultRadius: "md",
  cursorType: "pointer",
  focusRing: "auto",
  respectReducedMotion: true,
  autoContrast: true,
  components: {
    // What closes a dialog is a cross, which says nothing to those who listen.
    CloseButton: { defaultProps: { "aria-label": "Close" } },
    // Words run as their script does. `dir` itself would go to the box around the field.
    TextInput: { defaultProps: { attributes: { input: { dir: "auto" } } } },
    Textarea: { defaultProps: { attributes: { input: { dir: "auto" } } } },
    Modal: {
      styles: {
        title: { fontFamily: "var(--serif)", fontSize: "1.25rem", fontWeight: 640, letterSpacing: "-0.01em" },
        content: { border: "1px solid var(--line)" },
      },
    },
  },
});
