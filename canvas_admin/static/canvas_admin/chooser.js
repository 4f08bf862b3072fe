/* Two labelled lists, "available" and "chosen", out of one select.chooser: filter, move by
   button, double click or Enter. The form posts what is chosen, in the order it had. */
(() => {
  "use strict";
  const make = (tag, properties = {}, ...children) => {
    const node = Object.assign(document.createElement(tag), properties);
    node.append(...children);
    return node;
  };

  const list = (id, title) => {
    const select = make("select", { id, multiple: true, size: 10 });
    const filter = make("input", { id: `${id}_filter`, type: "search", autocomplete: "off" });
    const side = make(
      "div",
      { className: "chooser-side" },
      make("label", { htmlFor: id, textContent: title }),
      make("label", { htmlFor: filter.id, className: "chooser-filter", textContent: gettext("Filter") }),
      filter,
      select,
    );
    return { select, filter, side, all: [] };
  };

  const enhance = (source) => {
    const plural = source.dataset.plural;
    const available = list(`${source.id}_available`, interpolate(gettext("Available %s"), [plural]));
    const chosen = list(source.id, interpolate(gettext("Chosen %s"), [plural]));
    const order = [...source.options];
    const said = make("p", { className: "visually-hidden" });
    said.setAttribute("role", "status");

    for (const option of order) {
      (option.selected ? chosen : available).all.push(option);
      option.selected = false;
    }

    const show = (side) => {
      const words = side.filter.value.toLowerCase().split(/\s+/).filter(Boolean);
      const wanted = side.all
        .filter((option) => words.every((word) => option.text.toLowerCase().includes(word)))
        .sort((a, b) => order.indexOf(a) - order.indexOf(b));
      side.select.replaceChildren(...wanted);
    };

    const move = (from, to, options) => {
      const moved = options.filter((option) => !option.disabled);
      if (!moved.length) return;
      from.all = from.all.filter((option) => !moved.includes(option));
      to.all.push(...moved);
      for (const option of moved) option.selected = false;
      show(from);
      show(to);
      for (const option of moved) option.selected = true;
      said.textContent = interpolate(gettext("%s moved; %s chosen."), [
        moved.map((option) => option.text).join(", "),
        chosen.all.length,
      ]);
      const detail = chosen.all.map((option) => option.value);
      chosen.select.dispatchEvent(new CustomEvent("chooser:moved", { bubbles: true, detail }));
    };

    const mover = (text, from, to, options) => {
      const button = make("button", { type: "button", textContent: text });
      button.addEventListener("click", () => move(from, to, options()));
      return button;
    };

    for (const [from, to] of [[available, chosen], [chosen, available]]) {
      const selected = () => [...from.select.selectedOptions];
      from.filter.addEventListener("input", () => show(from));
      from.filter.addEventListener("keydown", (event) => {
        if (event.key !== "Enter") return;
        event.preventDefault();
        if (from.select.options.length === 1) move(from, to, [...from.select.options]);
      });
      from.select.addEventListener("dblclick", () => move(from, to, selected()));
      from.select.addEventListener("keydown", (event) => {
        if (event.key !== "Enter") return;
        event.preventDefault();
        move(from, to, selected());
      });
    }

    const buttons = make(
      "div",
      { className: "chooser-moves" },
      mover(gettext("Choose"), available, chosen, () => [...available.select.selectedOptions]),
      mover(gettext("Remove"), chosen, available, () => [...chosen.select.selectedOptions]),
    );
    const frame = make("div", { className: "chooser-frame" });
    frame.setAttribute("role", "group");
    frame.setAttribute("aria-label", plural);
    frame.append(available.side, buttons, chosen.side, said);

    chosen.select.name = source.name;
    for (const name of ["aria-describedby", "aria-invalid"]) {
      if (source.hasAttribute(name)) chosen.select.setAttribute(name, source.getAttribute(name));
    }
    source.replaceWith(frame);
    show(available);
    show(chosen);
    chosen.select.form.addEventListener("submit", () => {
      chosen.filter.value = "";
      show(chosen);
      for (const option of chosen.all) option.selected = true;
    });
  };

  addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll("select.chooser").forEach(enhance);
  });
})();
