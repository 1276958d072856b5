// Keeps the app itself, so that it opens without the node. What people wrote is kept by the app (src/kept), not here.
const SHELL = "choir-shell";
const PAGE = "/";

self.addEventListener("install", (event) => {
  event.waitUntil(
    caches
      .open(SHELL)
      .then((cache) => cache.add(PAGE))
      .then(() => self.skipWaiting()),
  );
});

self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== self.location.origin) return;
  if (request.mode === "navigate" && !isApi(url.pathname)) event.respondWith(openPage(event));
  else if (url.pathname.startsWith("/assets/")) event.respondWith(openAsset(event));
});

function isApi(path) {
  return /^\/(v1|latest|health|metrics|docs|openapi\.json)(\/|$)/.test(path);
}

/** The node's page; without the node the kept one. */
async function openPage(event) {
  try {
    const response = await fetch(event.request);
    if (response.ok) keepBeside(event, response, keepPage);
    return response;
  } catch (error) {
    const kept = await findKept(PAGE);
    if (kept === undefined) throw error;
    return kept;
  }
}

/** Named by its hash: what is kept never changes. */
async function openAsset(event) {
  const kept = await findKept(event.request);
  if (kept !== undefined) return kept;
  const response = await fetch(event.request);
  if (response.ok) keepBeside(event, response, (copy) => keep(event.request, copy));
  return response;
}

/** A new build has new assets: the old ones go with the old page. */
async function keepPage(response) {
  const kept = await caches.match(PAGE);
  if (kept?.headers.get("etag") !== response.headers.get("etag")) await caches.delete(SHELL);
  await keep(PAGE, response);
}

async function keep(request, response) {
  const cache = await caches.open(SHELL);
  await cache.put(request, response);
}

let lastKept = Promise.resolve();

/** Nobody waits for what is kept, and a cache that fails (it is full, or being deleted) fails no answer. One after the
    other: the assets of a new page come after the old ones went. */
function keepBeside(event, response, keepCopy) {
  const copy = response.clone();
  lastKept = lastKept.then(() => keepCopy(copy)).catch(warn);
  event.waitUntil(lastKept);
}

async function findKept(request) {
  try {
    return await caches.match(request);
  } catch (error) {
    warn(error);
    return undefined;
  }
}

function warn(error) {
  console.warn("not kept for reading offline:", error);
}
