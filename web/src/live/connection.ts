/** The one live connection of the page: owns the socket and the waiting, around `LiveCore`. */
import { notifyManager } from "@tanstack/react-query";
import { useSyncExternalStore } from "react";
import { Refused } from "@/api/errors";
import { onSessionChange, renewSessionAfter, sessionState } from "@/api/session";
import { HANDSHAKE_MS, LiveCore, type LiveState, SessionRefused } from "./core";
import { type Outgoing, type StreamKey, Unexpected, type Update } from "./frames";

const SESSION_ENDED = 4401;
const NOT_SIGNED_IN = 311;

export interface LiveStatus {
  readonly is: LiveState;
  /** Since when it is so, in ms of the epoch. */
  readonly sinceMs: number;
}

interface Presented {
  address: string | undefined;
  token: string | undefined;
}

const NOBODY: Presented = { address: undefined, token: undefined };

interface Followers {
  plain: number;
  withSnapshot: number;
}

type UpdateListener = (update: Update) => void;

class LiveConnection {
  private readonly core: LiveCore;
  private readonly followers = new Map<StreamKey, Followers>();
  private readonly updateListeners = new Set<UpdateListener>();
  private readonly statusListeners = new Set<() => void>();
  private status: LiveStatus = { is: "connecting", sinceMs: Date.now() };
  private socket: WebSocket | undefined;
  private retryTimer: ReturnType<typeof setTimeout> | undefined;
  private tickTimer: ReturnType<typeof setTimeout> | undefined;
  private isStarted = false;
  /** Who speaks on the open connection; undefined while none is open. */
  private presented: Presented | undefined;

  constructor() {
    this.core = new LiveCore({ onUpdate: (update) => this.tell(update), random: Math.random, now: performance.now() });
  }

