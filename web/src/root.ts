/** React's part for the page, evaluated in the file in which it stands, beside the rest of the app. */
export { createRoot } from "react-dom/client";
