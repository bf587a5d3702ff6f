// One connection to the event stream for all tabs: browsers allow six connections a host over HTTP/1.1.
//
// The tab that holds a lock is the leader: it has the connection and hands every message on. When it is closed, the lock
// goes to another tab, which connects and begins with a snapshot: nothing is lost, since a snapshot has all words so far.

import { type Board, type CallMessage, type NodeState, type Snapshot, emptyBoard, fromSnapshot, take } from "./board";

const CHANNEL = "orderline-events";
const LOCK = "orderline-events";
const ADDRESS = "/api/v1/events";

export type Change =
  | { kind: "all" }
  | { kind: "call"; key: string; message: CallMessage }
  | { kind: "node"; node: NodeState }
  | { kind: "connection"; connected: boolean };

type Told =
  | { kind: "hello" }
  | { kind: "board"; board: Board; connected: boolean }
  | { kind: "call"; message: CallMessage }
  | { kind: "node"; node: NodeState }
  | { kind: "connection"; connected: boolean };

export class LiveEvents {
  board: Board = emptyBoard();
  connected = false;
  #channel = "BroadcastChannel" in globalThis ? new BroadcastChannel(CHANNEL) : null;
  #leads = false;
  #listener: (change: Change) => void;

  constructor(listener: (change: Change) => void) {
    this.#listener = listener;
  }

  start(): void {
    if (!this.#channel || !("locks" in navigator)) {
      this.#lead();
      return;
    }
    this.#channel.addEventListener("message", (event: MessageEvent<Told>) => this.#hear(event.data));
    void navigator.locks.request(LOCK, () => {
      this.#lead();
      return new Promise<void>(() => {}); // until this tab is closed
    });
    this.#channel.postMessage({ kind: "hello" } satisfies Told);
  }

  #lead(): void {
    this.#leads = true;
    const source = new EventSource(ADDRESS);
    source.addEventListener("snapshot", (event) => {
      this.board = fromSnapshot(JSON.parse(event.data) as Snapshot);
      this.#pass({ kind: "board", board: this.board, connected: this.connected });
      this.#listener({ kind: "all" });
    });
    source.addEventListener("call", (event) => this.#passOn({ kind: "call", message: JSON.parse(event.data) as CallMessage }));
    source.addEventListener("node", (event) => this.#passOn({ kind: "node", node: JSON.parse(event.data) as NodeState }));
    source.addEventListener("over", () => {
      source.close();
      location.reload(); // signed out, or other rights: the server says what to do
    });
    source.addEventListener("open", () => this.#passOn({ kind: "connection", connected: true }));
    source.addEventListener("error", () => {
      this.#passOn({ kind: "connection", connected: false });
      // refused for good (signed out, for one): the browser does not try again by itself
      if (source.readyState === EventSource.CLOSED) setTimeout(() => this.#lead(), 5000);
    });
  }

  #passOn(told: Told): void {
    this.#take(told);
    this.#pass(told);
  }

  #pass(told: Told): void {
    this.#channel?.postMessage(told);
  }

  #hear(told: Told): void {
    if (told.kind === "hello") {
      if (this.#leads) this.#pass({ kind: "board", board: this.board, connected: this.connected });
    } else if (!this.#leads) {
      this.#take(told);
    }
  }

  #take(told: Told): void {
    switch (told.kind) {
      case "board":
        this.board = told.board;
        this.connected = told.connected;
        this.#listener({ kind: "all" });
        break;
      case "call": {
        const call = take(this.board, told.message);
        this.#listener({ kind: "call", key: call.key, message: told.message });
        if (call.over) delete this.board.calls[call.key];
        break;
      }
      case "node":
        this.board.nodes[told.node.name] = told.node;
        this.#listener({ kind: "node", node: told.node });
        break;
      case "connection":
        this.connected = told.connected;
        this.#listener({ kind: "connection", connected: told.connected });
        break;
    }
  }
}
