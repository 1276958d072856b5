/** Where the browser holds keys: IndexedDB, as CryptoKey objects that no script can read out. */
import type { KeyPair } from "@/lib/ed25519";

export interface StoredKey extends KeyPair {
  readonly createdAtMs: number;
}

const DATABASE = "choir";
const STORE = "keys";

export function listKeys(): Promise<StoredKey[]> {
  return inStore("readonly", (store) => store.getAll() as IDBRequest<StoredKey[]>);
}

export async function putKey(key: KeyPair): Promise<StoredKey> {
  const stored: StoredKey = { ...key, createdAtMs: Date.now() };
  await inStore("readwrite", (store) => store.put(stored));
  return stored;
}

export async function deleteKey(address: string): Promise<void> {
  await inStore("readwrite", (store) => store.delete(address));
}

async function inStore<T>(mode: IDBTransactionMode, use: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const database = await open();
  try {
    const transaction = database.transaction(STORE, mode);
    const request = use(transaction.objectStore(STORE));
    await new Promise<void>((resolve, reject) => {
      transaction.oncomplete = () => resolve();
      transaction.onerror = transaction.onabort = () =>
        reject(transaction.error ?? new Error("the browser kept nothing"));
    });
    return request.result;
  } finally {
    database.close();
  }
}

function open(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: "address" });
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error("the browser has no place for keys"));
  });
}
