/* Every tab leaves for the sign-in page when the session has ended, and says so a minute
   before. It asks nothing until this tab's own idle time is nearly over, because another
   tab may have prolonged the session meanwhile. Asking does not prolong it. When nobody
   answers and the session may be over, the page is covered, with what was typed in it. */
(() => {
  "use strict";
  const WARNING = 60;
  const banner = document.querySelector("[data-session-url]");
  if (!banner) return;
  const { sessionUrl, stayUrl, signInUrl, idleSeconds } = banner.dataset;
  let timer = 0;
  let due = 0;
  let end = Date.now() + idleSeconds * 1000;

  const cover = (covered) => {
    for (const part of document.querySelectorAll("main, .site-search")) part.hidden = covered;
  };

  const leave = () => {
    const here = encodeURIComponent(location.pathname + location.search);
    location.replace(`${signInUrl}?next=${here}`);
  };

  const wait = (seconds) => {
    clearTimeout(timer);
    due = Date.now() + seconds * 1000;
    timer = setTimeout(ask, Math.max(1, seconds) * 1000);
  };

  const ask = async () => {
    let left;
    try {
      const answer = await fetch(sessionUrl, { cache: "no-store" });
      left = (await answer.json()).seconds_left;
    } catch {
      if (Date.now() >= end) cover(true);
      wait(WARNING / 2);
      return;
    }
    end = Date.now() + left * 1000;
    if (left <= 0) {
      leave();
      return;
    }
    cover(false);
    banner.hidden = left > WARNING;
    wait(left > WARNING ? left - WARNING : left);
  };

  banner.querySelector("button").addEventListener("click", async () => {
    banner.hidden = true;
    await fetch(stayUrl, { cache: "no-store" }).catch(() => undefined);
    ask();
  });

  // htmx notes the page's path, which may name a patient, whatever it is told.
  addEventListener("DOMContentLoaded", () => {
    sessionStorage.clear();
    localStorage.clear();
  });
  // A page that the browser kept for Back may belong to a session that is over.
  addEventListener("pageshow", (event) => {
    if (event.persisted) location.reload();
  });
  // Timers stand still while a computer sleeps.
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && Date.now() >= due) ask();
  });

  wait(idleSeconds - WARNING);
})();
