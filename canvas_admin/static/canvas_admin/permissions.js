/* Staff Permissions: after the page, and after each move of a group, asks what the groups
   that are chosen now would open. The answer comes from htmx, as a fragment. */
(() => {
  "use strict";
  addEventListener("load", () => {
    const panel = document.getElementById("effective");
    if (!panel) return;
    const chooser = document.getElementById("id_groups");
    let chosen = chooser && [...chooser.options].map((option) => option.value);
    panel.addEventListener("htmx:configRequest", (event) => {
      if (chosen) event.detail.parameters.groups = chosen;
    });
    panel.closest("form").addEventListener("chooser:moved", (event) => {
      chosen = event.detail;
      panel.dispatchEvent(new CustomEvent("chosen"));
    });
    panel.dispatchEvent(new CustomEvent("chosen"));
  });
})();
