/** What was read, kept in IndexedDB: one record, of the one who read it last. */
import type { DehydratedState } from "@tanstack/react-query";

export interface Kept {
  /** Undefined for who reads signed out. */
  readonly reader: string | undefined;
  readonly state: DehydratedState;
}

const DATABASE = "choir-kept";
const STORE = "read";
const KEY = "last";

export async function readKept(): Promise<Kept | undefined> {
  return inStore("readonly", (store) => store.get(KEY) as IDBRequest<Kept | undefined>);
}

export async function writeKept(kept: Kept): Promise<void> {
  await inStore("readwrite", (store) => store.put(kept, KEY));
}

export async function dropKept(): Promise<void> {
  await inStore("readwrite", (store) => store.clear());
}

async function inStore<T>(mode: IDBTransactionMode, use: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const database = await open();
  try {
    const transaction = database.transaction(STORE, mode);
    const request = use(transaction.objectStore(STORE));
    await new Promise<void>((resolve, reject) => {
      transaction.oncomplete = () => resolve();
      transaction.onerror = transaction.onabort = () => reject(transaction.error ?? new Error("nothing was kept"));
    });
    return request.result;
  } finally {
    database.close();
  }
}

function open(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error("the browser keeps nothing"));
  });
}
