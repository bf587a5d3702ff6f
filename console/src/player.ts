// The player of one call: both sides drawn apart, a click seeks, each side can be muted, keys J K L.

import { colour, element, setText, span } from "./dom";

interface Peaks {
  /** Least and greatest sample of each side, -1 to 1, in equal steps of time. */
  caller: [number, number][];
  agent: [number, number][];
  seconds: number;
}

interface Turn {
  root: HTMLElement;
  from: number;
  until: number;
}

const SPEEDS = [1, 1.25, 1.5, 2];
const STEP_SECONDS = 10;

export class Player {
  #root: HTMLElement;
  #audio: HTMLAudioElement;
  #canvas = element("canvas", { role: "img", "aria-label": "Loudness of the caller (above) and the agent (below) over the time of the call" });
  #seek = element("input", { type: "range", min: "0", max: "1", step: "0.1", value: "0", "aria-label": "Place in the recording" });
  #play = element("button", { type: "button", class: "first" }, "Play");
  #time = element("span", { class: "time" }, "0:00");
  #peaks: Peaks | null = null;
  #turns: Turn[] = [];
  #context: AudioContext | null = null;
  #gains: Record<"caller" | "agent", GainNode | null> = { caller: null, agent: null };
  #muted = { caller: false, agent: false };
  #colours: Record<string, string> | null = null;

  constructor(root: HTMLElement) {
    this.#root = root;
    const audio = root.querySelector("audio");
    if (!audio) throw new Error("a player needs an audio element");
    this.#audio = audio;
    this.#build();
    this.#joinTurns();
    this.#keys();
    void this.#load(root.dataset["peaks"] ?? "");
  }

