// What makes a page live: the one-time link is posted, and #live is replaced whenever the server says that something is
// new, unless a person is writing in it.
"use strict";

const root = document.body.dataset.root;
const indicator = document.getElementById("status");
let stale = false;

function say(text) {
  if (indicator && indicator.textContent !== text) indicator.textContent = text;
}

function isWriting() {
  const at = document.activeElement;
  const live = document.getElementById("live");
  if (!live) return true;
  if ([...live.querySelectorAll("textarea")].some((one) => one.value)) return true;
  return live.contains(at) && (at.tagName === "TEXTAREA" || at.tagName === "BUTTON");
}

async function refresh() {
  if (isWriting()) {
    stale = true;
    return;
  }
  stale = false;
  const answer = await fetch(location.href, { credentials: "same-origin" });
  if (answer.status === 401) return location.assign(root + "/");
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("live");
  const live = document.getElementById("live");
  if (!fresh || isWriting()) return;
  const at = live.contains(document.activeElement) ? document.activeElement : null;
  const focused = at && (at.id ? "#" + CSS.escape(at.id) : at.getAttribute("href") && `a[href="${CSS.escape(at.getAttribute("href"))}"]`);
  if (live.innerHTML !== fresh.innerHTML) {
    live.replaceChildren(...fresh.childNodes);
    if (focused) live.querySelector(focused)?.focus();
  }
}

function follow(address) {
  const events = new EventSource(address);
  events.onopen = () => say("live");
  events.onerror = () => say("not connected");
  events.onmessage = (event) => {
    if (event.data === "changed") refresh();
    else refresh().then(() => say("live"));
  };
  document.addEventListener("focusout", () => setTimeout(() => stale && refresh(), 50));
}

const link = document.getElementById("link");
if (link && location.hash.length > 20) {
  link.elements.link.value = location.hash.slice(1);
  history.replaceState(null, "", location.pathname);
  link.submit();
} else if (document.body.dataset.live && document.getElementById("live")) {
  follow(document.body.dataset.live);
} else {
  say("");
}
