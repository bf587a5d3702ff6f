// The map of a procedure: a drawing of the server's, in which steps can be chosen and the way of a test call is lit.

import { element } from "../dom";
import { quoted } from "./api";
import type { Workspace } from "./workspace";

export class FlowMap {
  #drawn = "";
  #svg: SVGElement | null = null;

  constructor(private readonly work: Workspace) {}

  view(flow: string, lit: readonly string[], chosen: string, choose: (name: string) => void, traffic: boolean): HTMLElement {
    const { session } = this.work;
    const address = `/builder/map?draft=${quoted(session.summary.id)}&flow=${quoted(flow)}&way=${quoted(lit.join(","))}${traffic ? "&traffic=yes" : ""}`;
    const place = element("div", { class: "map-view scroll", tabindex: "0", role: "region", "aria-label": "Map", "data-scroll": "map" });
    if (this.#svg) place.append(this.#svg);
    const key = `${address} ${session.seq}`;
    if (key !== this.#drawn || !this.#svg) {
      this.#drawn = key;
      void session.flush().then(() => drawing(address)).then(
        (svg) => {
          if (key !== this.#drawn) return;
          this.#svg = svg;
          place.replaceChildren(svg);
          pick(svg, chosen, choose);
        },
        () => place.replaceChildren(element("p", { class: "muted" }, "There is no map of this procedure as it is now: look at the findings.")),
      );
    } else pick(this.#svg, chosen, choose);
    return place;
  }
}

/** The browser reads the drawing as XML of ours: no text of it ever becomes markup of the page. */
function drawing(address: string): Promise<SVGElement> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.responseType = "document";
    request.open("GET", address);
    request.onload = () => {
      const root = request.status === 200 ? request.responseXML?.documentElement : null;
      if (root instanceof SVGElement || root?.localName === "svg") resolve(document.importNode(root, true) as unknown as SVGElement);
      else reject(new Error("no map"));
    };
    request.onerror = () => reject(new Error("no map"));
    request.send();
  });
}

function pick(svg: SVGElement, chosen: string, choose: (name: string) => void): void {
  for (const box of svg.querySelectorAll<SVGGElement>("g[data-step]")) {
    const name = box.dataset["step"] ?? "";
    box.classList.toggle("chosen", name !== "" && name === chosen);
    if (!name) continue;
    box.onclick = () => choose(name);
  }
}
