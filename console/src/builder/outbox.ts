// Edits that the server has not acknowledged yet, in IndexedDB: they outlive the browser, the console and the network.

import type { PendingEdit } from "./model";

const DATABASE = "orderline-builder";
const STORE = "pending";
const LOCK = "orderline-builder-tab-";

export class Outbox {
  readonly tab = crypto.randomUUID();
  #database: Promise<IDBDatabase>;

  constructor() {
    this.#database = opened();
    // held as long as this tab lives: what a dead tab has left is sent by the next one
    void navigator.locks?.request(LOCK + this.tab, () => new Promise<void>(() => {}));
  }

  /** Keeps an edit as it is now; resolves when it is on disk. */
  async keep(edit: PendingEdit): Promise<void> {
    await this.#write((store) => store.put(edit));
  }

  async drop(id: string): Promise<void> {
    await this.#write((store) => store.delete(id));
  }

  /** The edits of a draft that no living tab will send; they are this tab's from now on. */
  async adopt(draft: string): Promise<PendingEdit[]> {
    const held = (await navigator.locks?.query())?.held ?? [];
    const alive = new Set(held.map((lock) => lock.name ?? ""));
    const database = await this.#database;
    const all = await result<PendingEdit[]>(database.transaction(STORE).objectStore(STORE).getAll());
    const left = all.filter((edit) => edit.draft === draft && !alive.has(LOCK + edit.tab));
    left.sort((one, other) => one.order - other.order);
    const mine = left.map((edit) => ({ ...edit, tab: this.tab }));
    for (const edit of mine) await this.keep(edit);
    return mine;
  }

  async #write(act: (store: IDBObjectStore) => IDBRequest): Promise<void> {
    const database = await this.#database;
    await new Promise<void>((resolve, reject) => {
      const transaction = database.transaction(STORE, "readwrite", { durability: "strict" });
      transaction.oncomplete = () => resolve();
      transaction.onerror = transaction.onabort = () => reject(transaction.error ?? new Error("not kept"));
      act(transaction.objectStore(STORE));
    });
  }
}

function opened(): Promise<IDBDatabase> {
  const request = indexedDB.open(DATABASE, 1);
  request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: "id" });
  return result(request);
}

function result<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error("IndexedDB has failed"));
  });
}
