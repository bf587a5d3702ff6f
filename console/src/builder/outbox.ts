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
    return await this.#take((edit) => edit.draft === draft && !alive.has(LOCK + edit.tab));
  }

  /** Takes over what tabs that still live leave unsent when they end: mostly the page that this one follows. */
  async inherit(draft: string, taken: (edits: PendingEdit[]) => void): Promise<void> {
    const others = new Set((await this.#all()).filter((edit) => edit.draft === draft && edit.tab !== this.tab).map((edit) => edit.tab));
    for (const tab of others) {
      void navigator.locks?.request(LOCK + tab, async () => {
        const left = await this.#take((edit) => edit.draft === draft && edit.tab === tab);
        if (left.length) taken(left);
      });
    }
  }

  async #take(wanted: (edit: PendingEdit) => boolean): Promise<PendingEdit[]> {
    const left = (await this.#all()).filter(wanted);
    left.sort((one, other) => one.order - other.order);
    const mine = left.map((edit) => ({ ...edit, tab: this.tab }));
    for (const edit of mine) await this.keep(edit);
    return mine;
  }

  async #all(): Promise<PendingEdit[]> {
    const database = await this.#database;
    return await result<PendingEdit[]>(database.transaction(STORE).objectStore(STORE).getAll());
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
