// What Python hands over as `data.html` is cleaned there (ui/markup.py); nothing here builds HTML from text.
export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".waymark");
  if (root.shown !== data.html) {
    const first = root.shown === undefined;
    root.shown = data.html;
    root.innerHTML = data.html;
    root.chosen = "";
    const reader = root.querySelector(".reader");
    const mark = reader && reader.querySelector("mark");
    if (mark) requestAnimationFrame(() => {
      reader.scrollTop += mark.getBoundingClientRect().top - reader.getBoundingClientRect().top - 60;
    });
    const chosen = root.querySelector(".chosen");
    if (chosen) requestAnimationFrame(() => chosen.scrollIntoView({ block: "nearest" }));
    if (data.takes_focus && first) takeFocus(reader || root);
  }
  if (root.chosen !== data.chosen) choose(root, data.chosen);
  root.onclick = async (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    root.clicked = button;
    if (button.dataset.open) setTriggerValue("opened", button.dataset.open);
    if (button.dataset.copy !== undefined) {
      await navigator.clipboard.writeText(data.copies);
      const label = button.textContent;
      button.textContent = "Copied";
      setTimeout(() => { button.textContent = label; }, 1500);
    }
  };
}

function takeFocus(element) {
  element.tabIndex = -1;
  requestAnimationFrame(() => element.focus({ preventScroll: true }));
}

// What is open beside this HTML: its buttons look chosen and stay in sight; once it is closed, whoever was reading
// there is back at the button that opened it.
function choose(root, chosen) {
  const before = root.chosen;
  root.chosen = chosen;
  const buttons = [...root.querySelectorAll("button[data-open]")];
  const of = (open) => buttons.filter((button) => button.dataset.open === open);
  of(before).forEach((button) => { button.classList.remove("chosen"); button.removeAttribute("aria-expanded"); });
  of(chosen).forEach((button) => { button.classList.add("chosen"); button.setAttribute("aria-expanded", "true"); });
  const meant = of(chosen || before);
  const button = meant.includes(root.clicked) ? root.clicked : meant[0];
  if (!button) return;
  const focused = document.activeElement;
  const wasThere = focused === document.body || focused.closest(".st-key-panel");
  if (!chosen && wasThere) button.focus({ preventScroll: true });
  keepInSight(root, button);
}

// The text is set anew in another width while what is beside it comes or goes.
function keepInSight(root, button) {
  const watch = new ResizeObserver(() => button.scrollIntoView({ block: "nearest" }));
  watch.observe(root);
  setTimeout(() => watch.disconnect(), 1500);
}