  /** Connect, and stay connected for as long as the page lives. */
  start(): void {
    if (this.isStarted) return;
    this.isStarted = true;
    onSessionChange(() => this.followSession());
    window.addEventListener("online", () => this.retryNow());
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") this.retryNow();
    });
    this.connect();
  }

  /**
   * Follow a thread or the account (null) until the returned function is called. With `hasSnapshot` its state comes
   * first; without, only what happens from now on.
   */
  follow(key: StreamKey, hasSnapshot: boolean): () => void {
    const kind = hasSnapshot ? "withSnapshot" : "plain";
    const followers = this.followers.get(key) ?? { plain: 0, withSnapshot: 0 };
    followers[kind] += 1;
    this.followers.set(key, followers);
    this.act((now) => this.core.follow(key, followers.withSnapshot > 0, now));
    return () => {
      followers[kind] -= 1;
      if (followers.plain + followers.withSnapshot > 0 || this.followers.get(key) !== followers) return;
      this.followers.delete(key);
      this.act(() => this.core.unfollow(key));
    };
  }

  onUpdate(listener: UpdateListener): () => void {
    this.updateListeners.add(listener);
    return () => this.updateListeners.delete(listener);
  }

  onStatus(listener: () => void): () => void {
    this.statusListeners.add(listener);
    return () => this.statusListeners.delete(listener);
  }

  getStatus(): LiveStatus {
    return this.status;
  }

  /** Whether what the node tells now reaches this page. */
  get isLive(): boolean {
    return this.core.state === "live";
  }

  /** Try at once, if a try is waited for. */
  retryNow(): void {
    if (this.retryTimer === undefined) return;
    this.core.encourage();
    this.connect();
  }

  private connect(): void {
    clearTimeout(this.retryTimer);
    this.retryTimer = undefined;
    const socket = new WebSocket(new URL("/v1/ws", window.location.href.replace(/^http/, "ws")));
    this.socket = socket;
    this.presented = undefined;
    socket.onopen = () => {
      if (this.socket === socket) this.open();
    };
    socket.onmessage = ({ data }) => {
      if (this.socket === socket) this.receive(String(data));
    };
    socket.onclose = ({ code }) => {
      if (this.socket !== socket) return;
      if (code === SESSION_ENDED) renew("The session has ended.");
      this.lost();
    };
    clearTimeout(this.tickTimer);
    this.tickTimer = setTimeout(() => this.drop(), HANDSHAKE_MS);
  }

  private open(): void {
    const session = sessionState();
    const isSignedIn = session.is === "signed-in";
    this.presented = isSignedIn ? { address: session.address, token: session.token } : NOBODY;
    this.act((now) => this.core.connected(tokenNow(), now));
  }

  private receive(raw: string): void {
    try {
      this.act((now) => notifyManager.batch(() => this.core.received(raw, now)));
    } catch (error) {
      if (error instanceof SessionRefused) renew(error.message);
      else if (error instanceof Unexpected) console.warn("live:", error.message);
      else throw error;
      this.drop();
    }
  }

  /** Give this connection up; another is made after a while. */
  private drop(): void {
    const socket = this.socket;
    this.lost();
    socket?.close();
  }

  private lost(): void {
    this.socket = undefined;
    this.presented = undefined;
    const delayMs = this.core.disconnected(performance.now());
    this.retryTimer = setTimeout(() => this.connect(), delayMs);
    this.noteStatus();
    clearTimeout(this.tickTimer);
  }

  /** Another session speaks from now on. One connection is of one account, so another account needs another. */
  private followSession(): void {
    const session = sessionState();
    const presented = this.presented;
    if (presented === undefined) return; // not open yet: what holds then is presented then
    if (session.is === "signing-in" && session.address === presented.address) return;
    const token = tokenNow();
    const address = session.is === "signed-in" ? session.address : undefined;
    if (address !== presented.address) this.reconnect();
    else if (token !== undefined && token !== presented.token) {
      this.presented = { address, token };
      this.act(() => this.core.authenticate(token));
    }
  }

  /** At once by another connection: what one account may read is not for another. */
  private reconnect(): void {
    const socket = this.socket;
    this.socket = undefined;
    socket?.close();
    this.core.disconnected(performance.now());
    this.core.encourage();
    this.connect();
  }

  /** Do something with the core, then send what it wants sent, and wake it when it wants to be. */
  private act(step: (now: number) => void): void {
    step(performance.now());
    this.flush();
    this.noteStatus();
    this.wake();
  }

  private flush(): void {
    if (this.socket?.readyState !== WebSocket.OPEN) {
      this.core.outbox.length = 0;
      return;
    }
    for (const frame of this.core.outbox.splice(0)) this.socket.send(encode(frame));
  }

  private wake(): void {
    if (this.presented === undefined) return; // not open: it has a timer of its own
    clearTimeout(this.tickTimer);
    const delayMs = Math.max(0, this.core.wakesAt() - performance.now());
    this.tickTimer = setTimeout(() => {
      let isSilent = false;
      this.act((now) => {
        isSilent = this.core.tick(now);
      });
      if (isSilent) this.drop();
    }, delayMs);
  }

  private noteStatus(): void {
    if (this.status.is === this.core.state) return;
    this.status = { is: this.core.state, sinceMs: Date.now() };
    for (const listener of this.statusListeners) listener();
  }

  private tell(update: Update): void {
    for (const listener of this.updateListeners) listener(update);
  }
}

function tokenNow(): string | undefined {
  const session = sessionState();
  return session.is === "signed-in" ? session.token : undefined;
}

function renew(message: string): void {
  renewSessionAfter(new Refused({ code: NOT_SIGNED_IN, name: "NotSignedIn", message }, 401));
}

function encode(frame: Outgoing): string {
  return JSON.stringify({ ...frame, timestamp: Date.now() });
}

export const live = new LiveConnection();

/** How the live connection stands. */
export function useLiveStatus(): LiveStatus {
  return useSyncExternalStore(
    (changed) => live.onStatus(changed),
    () => live.getStatus(),
  );
}
