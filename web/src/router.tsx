import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from "@tanstack/react-router";
import { isAddress } from "./lib/base58";
import { Shell } from "./shell/Shell";
// Where most begin: small, and made of what the sidebar needs too. The others come when one goes there.
import { HomeView } from "./views/home/HomeView";
import { NotFoundView } from "./views/NotFoundView";
import { RouteErrorView } from "./views/RouteErrorView";
import { AGES, type SearchParameters } from "./views/search/parameters";
import { ThreadsView } from "./views/threads/ThreadsView";

const rootRoute = createRootRoute({
  component: Shell,
  notFoundComponent: NotFoundView,
  errorComponent: RouteErrorView,
});

const HASH = /^[0-9a-f]{64}$/;
const THREAD_ID = /^[0-9a-f]{32}$/;

/** Refuses addresses that cannot be one before anything is asked for. */
function check(holds: boolean): void {
  if (!holds) throw new Error("This address has not the form of anything that could be shown.");
}

const text = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? value : undefined);

const homeRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/",
  component: HomeView,
});

const threadsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/threads",
  component: ThreadsView,
});

export const threadRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/thread/$threadId",
  // `message` is the one to show; `from` the one to go back to.
  validateSearch: (search: Record<string, unknown>): { message?: string; from?: string } => {
    const [message, from] = [text(search.message), text(search.from)];
    return { ...(message && HASH.test(message) ? { message } : {}), ...(from && HASH.test(from) ? { from } : {}) };
  },
  beforeLoad: ({ params }) => check(THREAD_ID.test(params.threadId)),
  component: lazyRouteComponent(() => import("./views/thread/ThreadView"), "ThreadView"),
});

export const messageRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/message/$hash",
  validateSearch: (search: Record<string, unknown>): { from?: string } => {
    const from = text(search.from);
    return from && HASH.test(from) ? { from } : {};
  },
  beforeLoad: ({ params }) => check(HASH.test(params.hash)),
  component: lazyRouteComponent(() => import("./views/thread/MessageView"), "MessageView"),
});

export const searchRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/search",
  validateSearch: (search: Record<string, unknown>): SearchParameters => {
    const [q, author, thread] = [text(search.q), text(search.author), text(search.thread)];
    const age = AGES.find((known) => known === search.age);
    return {
      ...(age ? { age } : {}),
      ...(q ? { q } : {}),
      ...(author && isAddress(author) ? { author } : {}),
      ...(thread && THREAD_ID.test(thread) ? { thread } : {}),
    };
  },
  component: lazyRouteComponent(() => import("./views/search/SearchView"), "SearchView"),
});

export const accountRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/account/$address",
  beforeLoad: ({ params }) => check(isAddress(params.address)),
  component: lazyRouteComponent(() => import("./views/account/AccountView"), "AccountView"),
});

const RUN_ID = /^[\w-]{1,64}$/;

const runsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/runs",
  // `thread` is the one in whose light is asked, `q` the question to begin with.
  validateSearch: (search: Record<string, unknown>): { thread?: string; q?: string } => {
    const [thread, q] = [text(search.thread), text(search.q)];
    return { ...(thread && THREAD_ID.test(thread) ? { thread } : {}), ...(q ? { q } : {}) };
  },
  component: lazyRouteComponent(() => import("./views/chorus/AskView"), "AskView"),
});

const runRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/runs/$runId",
  beforeLoad: ({ params }) => check(RUN_ID.test(params.runId)),
  component: lazyRouteComponent(() => import("./views/chorus/RunView"), "RunView"),
});

const approvalsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/approvals",
  component: lazyRouteComponent(() => import("./views/approvals/ApprovalPane"), "ApprovalPane"),
});

export const specRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/spec/$specId",
  beforeLoad: ({ params }) => check(HASH.test(params.specId)),
  component: lazyRouteComponent(() => import("./views/spec/SpecDetailView"), "SpecDetailView"),
});

export const proofRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/proof/$hash",
  beforeLoad: ({ params }) => check(HASH.test(params.hash)),
  component: lazyRouteComponent(() => import("./views/proof/ProofView"), "ProofView"),
});

const joinRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/join",
  component: lazyRouteComponent(() => import("./views/join/JoinView"), "JoinView"),
});

const newThreadRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/new",
  component: lazyRouteComponent(() => import("./views/new/NewThreadView"), "NewThreadView"),
});

const networkRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/network",
  component: lazyRouteComponent(() => import("./views/network/NetworkView"), "NetworkView"),
});

const blockRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/network/block/$height",
  beforeLoad: ({ params }) => check(/^[0-9]{1,15}$/.test(params.height)),
  component: lazyRouteComponent(() => import("./views/network/BlockView"), "BlockView"),
});

export const router = createRouter({
  routeTree: rootRoute.addChildren([
    homeRoute,
    threadsRoute,
    threadRoute,
    messageRoute,
    searchRoute,
    accountRoute,
    runsRoute,
    runRoute,
    networkRoute,
    blockRoute,
    approvalsRoute,
    specRoute,
    proofRoute,
    joinRoute,
    newThreadRoute,
  ]),
  defaultPreload: "intent",
  scrollRestoration: true,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
