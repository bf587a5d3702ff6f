// What every page runs: each part begins where the page has a place for it.

import { goingOn } from "./board";
import { csrfToken, tell } from "./dom";
import { LiveEvents } from "./events";
import { atOnce, filters, picks } from "./filters";
import { LivePage } from "./live";
import { Player } from "./player";
import { queues } from "./queues";

/** How long a button stays asked once more; after that it is as before. */
const SURE_MS = 8000;

function once<T extends HTMLElement>(selector: string, begin: (found: T) => void): void {
  const found = document.querySelector<T>(selector);
  if (found) begin(found);
}

function showCount(place: HTMLElement, events: LiveEvents): void {
  const calls = goingOn(events.board);
  place.hidden = calls === 0;
  place.textContent = String(calls);
  place.setAttribute("aria-label", `${calls} ${calls === 1 ? "call" : "calls"} now`);
}

function live(): void {
  const count = document.querySelector<HTMLElement>("[data-live-count]");
  const list = document.querySelector<HTMLElement>("[data-live]");
  if (!count && !list) return;
  let page: LivePage | null = null;
  const events = new LiveEvents((change) => {
    page?.changed(change);
    if (count) showCount(count, events);
  });
  if (list) page = new LivePage(list, events);
  events.start();
}

/** A button that asks once more, for what cannot be taken back. */
function confirmations(): void {
  for (const form of document.querySelectorAll<HTMLFormElement>("form[data-confirm]")) {
    form.addEventListener("submit", (event) => {
      const button = form.querySelector<HTMLButtonElement>("button[type=submit]");
      if (!button || button.dataset["sure"] === "yes") return;
      event.preventDefault();
      const label = button.textContent;
      button.dataset["sure"] = "yes";
      button.classList.add("sure");
      button.textContent = form.dataset["confirm"] ?? "Really?";
      tell(button.textContent);
      setTimeout(() => {
        button.dataset["sure"] = "";
        button.classList.remove("sure");
        button.textContent = label;
      }, SURE_MS);
    });
  }
}

/** Long work says that it goes on. */
function progress(): void {
  for (const form of document.querySelectorAll<HTMLFormElement>("form[data-progress]")) {
    form.addEventListener("submit", () => {
      const button = form.querySelector<HTMLButtonElement>("button[type=submit]");
      if (button) {
        button.textContent = form.dataset["progress"] ?? "Working…";
        button.setAttribute("aria-busy", "true");
      }
    });
  }
}

function theme(select: HTMLSelectElement): void {
  select.addEventListener("change", () => {
    if (select.value) document.documentElement.dataset["theme"] = select.value;
    else delete document.documentElement.dataset["theme"];
    const secure = location.protocol === "https:" ? "; Secure" : "";
    document.cookie = `orderline-theme=${select.value}; path=/; max-age=31536000; SameSite=Strict${secure}`;
    tell("Colours changed");
  });
}

once<HTMLFormElement>("form[data-filters]", filters);
picks();
for (const select of document.querySelectorAll<HTMLSelectElement>("select[data-at-once]")) atOnce(select);
once("[data-queues]", queues);
once("[data-player]", (root) => new Player(root));
once<HTMLSelectElement>("select[data-theme-choice]", theme);
confirmations();
progress();
if (csrfToken()) live();