  #build(): void {
    this.#audio.removeAttribute("controls");
    this.#audio.hidden = true;
    this.#play.addEventListener("click", () => void this.#toggle());
    const back = element("button", { type: "button", click: () => this.#move(-STEP_SECONDS) }, "−10 s");
    const on = element("button", { type: "button", click: () => this.#move(STEP_SECONDS) }, "+10 s");
    const speed = element("select", { "aria-label": "Speed" }, ...SPEEDS.map((one) => element("option", { value: String(one) }, `${one}×`)));
    speed.addEventListener("change", () => (this.#audio.playbackRate = Number(speed.value)));
    const controls = element(
      "div",
      { class: "controls" },
      element("span", { class: "group" }, this.#play, back, on),
      this.#time,
      element("label", { class: "group" }, element("span", { class: "spoken" }, "Speed"), speed),
      element("span", { class: "group" }, this.#muteButton("caller", "Caller"), this.#muteButton("agent", "Agent")),
      element("span", { class: "muted small" }, "Keys: ", element("kbd", {}, "J"), " back, ", element("kbd", {}, "K"), " play, ", element("kbd", {}, "L"), " on"),
    );
    this.#root.prepend(element("div", { class: "wave" }, this.#canvas, this.#seek), controls);
    this.#canvas.addEventListener("pointerdown", (event) => {
      const box = this.#canvas.getBoundingClientRect();
      this.#seekTo(((event.clientX - box.left) / box.width) * this.#seconds);
    });
    this.#seek.addEventListener("input", () => this.#seekTo(Number(this.#seek.value)));
    this.#audio.addEventListener("play", () => this.#playing());
    this.#audio.addEventListener("pause", () => setText(this.#play, "Play"));
    this.#audio.addEventListener("timeupdate", () => this.#shown());
    this.#audio.addEventListener("loadedmetadata", () => this.#shown());
    this.#audio.addEventListener("error", () => {
      this.#root.append(element("p", { class: "error", role: "alert" }, "The recording cannot be played: it may have been deleted meanwhile. Load the page again."));
    });
    new ResizeObserver(() => this.#draw()).observe(this.#canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
      this.#colours = null;
      this.#draw();
    });
  }

  #muteButton(side: "caller" | "agent", label: string): HTMLButtonElement {
    const button = element("button", { type: "button", class: `side-${side}`, "aria-pressed": "true" }, label);
    button.title = `Hear the ${side}`;
    button.addEventListener("click", () => {
      this.#muted[side] = !this.#muted[side];
      button.setAttribute("aria-pressed", String(!this.#muted[side]));
      this.#mix();
    });
    return button;
  }

  async #load(address: string): Promise<void> {
    try {
      const answer = await fetch(address);
      if (answer.ok) this.#peaks = (await answer.json()) as Peaks;
    } catch {
      // it plays without a picture
    }
    this.#canvas.hidden = this.#peaks === null;
    this.#shown();
  }

  get #seconds(): number {
    return Number.isFinite(this.#audio.duration) ? this.#audio.duration : (this.#peaks?.seconds ?? 0);
  }

  #joinTurns(): void {
    for (const root of document.querySelectorAll<HTMLElement>("[data-from]")) {
      const from = Number(root.dataset["from"]);
      const place = root.querySelector("[data-at]");
      const button = element("button", { type: "button", class: "at", "aria-label": `Play from ${place?.textContent ?? ""}` }, place?.textContent ?? "");
      button.addEventListener("click", () => {
        this.#seekTo(from);
        void this.#audio.play();
      });
      place?.replaceWith(button);
      this.#turns.push({ root, from, until: root.dataset["until"] ? Number(root.dataset["until"]) : Infinity });
    }
  }

  #keys(): void {
    document.addEventListener("keydown", (event) => {
      const target = event.target as HTMLElement;
      if (event.ctrlKey || event.metaKey || event.altKey || target.closest("input:not([type=range]), select, textarea")) return;
      const act = { j: () => this.#move(-STEP_SECONDS), k: () => void this.#toggle(), l: () => this.#move(STEP_SECONDS) }[event.key.toLowerCase()];
      if (act) {
        event.preventDefault();
        act();
      }
    });
  }

  async #toggle(): Promise<void> {
    if (this.#audio.paused) await this.#audio.play();
    else this.#audio.pause();
  }

  #playing(): void {
    setText(this.#play, "Pause");
    this.#connect();
    void this.#context?.resume();
    const frame = (): void => {
      this.#shown();
      if (!this.#audio.paused) requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  }

  /** Leads each side through a volume of its own. Made on the first play: browsers want a click before. */
  #connect(): void {
    if (this.#context) return;
    this.#context = new AudioContext();
    const source = this.#context.createMediaElementSource(this.#audio);
    const splitter = this.#context.createChannelSplitter(2);
    const merger = this.#context.createChannelMerger(2);
    source.connect(splitter);
    for (const [channel, side] of (["caller", "agent"] as const).entries()) {
      const gain = this.#context.createGain();
      splitter.connect(gain, channel);
      gain.connect(merger, 0, 0);
      gain.connect(merger, 0, 1);
      this.#gains[side] = gain;
    }
    merger.connect(this.#context.destination);
    this.#mix();
  }

  #mix(): void {
    for (const side of ["caller", "agent"] as const) {
      const gain = this.#gains[side];
      if (gain) gain.gain.value = this.#muted[side] ? 0 : 1;
    }
    this.#draw();
  }

  #move(seconds: number): void {
    this.#seekTo(this.#audio.currentTime + seconds);
  }

  #seekTo(seconds: number): void {
    this.#audio.currentTime = Math.min(Math.max(seconds, 0), Math.max(this.#seconds - 0.01, 0));
    this.#shown();
  }

  #shown(): void {
    const now = this.#audio.currentTime;
    setText(this.#time, `${span(now)} / ${span(this.#seconds)}`);
    this.#seek.max = String(this.#seconds);
    this.#seek.value = String(now);
    this.#seek.setAttribute("aria-valuetext", `${span(now)} of ${span(this.#seconds)}`);
    for (const turn of this.#turns) {
      const here = now >= turn.from && now < turn.until && now > 0;
      turn.root.classList.toggle("playing", here);
    }
    this.#draw();
  }

  #draw(): void {
    const [width, height, ratio] = [this.#canvas.clientWidth, this.#canvas.clientHeight, devicePixelRatio];
    const pen = this.#canvas.getContext("2d");
    if (!pen || !width || !this.#peaks) return;
    if (this.#canvas.width !== Math.round(width * ratio)) {
      this.#canvas.width = Math.round(width * ratio);
      this.#canvas.height = Math.round(height * ratio);
    }
    this.#colours ??= { caller: colour("--caller"), agent: colour("--agent"), text: colour("--text") };
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, width, height);
    const half = height / 2;
    for (const [side, middle] of [["caller", half * 0.5], ["agent", half * 1.5]] as const) {
      pen.globalAlpha = this.#muted[side] ? 0.3 : 1;
      pen.fillStyle = this.#colours[side] ?? "";
      const peaks = this.#peaks[side];
      for (let x = 0; x < width; x += 2) {
        const [first, last] = [Math.floor((x / width) * peaks.length), Math.ceil(((x + 2) / width) * peaks.length)];
        let loudest = 0;
        for (let place = first; place < last; place++) {
          const [least, most] = peaks[place] ?? [0, 0];
          loudest = Math.max(loudest, -least, most);
        }
        const tall = Math.max(1, loudest * (half - 6));
        pen.fillRect(x, middle - tall / 2, 1.4, tall);
      }
    }
    pen.globalAlpha = 1;
    pen.fillStyle = this.#colours["text"] ?? "";
    pen.fillRect(this.#seconds ? (this.#audio.currentTime / this.#seconds) * width : 0, 0, 1.5, height);
  }
}
