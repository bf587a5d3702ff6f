// Small helpers for making elements. Texts only ever become text nodes: what callers said is never read as HTML.

type Child = Node | string | null | undefined | false;

export function element<K extends keyof HTMLElementTagNameMap>(
  name: K,
  attributes: Record<string, string | boolean | EventListener> = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(key, value);
    else if (value === true) made.setAttribute(key, "");
    else if (value !== false) made.setAttribute(key, value);
  }
  made.append(...children.filter((one): one is Node | string => one !== null && one !== undefined && one !== false));
  return made;
}

/** Sets a text where it changed: screen readers and selections are left in peace otherwise. */
export function setText(target: Element, text: string): void {
  if (target.textContent !== text) target.textContent = text;
}

/** Says something to screen readers, politely. */
export function tell(text: string): void {
  const place = document.getElementById("told");
  if (place) setText(place, text);
}

export function csrfToken(): string {
  return document.querySelector<HTMLMetaElement>('meta[name="csrf-token"]')?.content ?? "";
}

/** m:ss, or h:mm:ss. */
export function span(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const [hours, minutes, left] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60), whole % 60];
  const two = (value: number): string => String(value).padStart(2, "0");
  return hours ? `${hours}:${two(minutes)}:${two(left)}` : `${minutes}:${two(left)}`;
}

/** Day and time of a moment by the shop's clock, as the server's pages write them; options say what is told. */
export function shopTime(at: Date, options: Intl.DateTimeFormatOptions): string {
  const zone = document.documentElement.dataset["zone"];
  return at.toLocaleString("en", { ...options, hourCycle: "h23", ...(zone ? { timeZone: zone } : {}) });
}

/** A number of North America in groups, others as they are; the server's pages write them so too. */
export function phone(digits: string): string {
  const found = /^(?:\+1)?(\d{3})(\d{3})(\d{4})$/.exec(digits);
  return found ? found.slice(1).join(" ") : digits;
}

/** A colour of the style sheet, for a canvas. */
export function colour(name: string): string {
  const probe = element("span", { hidden: true });
  document.body.append(probe);
  probe.style.color = `var(${name})`;
  const value = getComputedStyle(probe).color;
  probe.remove();
  return value;
}

/** Sends a change to the API; returns what is wrong, "" when nothing is. */
export async function send(method: string, path: string, body?: unknown): Promise<string> {
  try {
    const answer = await fetch(path, {
      method,
      headers: { "X-Orderline-Token": csrfToken(), ...(body === undefined ? {} : { "Content-Type": "application/json" }) },
      body: body === undefined ? null : JSON.stringify(body),
    });
    if (answer.ok) return "";
    const problem = (await answer.json().catch(() => ({}))) as { detail?: string; title?: string };
    return problem.detail ?? problem.title ?? `The console answered ${answer.status}.`;
  } catch {
    return "The console does not answer. Try again.";
  }
}
