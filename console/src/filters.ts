// The call log's filter: short addresses, panels that close, days only where they are asked for.

export function filters(form: HTMLFormElement): void {
  form.addEventListener("formdata", (event) => {
    const data = event.formData;
    for (const [name, value] of [...data]) if (value === "") data.delete(name);
    if (!data.has("words")) data.delete("by");
    if (data.get("when") !== "custom") {
      data.delete("from");
      data.delete("to");
    } else data.delete("when");
  });
  const when = form.querySelector<HTMLSelectElement>("#when");
  const ends = form.querySelectorAll<HTMLElement>("[data-ends]");
  const show = (): void => ends.forEach((end) => end.toggleAttribute("hidden", when?.value !== "custom"));
  when?.addEventListener("change", show);
  show();
}

/** A choice made with the pointer counts at once. By keys the button is pressed: arrows pass over what is not meant. */
export function atOnce(select: HTMLSelectElement): void {
  let pointed = false;
  select.addEventListener("pointerdown", () => (pointed = true));
  select.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") pointed = false;
  });
  select.addEventListener("change", () => {
    if (pointed && select.value !== "custom") select.form?.requestSubmit();
  });
}

export function picks(): void {
  const all = [...document.querySelectorAll<HTMLDetailsElement>("[data-pick]")];
  for (const pick of all) {
    pick.addEventListener("toggle", () => {
      if (!pick.open) return;
      for (const other of all) if (other !== pick) other.open = false;
      const right = pick.querySelector(".panel")?.getBoundingClientRect().right ?? 0;
      if (right > document.documentElement.clientWidth) pick.classList.add("right");
    });
    pick.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && pick.open) {
        pick.open = false;
        pick.querySelector("summary")?.focus();
      }
    });
    addFind(pick);
  }
  document.addEventListener("click", (event) => {
    for (const pick of all) if (pick.open && !pick.contains(event.target as Node)) pick.open = false;
  });
}

const FIND_ABOVE = 10;

/** A long list of choices gets a field that narrows it. */
function addFind(pick: HTMLDetailsElement): void {
  const panel = pick.querySelector<HTMLElement>(".panel");
  const labels = [...pick.querySelectorAll("label:has(input[type=checkbox])")];
  if (!panel || labels.length <= FIND_ABOVE) return;
  const find = document.createElement("input");
  find.type = "search";
  find.className = "find";
  find.placeholder = "Narrow the list";
  find.setAttribute("aria-label", `Narrow the list of ${pick.querySelector("legend")?.textContent ?? ""}`);
  find.addEventListener("input", () => {
    const wanted = find.value.toLowerCase();
    for (const label of labels) label.toggleAttribute("hidden", !label.textContent?.toLowerCase().includes(wanted));
  });
  find.addEventListener("keydown", (event) => {
    if (event.key === "Enter") event.preventDefault();
  });
  panel.prepend(find);
}
