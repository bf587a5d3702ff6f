// The calls that go on, kept from the messages of the server's event stream. Pure: no page, no clock.

export interface CallMessage {
  node: string;
  event: string;
  call_id: string;
  seq: number;
  at: string;
  at_seconds?: number | null;
  data: Record<string, unknown>;
}

export interface NodeState {
  name: string;
  state: string;
  detail: string;
}

export interface Line {
  who: "agent" | "caller" | "note";
  text: string;
  responseMs: number | null;
}

export interface BoardCall {
  key: string;
  node: string;
  callId: string;
  startedAt: string;
  caller: string;
  callerName: string;
  dialled: string;
  direction: string;
  doing: string;
  flow: string;
  step: string;
  lines: Line[];
  outcome: string;
  over: boolean;
}

export interface Snapshot {
  nodes: NodeState[];
  calls: (Record<string, unknown> & { node: string; call_id: string; events: CallMessage[] })[];
}

export interface Board {
  nodes: Record<string, NodeState>;
  calls: Record<string, BoardCall>;
}

const MOST_LINES = 400;
const DOING: Record<string, string> = {
  agent_said: "speaking",
  listening: "listening",
  caller_said: "thinking",
  effect_started: "thinking",
  effect: "thinking",
  hold: "on hold",
  hold_ended: "thinking",
  queue: "handing over",
  handed_over: "handing over",
  taken_over: "taken over",
};

export function emptyBoard(): Board {
  return { nodes: {}, calls: {} };
}

export function fromSnapshot(snapshot: Snapshot): Board {
  const board = emptyBoard();
  for (const node of snapshot.nodes) board.nodes[node.name] = node;
  for (const told of snapshot.calls) {
    const call = newCall(told.node, told.call_id, text(told["started_at"]));
    call.caller = text(told["caller"]);
    call.callerName = text(told["caller_name"]);
    call.dialled = text(told["dialled"]);
    call.direction = text(told["direction"]);
    board.calls[call.key] = call;
    for (const message of told.events) follow(call, message);
    call.doing = text(told["doing"]) || call.doing;
    call.flow = text(told["flow"]) || call.flow;
    call.step = text(told["step"]) || call.step;
  }
  return board;
}

/** Takes one message in; returns the call it is about. */
export function take(board: Board, message: CallMessage): BoardCall {
  const key = keyOf(message.node, message.call_id);
  const call = (board.calls[key] ??= newCall(message.node, message.call_id, message.at));
  follow(call, message);
  return call;
}

/** How many calls go on; one that has just ended may still be there. */
export function goingOn(board: Board): number {
  return Object.values(board.calls).filter((call) => !call.over).length;
}

export function keyOf(node: string, callId: string): string {
  return `${node}/${callId}`;
}

function newCall(node: string, callId: string, startedAt: string): BoardCall {
  return {
    key: keyOf(node, callId),
    node,
    callId,
    startedAt,
    caller: "",
    callerName: "",
    dialled: "",
    direction: "inbound",
    doing: "answering",
    flow: "",
    step: "",
    lines: [],
    outcome: "",
    over: false,
  };
}

function follow(call: BoardCall, message: CallMessage): void {
  const data = message.data;
  call.doing = DOING[message.event] ?? call.doing;
  switch (message.event) {
    case "call_started": {
      const caller = (data["caller"] ?? {}) as Record<string, unknown>;
      call.startedAt = message.at || call.startedAt;
      call.caller = text(caller["number"]);
      call.callerName = text(caller["name"]);
      call.dialled = text(data["dialled"]);
      call.direction = text(data["direction"]) || call.direction;
      break;
    }
    case "step":
      call.flow = text(data["flow"]) || call.flow;
      call.step = text(data["step"]) || call.step;
      break;
    case "agent_said":
      call.flow = text(data["flow"]) || call.flow;
      call.step = text(data["step"]) || call.step;
      add(call, "agent", text(data["text"]), number(data["response_ms"]));
      break;
    case "caller_said":
      add(call, "caller", text(data["heard"]) || "(nothing intelligible)", null);
      break;
    case "effect":
      add(call, "note", `${text(data["name"])}: ${text(data["code"])}, ${Math.round(number(data["ms"]) ?? 0)} ms`, null);
      break;
    case "consent":
      if (data["answer"] === "refused") {
        call.lines = [];
        call.flow = call.step = "";
        add(call, "note", "The caller refused to be recorded: no words are shown.", null);
      }
      break;
    case "hold":
      add(call, "note", "The caller has put the agent on hold.", null);
      break;
    case "handed_over":
      add(call, "note", `Handed over: ${words(text(data["reason"]))}${data["queue"] ? `, queue ${text(data["queue"])}` : ""}`, null);
      break;
    case "taken_over":
      add(call, "note", `Taken over by ${text(data["by"])}`, null);
      break;
    case "call_ended":
      call.outcome = text(data["outcome"]);
      call.over = true;
      break;
  }
}

function add(call: BoardCall, who: Line["who"], said: string, responseMs: number | null): void {
  if (!said) return;
  call.lines.push({ who, text: said, responseMs });
  if (call.lines.length > MOST_LINES) call.lines.splice(0, call.lines.length - MOST_LINES);
}

export function words(machine: string): string {
  const plain = machine.replaceAll("_", " ");
  return plain.charAt(0).toUpperCase() + plain.slice(1);
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function number(value: unknown): number | null {
  return typeof value === "number" ? value : null;
}
