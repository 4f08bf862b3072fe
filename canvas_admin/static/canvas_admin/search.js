/* The search bar as a combobox: htmx fetches suggestions while one types, this file opens
   them and lets the keyboard choose. The focus stays in the field all the while; arrows
   move aria-activedescendant, Enter takes the option or searches, Escape closes. */
(() => {
  "use strict";
  const field = document.getElementById("search-text");
  const popup = document.getElementById("search-popup");
  const status = document.getElementById("search-status");
  if (!field || !window.htmx) return;

  // The content security policy forbids both, and history would keep patients' names.
  Object.assign(htmx.config, {
    includeIndicatorStyles: false,
    allowEval: false,
    allowScriptTags: false,
    historyEnabled: false,
    historyCacheSize: 0,
  });

  field.setAttribute("role", "combobox");
  field.setAttribute("aria-autocomplete", "list");
  field.setAttribute("aria-haspopup", "listbox");
  field.setAttribute("aria-expanded", "false");

  const options = () => [...popup.querySelectorAll("[role=option]")];

  const choose = (chosen) => {
    for (const option of options()) {
      option.setAttribute("aria-selected", String(option === chosen));
    }
    if (chosen) {
      field.setAttribute("aria-activedescendant", chosen.id);
      chosen.scrollIntoView({ block: "nearest" });
    } else {
      field.removeAttribute("aria-activedescendant");
    }
  };

  const close = () => {
    htmx.trigger(field, "htmx:abort");
    popup.hidden = true;
    popup.replaceChildren();
    status.textContent = "";
    field.setAttribute("aria-expanded", "false");
    field.removeAttribute("aria-controls");
    choose(null);
  };

  const open = () => {
    popup.hidden = false;
    const list = popup.querySelector("[role=listbox]");
    field.setAttribute("aria-expanded", String(Boolean(list)));
    if (list) field.setAttribute("aria-controls", list.id);
    else field.removeAttribute("aria-controls");
    choose(null);
    status.textContent = popup.querySelector("[data-search-note]")?.textContent ?? "";
  };

  const move = (step) => {
    const all = options();
    if (!all.length) return;
    const at = all.findIndex((option) => option.getAttribute("aria-selected") === "true");
    const next = at < 0 && step < 0 ? all.length - 1 : at + step;
    choose(next < 0 || next >= all.length ? null : all[next]);
  };

  const take = (event) => {
    const chosen = popup.querySelector("[aria-selected=true]");
    if (!chosen) return;
    event.preventDefault();
    if (chosen.getAttribute("aria-disabled") !== "true") chosen.click();
  };

  const escape = (event) => {
    if (!popup.hidden) event.preventDefault();
    close();
  };

  const keys = {
    ArrowDown: (event) => (event.preventDefault(), move(1)),
    ArrowUp: (event) => (event.preventDefault(), move(-1)),
    Enter: take,
    Escape: escape,
  };

  field.addEventListener("keydown", (event) => {
    if (!event.isComposing && (event.key === "Escape" || !popup.hidden)) {
      keys[event.key]?.(event);
    }
  });
  field.addEventListener("input", () => {
    if (!field.value.trim()) close();
  });
  // An option is taken by a click; the field keeps the focus until then.
  popup.addEventListener("mousedown", (event) => event.preventDefault());
  field.form.addEventListener("submit", () => htmx.trigger(field, "htmx:abort"));
  field.form.addEventListener("focusout", (event) => {
    if (!field.form.contains(event.relatedTarget)) close();
  });

  field.addEventListener("htmx:beforeRequest", (event) => {
    if (!field.value.trim()) event.preventDefault();
  });
  // Events about the answer are sent to the popup, which htmx was told to fill.
  popup.addEventListener("htmx:beforeSwap", (event) => {
    // The session has ended: what came is the sign-in page, so go there properly.
    const answered = new URL(event.detail.xhr.responseURL);
    if (answered.pathname !== new URL(field.form.action).pathname) {
      event.preventDefault();
      location.assign(location.pathname);
    } else if (document.activeElement !== field) {
      event.preventDefault();
    }
  });
  popup.addEventListener("htmx:afterSwap", open);
  field.addEventListener("htmx:responseError", close);
})();
