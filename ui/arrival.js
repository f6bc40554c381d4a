// Whoever comes to a conversation can write at once; not where that would bring up a keyboard over the page, nor where
// the person is already at something else.
const TRIES = 30, EVERY_MS = 100;

export default function ({ parentElement }) {
  const root = parentElement.querySelector(".arrival");
  if (root.arrived || !matchMedia("(pointer: fine)").matches) return;
  root.arrived = true;
  arrive(TRIES);
}

function arrive(tries) {
  const field = document.querySelector('[data-testid="stChatInput"] textarea:not(:disabled)');
  if (!field && tries) return setTimeout(arrive, EVERY_MS, tries - 1);
  const at = document.activeElement;
  const free = at === document.body || (at.tagName === "BUTTON" && at.closest('[data-testid="stSidebar"]'));
  if (field && free) field.focus({ preventScroll: true });
}
