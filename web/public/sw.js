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
  if (request.mode === "navigate" && !isApi(url.pathname)) event.respondWith(openPage(request));
  else if (url.pathname.startsWith("/assets/")) event.respondWith(openAsset(request));
});

function isApi(path) {
  return /^\/(v1|latest|health|metrics|docs|openapi\.json)(\/|$)/.test(path);
}

/** The node's page; without the node the kept one. */
async function openPage(request) {
  try {
    const response = await fetch(request);
    if (response.ok) await keepPage(response.clone());
    return response;
  } catch (error) {
    const kept = await caches.match(PAGE);
    if (kept === undefined) throw error;
    return kept;
  }
}

/** A new build has new assets: the old ones go with the old page. */
async function keepPage(response) {
  const kept = await caches.match(PAGE);
  if (kept?.headers.get("etag") !== response.headers.get("etag")) await caches.delete(SHELL);
  const cache = await caches.open(SHELL);
  await cache.put(PAGE, response);
}

/** Named by its hash: what is kept never changes. */
async function openAsset(request) {
  const kept = await caches.match(request);
  if (kept !== undefined) return kept;
  const response = await fetch(request);
  if (response.ok) {
    const cache = await caches.open(SHELL);
    await cache.put(request, response.clone());
  }
  return response;
}
